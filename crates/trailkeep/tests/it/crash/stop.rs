//! Tells clients to stop.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// A word that the clients listen for.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    said: Mutex<bool>,
    heard: Condvar,
}

impl Stop {
    pub(crate) fn set(&self) {
        *self.said.lock() = true;
        self.heard.notify_all();
    }

    /// Waits for the word, at most `pause`, and returns whether it was said.
    pub(crate) fn within(&self, pause: Duration) -> bool {
        let mut said = self.said.lock();
        let _timeout = self.heard.wait_while_for(&mut said, |said| !*said, pause);
        *said
    }
}
