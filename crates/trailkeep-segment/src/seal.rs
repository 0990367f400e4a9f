//! Turns a prefix of the tail into a sealed segment.

use std::collections::HashMap;
use std::sync::Arc;

use trailkeep_event::{
    BatchRow, Cut, Field, FieldKind, IdKey, Micros, Position, SequencedBatch, Stamp, ValueRef,
};

use crate::columns_builder::Place;
use crate::expected::{Expected, FileColumns};
use crate::numbers::{index, short};
use crate::row_writer::{RowWriter, SortedRow};
use crate::values::Values;
use crate::writer::{Coverage, SegmentWriter};
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

/// Writes batches as a new segment and returns its description once all its objects are durable.
/// Rows are sorted by account, time and log index; each is compared with what its
/// columns give back.
///
/// Costs 3 to 4 us a row, on two threads. A crash leaves at most objects that no catalog names.
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
    let mut expected = Expected::new();
    for batch in batches {
        assert!(batch.frame >= options.from.frame(batch.partition), "a batch is sealed twice");
        to.set(batch.partition, to.frame(batch.partition).max(batch.frame.saturating_add(1)));
    }
    let order = order(batches, &mut expected);
    let file = expected.columns();
    let writer = match fill(key, &order, options, &file)? {
        Some(writer) => Some(writer),
        None => fill(key, &order, options, &file.all())?,
    };
    let writer = writer.ok_or(Error::Empty)?;
    let meta = writer.finish(store, &Coverage { from: options.from, to, level: 0 })?;
    tracing::info!(segment = %meta.id, rows = meta.rows, bytes = meta.bytes, "sealed a segment");
    Ok(SealedSegment { mismatches: meta.mismatches, meta })
}

/// Where a row stands in the segment, and where it is: the account's rank, time, log index; batch
/// and ordinal.
type Ordered<'a> = (u32, Micros, u64, &'a SequencedBatch, u32);

/// Returns all rows in the order in which they are stored, and tells what they need.
fn order<'a>(batches: &'a [Arc<SequencedBatch>], expected: &mut Expected) -> Vec<Ordered<'a>> {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut order = Vec::with_capacity(batches.iter().map(|batch| batch.batch.n_rows()).sum());
    for batch in batches {
        for (row, seq) in batch.batch.rows().zip(&batch.seqs) {
            let next = short(numbers.len());
            let number = *numbers.entry(row.row.account_id()).or_insert(next);
            let (_place, sort_at) = place(batch, row, *seq);
            expected.row(row.row);
            order.push((number, sort_at, *seq, &**batch, row.ordinal));
        }
    }
    // Accounts are compared by their bytes once, not for each row.
    let mut accounts: Vec<(&str, u32)> = numbers.into_iter().collect();
    accounts.sort_unstable();
    let mut ranks = vec![0; accounts.len()];
    for (rank, (_account, number)) in (0..).zip(accounts) {
        if let Some(slot) = ranks.get_mut(index(number)) {
            *slot = rank;
        }
    }
    for row in &mut order {
        row.0 = ranks.get(index(row.0)).copied().unwrap_or(row.0);
    }
    order.sort_unstable_by_key(|row| (row.0, row.1, row.2));
    order
}

/// Returns what a row has beside its fields, and the time that it sorts at.
fn place(batch: &SequencedBatch, row: BatchRow<'_>, seq: u64) -> (Place, Micros) {
    let created_at = batch.batch.created_at();
    let occurred_at = row.row.occurred_at();
    let clock_skew = Stamp::skewed(occurred_at, created_at);
    let position =
        Position { partition: batch.partition, frame: batch.frame, ordinal: row.ordinal };
    let sort_at = if clock_skew { created_at } else { occurred_at };
    (Place { created_at, seq, clock_skew, position }, sort_at)
}

/// Gives rows to the writer of a file with some of the stored columns; `None` where one has a
/// value in another.
fn fill(
    key: &IdKey,
    order: &[Ordered<'_>],
    options: &SealOptions,
    file: &FileColumns,
) -> Result<Option<SegmentWriter>, Error> {
    let mut writer = RowWriter::new(options.id, key, file, options.fault)?;
    for (_, _, seq, batch, ordinal) in order {
        if let Some(row) = batch.batch.row(*ordinal) {
            let (place, sort_at) = place(batch, row, *seq);
            writer.push(SortedRow { admitted: row, place, sort_at })?;
        }
    }
    writer.finish()
}
