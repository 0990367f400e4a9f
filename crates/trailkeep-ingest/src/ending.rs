//! What the end of a thread means for the others, also where it panics.

use std::sync::Arc;

use crate::shared::{SealerState, Shared};

/// Tells the others that a thread of the store has ended. One that panicked stops the store: what
/// it was in the middle of is not known.
#[derive(Debug)]
pub(crate) struct Ending {
    shared: Arc<Shared>,
    note: fn(&mut SealerState),
}

impl Ending {
    /// Lives as long as the thread; `note` is what the others wait for.
    pub(crate) fn new(shared: &Arc<Shared>, note: fn(&mut SealerState)) -> Self {
        Self { shared: Arc::clone(shared), note }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.stop();
            self.shared.queue.clear();
        }
        self.shared.tell_sealer(self.note);
    }
}
