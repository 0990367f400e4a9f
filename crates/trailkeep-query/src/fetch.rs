//! Reads whole entries, up to what a page has room for.

use std::collections::BTreeMap;

use trailkeep_event::{Entry, EntryRef};
use trailkeep_io::share;
use trailkeep_segment::{ShelfView, page_of};

use crate::engine::THREADS;
use crate::error::Error;

/// How large an entry is taken to be before one was seen.
const ENTRY_BYTES: usize = 64 * 1024;

/// How many pages several threads share, at least: a page costs more than it costs to start a
/// thread.
const SHARED_PAGES_MIN: usize = 6;

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

/// Reads entries page by page and puts them back in order.
fn fetch_turn<K>(view: &ShelfView, turn: &[(K, Source<'_>)]) -> Result<Vec<Entry>, Error> {
    let mut rows: Vec<(usize, u32)> =
        turn.iter().filter_map(|(_key, source)| row_of(source)).collect();
    rows.sort_unstable();
    let page = |(segment, row): &(usize, u32)| (*segment, page_of(*row));
    let pages: Vec<&[(usize, u32)]> = rows.chunk_by(|a, b| page(a) == page(b)).collect();
    let n_threads = if pages.len() < SHARED_PAGES_MIN { 1 } else { THREADS };
    let fetched =
        share(n_threads, &pages, BTreeMap::new, |fetched, page| fetch_page(view, page, fetched))?;
    let mut fetched: BTreeMap<(usize, u32), Entry> = fetched.into_iter().flatten().collect();
    let entry = |(_key, source): &(K, Source<'_>)| match source {
        Source::Tail(entry) => Some(entry.to_entry()),
        Source::Segment(segment, row) => fetched.remove(&(*segment, *row)),
    };
    Ok(turn.iter().filter_map(entry).collect())
}

fn row_of(source: &Source<'_>) -> Option<(usize, u32)> {
    match source {
        Source::Tail(_entry) => None,
        Source::Segment(segment, row) => Some((*segment, *row)),
    }
}

/// Reads the rows of one page.
fn fetch_page(
    view: &ShelfView,
    page: &[(usize, u32)],
    fetched: &mut BTreeMap<(usize, u32), Entry>,
) -> Result<(), Error> {
    let Some((number, _row)) = page.first() else { return Ok(()) };
    let Some(segment) = view.sealed.get(*number) else { return Ok(()) };
    let rows: Vec<u32> = page.iter().map(|(_segment, row)| *row).collect();
    let entries =
        segment.reader().and_then(|reader| reader.fetch(&rows)).map_err(Error::segment)?;
    fetched.extend(page.iter().copied().zip(entries));
    Ok(())
}
