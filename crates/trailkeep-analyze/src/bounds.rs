//! The time and the memory that one answer may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use trailkeep_io::Clock;

use crate::Error;

/// How answers are bounded.
#[derive(Clone, Copy, Debug)]
pub struct AnalyzeOptions {
    /// The most memory that one answer may take while it is made, in bytes.
    pub memory_max: usize,
    /// The longest that one answer may take.
    pub duration_max: Duration,
    /// The most rows of an answer.
    pub rows_max: usize,
    /// How many threads work on one answer.
    pub threads: usize,
}

/// The bounds of one answer. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    clock: Arc<dyn Clock>,
    end: Duration,
    pub(crate) options: AnalyzeOptions,
    used: Arc<AtomicUsize>,
}

impl Bounds {
    /// Starts the time.
    pub(crate) fn start(clock: &Arc<dyn Clock>, options: AnalyzeOptions) -> Self {
        let end = clock.monotonic().saturating_add(options.duration_max);
        Self { clock: Arc::clone(clock), end, options, used: Arc::default() }
    }

    /// Checks that there is time left. Asked once a batch of rows.
    pub(crate) fn check_time(&self) -> Result<(), Error> {
        if self.clock.monotonic() >= self.end {
            return Err(Error::TooSlow { seconds: self.options.duration_max.as_secs() });
        }
        Ok(())
    }

    /// Takes memory that is kept until the answer is made.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), Error> {
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.options.memory_max {
            return Err(Error::TooLarge { bytes: self.options.memory_max });
        }
        Ok(())
    }
}
