//! How often to try again, and after what.

use std::time::Duration;

use crate::Error;

/// A longer wish of the server to be left alone is not waited for.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(1);

/// How often to try again where the server is busy or away.
#[derive(Clone, Copy, Debug)]
pub struct RetryOptions {
    /// How many times a request is sent at most.
    pub tries_max: u32,
    /// How long to wait before the second try; it doubles with each.
    pub wait_min: Duration,
    /// The longest wait between two tries.
    pub wait_max: Duration,
}

impl RetryOptions {
    /// Waits half a minute in all before it gives up.
    pub const STANDARD: Self = Self {
        tries_max: 8,
        wait_min: Duration::from_millis(200),
        wait_max: Duration::from_secs(10),
    };

    /// Does not try again.
    pub const NONE: Self =
        Self { tries_max: 1, wait_min: Duration::ZERO, wait_max: Duration::ZERO };

    /// Returns how long all waits are together.
    pub fn waits(&self) -> Duration {
        let mut wait = self.wait_min;
        let mut sum = Duration::ZERO;
        for _try in 1..self.tries_max {
            sum = sum.saturating_add(wait);
            wait = wait.saturating_mul(2).min(self.wait_max);
        }
        sum
    }
}

/// Which errors are worth another try.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Repeat {
    /// All that may pass: the request changes nothing.
    Always,
    /// Only those after which it is known that nothing was done.
    IfNotSent,
}

impl Repeat {
    /// Tells whether an error is one of them.
    pub(crate) fn covers(self, error: &Error) -> bool {
        match error {
            Error::Unreachable { .. }
            | Error::Gone { .. }
            | Error::Refused { status: 429 | 503, .. } => true,
            Error::AnswerLost { .. } => matches!(self, Self::Always),
            _ => false,
        }
    }
}

/// Returns how long the server asked to be left alone.
pub(crate) fn wished_wait(error: &Error) -> Option<Duration> {
    let Error::Refused { problem, .. } = error else { return None };
    problem.retry_after_s.map(|seconds| Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}
