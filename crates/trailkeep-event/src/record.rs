//! How any part of Trailkeep makes entries of its own.

use crate::Row;

/// Says why an entry was not recorded.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RecordError {
    /// The store does not take entries at the moment.
    #[error("the store takes no entries")]
    Unavailable,
}

/// Records entries of Trailkeep itself: category `system`, which no producer may write and no
/// setting silences.
pub trait Recorder: Send + Sync {
    /// Records one entry; returns once it is durable. Blocks: call it off the async runtime.
    ///
    /// # Errors
    /// Where the store has stopped.
    fn record(&self, event: Row) -> Result<(), RecordError>;
}
