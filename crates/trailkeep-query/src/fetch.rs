//! Reads whole entries, up to what a page has room for.

use std::collections::BTreeMap;

use trailkeep_event::{Entry, EntryRef};
use trailkeep_segment::ShelfView;

use crate::error::Error;

/// How large an entry is taken to be before one was seen.
const ENTRY_BYTES: usize = 64 * 1024;

/// Where an entry of a view is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'v> {
    /// In the tail.
    Tail(EntryRef<'v>),
    /// In a sealed segment of the view, as a row.
    Segment(usize, u32),
}

/// What a page has room for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

/// Reads the first entries, in the order given, as many as there is room for: at least one.
///
/// How large an entry is shows when it is read, and reading it costs its pages: as many are read
/// at a time as fit if none is larger than the largest so far. Small ones take two turns at most.
pub(crate) fn fetch<K>(
    view: &ShelfView,
    found: &[(K, Source<'_>)],
    room: Room,
) -> Result<Vec<Entry>, Error> {
    let mut rest = found.get(..room.entries).unwrap_or(found);
    let mut entries: Vec<Entry> = Vec::with_capacity(rest.len());
    let (mut bytes_left, mut largest) = (room.bytes, None::<usize>);
    while !rest.is_empty() {
        let n_fitting = bytes_left / largest.unwrap_or(ENTRY_BYTES).max(1);
        let (turn, behind) = rest.split_at_checked(n_fitting.max(1)).unwrap_or((rest, &[]));
        for entry in fetch_turn(view, turn)? {
            let bytes = entry.row.as_bytes().len();
            if bytes > bytes_left && !entries.is_empty() {
                return Ok(entries);
            }
            bytes_left = bytes_left.saturating_sub(bytes);
            largest = largest.max(Some(bytes));
            entries.push(entry);
        }
        rest = behind;
    }
    Ok(entries)
}

/// Reads entries segment by segment and puts them back in order.
fn fetch_turn<K>(view: &ShelfView, turn: &[(K, Source<'_>)]) -> Result<Vec<Entry>, Error> {
    let mut rows: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for (_key, source) in turn {
        if let Source::Segment(number, row) = source {
            rows.entry(*number).or_default().push(*row);
        }
    }
    let mut fetched: BTreeMap<usize, std::vec::IntoIter<Entry>> = BTreeMap::new();
    for (number, rows) in rows {
        let Some(segment) = view.sealed.get(number) else { continue };
        let reader = segment.reader().map_err(Error::segment)?;
        let entries = reader.fetch(&rows).map_err(Error::segment)?;
        fetched.insert(number, entries.into_iter());
    }
    let mut entries = Vec::with_capacity(turn.len());
    for (_key, source) in turn {
        entries.extend(match source {
            Source::Tail(entry) => Some(entry.to_entry()),
            Source::Segment(number, _row) => fetched.get_mut(number).and_then(Iterator::next),
        });
    }
    Ok(entries)
}
