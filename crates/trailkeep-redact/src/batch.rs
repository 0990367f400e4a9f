//! The rows of one frame, all of them masked.

use trailkeep_event::{Batch, BatchError, BatchWriter, Micros, Partition};

use crate::Masked;

/// A batch under construction for one partition.
#[derive(Debug)]
pub struct MaskedBatch {
    partition: Partition,
    writer: BatchWriter,
}

impl MaskedBatch {
    /// Starts an empty batch.
    pub fn new(partition: Partition) -> Self {
        Self { partition, writer: BatchWriter::new() }
    }

    /// Appends an event and returns its row number.
    ///
    /// # Panics
    /// Where the event's account lives in another partition: its log would have two orders.
    pub fn push(&mut self, event: &Masked) -> u32 {
        let row = event.row().view();
        assert_eq!(Partition::of_account(row.account_id()), self.partition, "wrong partition");
        self.writer.push(row)
    }

    /// Returns the partition.
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// Returns how many events the batch has so far.
    pub fn n_rows(&self) -> u32 {
        self.writer.n_rows()
    }

    /// Returns how many bytes the batch has so far.
    pub fn len(&self) -> usize {
        self.writer.len()
    }

    /// Tells whether no event was pushed.
    pub fn is_empty(&self) -> bool {
        self.writer.is_empty()
    }

    /// Sets the time of admission and returns the batch.
    ///
    /// # Errors
    /// [`BatchError::Length`] where it has more rows or bytes than a batch can.
    pub fn finish(self, created_at: Micros) -> Result<Batch, BatchError> {
        self.writer.finish(created_at)
    }
}
