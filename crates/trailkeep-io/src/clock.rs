//! Time as a value.

use std::fmt::Debug;
use std::time::Duration;

/// The time of day and the time that only moves forward.
pub trait Clock: Debug + Send + Sync {
    /// Returns the microseconds since 1970-01-01T00:00:00Z.
    fn now_micros(&self) -> i64;

    /// Returns the time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;
}
