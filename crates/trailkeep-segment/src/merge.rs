//! Merges segments into one.

use std::sync::Arc;

use trailkeep_event::{Cut, IdKey, Partition, sections_digest};

use crate::cursor::{EntryCursor, Located};
use crate::expected::{Expected, all_columns};
use crate::layout::Effort;
use crate::values::Values;
use crate::writer::{Coverage, SegmentWriter, SortedRow};
use crate::{Error, SegmentMeta, SegmentReader, SegmentStore};

/// Writes the rows of some segments as one and returns its description once it is durable. The
/// inputs stay: the caller swaps them in the catalog and removes them later.
///
/// Memory: one run of rows an input, and the encoded result. A row that an input stores with its
/// section bytes keeps them.
///
/// # Errors
/// Where an input is corrupt or the store refuses; then nothing but orphans is left.
///
/// # Panics
/// Where the inputs leave a gap between them: the result would claim frames that it lacks.
pub fn merge(
    store: &Arc<SegmentStore>,
    key: &IdKey,
    inputs: &[Arc<SegmentMeta>],
    id: [u8; 16],
) -> Result<SegmentMeta, Error> {
    let coverage = union(inputs);
    let mut readers = Vec::with_capacity(inputs.len());
    let mut expected = Expected::new();
    for meta in inputs {
        let reader = SegmentReader::open(Arc::clone(store), Arc::clone(meta), key.clone())?;
        expected.segment(&reader);
        readers.push(reader);
    }
    let mut writer = fill(key, &readers, id, &expected.columns())?;
    if writer.misses_columns()? {
        writer = fill(key, &readers, id, &all_columns())?;
    }
    let meta = writer.finish(store, &coverage)?;
    let expected: u64 = inputs.iter().map(|meta| u64::from(meta.rows)).sum();
    assert_eq!(u64::from(meta.rows), expected, "a merge lost or doubled rows");
    tracing::info!(
        segment = %meta.id, inputs = inputs.len(), rows = meta.rows, bytes = meta.bytes,
        "merged segments"
    );
    Ok(meta)
}

/// Gives the rows of all inputs, in order, to the writer of a file with some of the stored columns.
fn fill(
    key: &IdKey,
    readers: &[SegmentReader],
    id: [u8; 16],
    columns: &[usize],
) -> Result<SegmentWriter, Error> {
    let mut cursors = Vec::with_capacity(readers.len());
    let mut heads: Vec<Option<Located>> = Vec::with_capacity(readers.len());
    for reader in readers {
        let mut cursor = EntryCursor::open(reader.clone())?;
        heads.push(cursor.next()?);
        cursors.push(cursor);
    }
    let mut writer = SegmentWriter::new(id, key, columns, Effort::Thorough, None)?;
    let mut scratch = Vec::new();
    while let Some(input) = first(&heads) {
        let Some((slot, cursor)) = heads.get_mut(input).zip(cursors.get_mut(input)) else { break };
        let Some(located) = std::mem::replace(slot, cursor.next()?) else { break };
        let (row, stamp) = (located.entry.row, located.entry.stamp);
        let digest = sections_digest(&Values::of(row.view()), &mut scratch);
        writer.push(SortedRow { row, stamp, digest, verbatim: located.verbatim })?;
    }
    Ok(writer)
}

/// Returns the input whose next row is the first in order.
fn first(heads: &[Option<Located>]) -> Option<usize> {
    let heads = heads.iter().enumerate();
    heads
        .filter_map(|(input, head)| head.as_ref().map(|head| (input, head.sort.stored())))
        .min_by(|a, b| a.1.cmp(&b.1))
        .map(|(input, _)| input)
}

/// Returns what all inputs cover together.
fn union(inputs: &[Arc<SegmentMeta>]) -> Coverage {
    let mut from = Cut::default();
    let mut to = Cut::default();
    for partition in Partition::all() {
        let bound = |cut: &[u64]| cut.get(partition.index()).copied().unwrap_or(0);
        let mut ranges: Vec<(u64, u64)> =
            inputs.iter().map(|meta| (bound(&meta.from), bound(&meta.to))).collect();
        ranges.sort_unstable();
        let Some((start, mut end)) = ranges.first().copied() else { continue };
        for (next, next_end) in ranges {
            assert!(next <= end, "merged segments leave a gap in partition {partition}");
            end = end.max(next_end);
        }
        from.set(partition, start);
        to.set(partition, end);
    }
    let level = inputs.iter().map(|meta| meta.level).max().unwrap_or(0).saturating_add(1);
    Coverage { from, to, level }
}
