//! A batch whose rows have their places in their accounts' logs.

use crate::{Batch, EntryRef, IdKey, Partition, Position, Stamp};

/// A journaled batch with its position and the log index of each row.
#[derive(Clone, Debug)]
pub struct SequencedBatch {
    /// The partition that the batch was framed in.
    pub partition: Partition,
    /// The frame's number in its partition.
    pub frame: u64,
    /// The rows.
    pub batch: Batch,
    /// For each row its index in its account's log.
    pub seqs: Box<[u64]>,
}

impl SequencedBatch {
    /// Returns one entry.
    pub fn entry(&self, key: &IdKey, ordinal: u32) -> Option<EntryRef<'_>> {
        let row = self.batch.row(ordinal)?;
        let seq = *self.seqs.get(usize::try_from(ordinal).ok()?)?;
        let position = Position { partition: self.partition, frame: self.frame, ordinal };
        let created_at = self.batch.created_at();
        let stamp = Stamp {
            id: key.id(created_at, position),
            seq,
            created_at,
            clock_skew: Stamp::skewed(row.row.occurred_at(), created_at),
            position,
        };
        Some(EntryRef { row: row.row, stamp })
    }

    /// Returns every entry, in order.
    pub fn entries<'a>(&'a self, key: &'a IdKey) -> impl Iterator<Item = EntryRef<'a>> {
        let n_rows = u32::try_from(self.seqs.len()).unwrap_or(u32::MAX);
        (0..n_rows).filter_map(|ordinal| self.entry(key, ordinal))
    }
}
