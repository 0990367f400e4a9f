//! Measures a store.

use std::io;

use trailkeep_event::Micros;
use trailkeep_ingest::JOURNAL_FOLDER;
use trailkeep_io::Disk;
use trailkeep_segment::{Shelf, ShelfView};

use super::{Parts, Stats};
use crate::local::{CATALOG, OBJECTS};

/// The folder of source ids among the objects.
const SOURCE_IDS: &str = "objects/dup";
const RESERVE: &str = "RESERVE";
const INDEX_SUFFIX: &str = ".tki";

/// Measures a store. Costs a look at every file's length and at the time of every entry that is
/// not sealed.
pub(crate) fn measure(shelf: &Shelf, disk: &dyn Disk, accounts: u64) -> io::Result<Stats> {
    let view = shelf.view();
    let sealed = view.sealed.iter().map(|segment| u64::from(segment.meta().rows));
    let rows = sealed.fold(view.tail.rows(), u64::saturating_add);
    let (first_at, last_at) = times(shelf, &view);
    let mut bytes = Parts::default();
    add(disk, "", &mut bytes)?;
    Ok(Stats {
        rows,
        tail_rows: view.tail.rows(),
        tail_bytes: view.tail.bytes(),
        accounts,
        first_at: first_at.map(|at| at.to_string()),
        last_at: last_at.map(|at| at.to_string()),
        segments: u64::try_from(view.sealed.len()).unwrap_or(u64::MAX),
        bytes,
        bytes_per_event: (rows > 0).then(|| bytes.for_each(rows)),
    })
}

fn times(shelf: &Shelf, view: &ShelfView) -> (Option<Micros>, Option<Micros>) {
    let sealed = view.sealed.iter().map(|segment| segment.meta());
    let sealed = sealed.flat_map(|meta| [Micros(meta.min_sort_at), Micros(meta.max_sort_at)]);
    let tail = view.tail.entries(shelf.key()).map(|entry| entry.sort_at());
    sealed.chain(tail).fold((None, None), |(first, last): (Option<Micros>, _), at| {
        (Some(first.map_or(at, |first| first.min(at))), last.max(Some(at)))
    })
}

/// Adds the files below a folder, each to its part.
fn add(disk: &dyn Disk, folder: &str, parts: &mut Parts<u64>) -> io::Result<()> {
    let entries = match disk.list(folder) {
        // A folder or file that a seal or a compaction removes meanwhile takes nothing.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        listed => listed?,
    };
    for entry in entries {
        let path =
            if folder.is_empty() { entry.name.clone() } else { format!("{folder}/{}", entry.name) };
        if entry.folder {
            add(disk, &path, parts)?;
            continue;
        }
        let part = parts.of_file(&path);
        *part = part.saturating_add(entry.bytes);
        parts.total = parts.total.saturating_add(entry.bytes);
    }
    Ok(())
}

impl Parts<u64> {
    fn of_file(&mut self, path: &str) -> &mut u64 {
        let within = |folder: &str| path.strip_prefix(folder).is_some_and(|p| p.starts_with('/'));
        if within(JOURNAL_FOLDER) {
            &mut self.journal
        } else if within(SOURCE_IDS) {
            &mut self.source_ids
        } else if within(OBJECTS) && path.ends_with(INDEX_SUFFIX) {
            &mut self.index
        } else if within(OBJECTS) {
            &mut self.segments
        } else if path.starts_with(CATALOG) {
            // The database keeps two more files beside its own.
            &mut self.catalog
        } else if path == RESERVE {
            &mut self.reserve
        } else {
            &mut self.other
        }
    }

    fn for_each(self, rows: u64) -> Parts<f64> {
        let each = |bytes: u64| hundredths(bytes, rows);
        Parts {
            segments: each(self.segments),
            index: each(self.index),
            source_ids: each(self.source_ids),
            journal: each(self.journal),
            catalog: each(self.catalog),
            reserve: each(self.reserve),
            other: each(self.other),
            total: each(self.total),
        }
    }
}

/// Divides, to two digits behind the point.
fn hundredths(bytes: u64, rows: u64) -> f64 {
    let hundredths = bytes.saturating_mul(100).checked_div(rows).unwrap_or(0);
    u32::try_from(hundredths).map_or(f64::MAX, |hundredths| f64::from(hundredths) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_counted_once() {
        let mut parts = Parts::default();
        for (path, bytes) in [
            ("journal/00.journal", 1),
            ("objects/seg/a.parquet", 10),
            ("objects/seg/a.tks", 20),
            ("objects/seg/a.tki", 100),
            ("objects/dup/a.run", 1000),
            ("catalog.sqlite", 10_000),
            ("catalog.sqlite-wal", 20_000),
            ("RESERVE", 100_000),
            ("LOCK", 1_000_000),
            ("journal.txt", 2_000_000),
        ] {
            *parts.of_file(path) += bytes;
        }
        let found = parts.named().map(|(_name, bytes)| bytes);
        assert_eq!(found, [30, 100, 1000, 1, 30_000, 100_000, 3_000_000, 0]);
        assert_eq!(hundredths(200, 3).to_string(), "66.66");
    }
}
