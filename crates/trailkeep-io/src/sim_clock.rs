//! A clock that a test moves.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::Clock;

/// A clock that moves only when told to. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct SimClock {
    times: Arc<Mutex<Times>>,
}

#[derive(Debug)]
struct Times {
    now_micros: i64,
    monotonic: Duration,
}

impl SimClock {
    /// Returns a clock at a time of day, with its monotonic time at zero.
    pub fn new(now_micros: i64) -> Self {
        let times = Times { now_micros, monotonic: Duration::ZERO };
        Self { times: Arc::new(Mutex::new(times)) }
    }

    /// Sets the time of day, back or forth; the monotonic time stays.
    pub fn set(&self, now_micros: i64) {
        self.times.lock().now_micros = now_micros;
    }

    /// Lets time pass on both clocks.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        let mut times = self.times.lock();
        times.now_micros = times.now_micros.saturating_add(micros);
        times.monotonic = times.monotonic.saturating_add(by);
    }
}

impl Clock for SimClock {
    fn now_micros(&self) -> i64 {
        self.times.lock().now_micros
    }

    fn monotonic(&self) -> Duration {
        self.times.lock().monotonic
    }
}
