//! What can be appended.

use trailkeep_event::{Batch, Micros, Partition};
use trailkeep_redact::MaskedBatch;

use crate::{Error, Result};

/// The rows of one frame to be. It can only be made from masked events, so nothing else is ever
/// framed.
#[derive(Clone, Debug)]
pub struct JournalBatch {
    partition: Partition,
    batch: Batch,
}

impl JournalBatch {
    /// Seals a batch with its time of admission.
    ///
    /// # Errors
    /// [`Error::MakeBatch`] where the batch has more rows than a position can number, or 4 GiB.
    pub fn new(batch: MaskedBatch, created_at: Micros) -> Result<Self> {
        let partition = batch.partition();
        let made = batch.finish(created_at);
        let batch = made.map_err(|source| Error::MakeBatch { partition, source })?;
        Ok(Self { partition, batch })
    }

    /// Returns the partition.
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// Returns the rows; cloning shares the bytes that are journaled.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }
}
