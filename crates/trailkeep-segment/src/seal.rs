//! Turns a prefix of the tail into a sealed segment.

use std::sync::Arc;

use trailkeep_event::{Cut, Field, FieldKind, IdKey, Micros, SequencedBatch, ValueRef};

use crate::expected::{Expected, all_columns};
use crate::layout::Effort;
use crate::values::Values;
use crate::writer::{Coverage, SegmentWriter, SortedRow};
use crate::{Error, SegmentMeta, SegmentStore};

/// How a segment is sealed.
#[derive(Clone, Copy, Debug)]
pub struct SealOptions {
    /// Random bytes that no other segment has.
    pub id: [u8; 16],
    /// Where the sealed part ended before: the first frames that the segment covers.
    pub from: Cut,
    /// A defect to simulate.
    pub fault: Option<SealFault>,
}

/// A simulated defect of the encoder: one value of one row is written wrong.
#[derive(Clone, Copy, Debug)]
pub struct SealFault {
    /// The row, by its number in the segment.
    pub row: u32,
    /// The field; not one that rows are sorted by.
    pub field: Field,
}

impl SealFault {
    /// Replaces the value by another of the same kind.
    pub(crate) fn apply(self, values: &mut Values<'_>) {
        use trailkeep_event::Fields;
        let value = match (values.get(self.field), self.field.kind()) {
            (Some(ValueRef::Int(int)), _) => ValueRef::Int(int ^ 1),
            (Some(ValueRef::Bool(truth)), _) => ValueRef::Bool(!truth),
            (Some(ValueRef::Time(at)), _) => ValueRef::Time(Micros(at.0 ^ 1)),
            (_, FieldKind::Int(..)) => ValueRef::Int(1),
            (_, FieldKind::Bool) => ValueRef::Bool(true),
            _ => ValueRef::Text("\u{fffd}"),
        };
        values.set(self.field, value);
    }
}

/// A segment that was just sealed.
#[derive(Clone, Debug)]
pub struct SealedSegment {
    /// Its description, for the catalog.
    pub meta: SegmentMeta,
    /// How many rows the columns did not give back, so that their section bytes are stored.
    pub mismatches: u32,
}

/// Writes batches as a new segment and returns its description once both its objects are durable.
/// Rows are sorted by account, time and log index; each is compared with the digest that it was
/// admitted with.
///
/// Costs about 4 us a row. A crash leaves at most objects that no catalog names.
///
/// # Errors
/// Where there are no rows, or the store refuses.
///
/// # Panics
/// Where a batch lies before `options.from`: it was sealed before.
pub fn seal(
    store: &SegmentStore,
    key: &IdKey,
    batches: &[Arc<SequencedBatch>],
    options: &SealOptions,
) -> Result<SealedSegment, Error> {
    let mut to = options.from;
    let mut order = Vec::new();
    let mut expected = Expected::new();
    for batch in batches {
        assert!(batch.frame >= options.from.frame(batch.partition), "a batch is sealed twice");
        to.set(batch.partition, to.frame(batch.partition).max(batch.frame.saturating_add(1)));
        for (entry, _) in batch.entries(key) {
            expected.row(entry.row);
            let ordinal = entry.stamp.position.ordinal;
            order.push((entry.row.account_id(), entry.sort_at(), entry.stamp.seq, batch, ordinal));
        }
    }
    order.sort_unstable_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)));
    let order: Vec<_> = order.into_iter().map(|(.., batch, ordinal)| (&**batch, ordinal)).collect();
    let mut writer = fill(key, &order, options, &expected.columns())?;
    if writer.misses_columns()? {
        writer = fill(key, &order, options, &all_columns())?;
    }
    let meta = writer.finish(store, &Coverage { from: options.from, to, level: 0 })?;
    tracing::info!(segment = %meta.id, rows = meta.rows, bytes = meta.bytes, "sealed a segment");
    Ok(SealedSegment { mismatches: meta.mismatches, meta })
}

/// Gives rows to the writer of a file with some of the stored columns.
fn fill(
    key: &IdKey,
    order: &[(&SequencedBatch, u32)],
    options: &SealOptions,
    columns: &[usize],
) -> Result<SegmentWriter, Error> {
    let mut writer = SegmentWriter::new(options.id, key, columns, Effort::Quick, options.fault)?;
    for (batch, ordinal) in order {
        if let Some((entry, digest)) = batch.entry(key, *ordinal) {
            let (row, stamp) = (entry.row.to_row(), entry.stamp);
            writer.push(SortedRow { row, stamp, digest, verbatim: None })?;
        }
    }
    Ok(writer)
}
