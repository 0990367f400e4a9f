//! The clock of the machine.

use std::time::Duration;

use crate::Clock;

/// The clock of the machine.
#[derive(Clone, Debug)]
pub struct SystemClock {
    #[expect(clippy::disallowed_types, reason = "this is the clock that others take")]
    started: std::time::Instant,
}

impl SystemClock {
    /// Returns the clock, with its monotonic time starting now.
    #[expect(clippy::new_without_default, reason = "a default clock would be a hidden now()")]
    pub fn new() -> Self {
        #[expect(clippy::disallowed_types, reason = "this is the clock that others take")]
        Self { started: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others take")]
    fn now_micros(&self) -> i64 {
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => micros(after),
            Err(before) => micros(before.duration()).saturating_neg(),
        }
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}
