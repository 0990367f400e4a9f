//! Reading every file from its first write, and telling a torn end from damage.

use std::collections::VecDeque;

use crate::file::{JournalFile, file_number};
use crate::folder::Folder;
use crate::header::FileHeader;
use crate::live::{LiveFile, Point};
use crate::sector::SectorStamp;
use crate::write::{Found, WriteReader, sectors_bytes};
use crate::{Result, WayOut};

/// What the files hold.
#[derive(Debug)]
pub(crate) struct Scan {
    /// The files and their sound writes, oldest first.
    pub(crate) files: VecDeque<LiveFile>,
    pub(crate) n_writes: u64,
    pub(crate) n_frames: u64,
    /// How many bytes the last sound write of the last file has; 0 where there is none.
    pub(crate) last_write_bytes: u64,
    /// How many bytes of an unfinished write follow, or why what follows is none.
    pub(crate) torn_bytes: Result<u64>,
}

/// Opens every file and checks that each follows the one before.
pub(crate) fn open_files(folder: &Folder) -> Result<Vec<JournalFile>> {
    open_files_by(folder, |number| JournalFile::open(folder, number))
}

/// Opens every file in a way of the caller's and checks that each follows the one before.
pub(crate) fn open_files_by(
    folder: &Folder,
    mut open: impl FnMut(u64) -> Result<JournalFile>,
) -> Result<Vec<JournalFile>> {
    let mut numbers: Vec<u64> =
        folder.list()?.iter().filter_map(|entry| file_number(&entry.name)).collect();
    numbers.sort_unstable();
    let mut files: Vec<JournalFile> = Vec::new();
    for number in numbers {
        let file = open(number)?;
        if let Some(last) = files.last()
            && last.header.number.checked_add(1) != Some(number)
        {
            let missing = file.corrupt(0, "the file before this one is missing");
            return Err(missing.with_way_out(WayOut::Restore));
        }
        files.push(file);
    }
    Ok(files)
}

/// Reads all files. Only the last one may end in an unfinished write.
pub(crate) fn scan_files(files: Vec<JournalFile>) -> Result<Scan> {
    let mut reader = WriteReader::default();
    let mut scan = Scan {
        files: VecDeque::new(),
        n_writes: 0,
        n_frames: 0,
        last_write_bytes: 0,
        torn_bytes: Ok(0),
    };
    let mut files = files.into_iter().peekable();
    while let Some(file) = files.next() {
        let mut live = LiveFile::new(file);
        let found = scan.writes(&mut live, &mut reader);
        match files.peek() {
            None => {
                let torn_bytes = found.and_then(|found| torn_bytes(&live, found));
                scan.torn_bytes = torn_bytes.map_err(|error| error.with_way_out(WayOut::CutTail));
            }
            // The next file was begun when the last write of this one was durable: nothing can
            // be unfinished here.
            Some(next) => found
                .and_then(|found| check_closed(&live, found, &next.header))
                .map_err(|error| error.with_way_out(WayOut::Restore))?,
        }
        scan.files.push_back(live);
    }
    Ok(scan)
}

impl Scan {
    /// Reads the sound writes of one file and returns what follows them.
    fn writes(&mut self, live: &mut LiveFile, reader: &mut WriteReader) -> Result<Found> {
        self.last_write_bytes = 0;
        loop {
            let Point { offset, write, mut next } = live.end;
            match reader.load(&live.file, offset, write, &mut next)? {
                Found::Write { bytes } => {
                    live.extend(bytes, next);
                    self.last_write_bytes = bytes;
                    self.n_writes = self.n_writes.saturating_add(1);
                    let n_frames = u64::try_from(reader.frames().count()).unwrap_or(u64::MAX);
                    self.n_frames = self.n_frames.saturating_add(n_frames);
                }
                found => return Ok(found),
            }
        }
    }
}

/// Checks the end of the last file and returns how much of an unfinished write is there.
///
/// A power cut leaves each sector of the last write either written or zero, and nothing behind it:
/// a later write begins only when this one is durable.
fn torn_bytes(live: &LiveFile, found: Found) -> Result<u64> {
    let end = live.end.offset;
    let n_stamped = match found {
        Found::Torn { bytes, n_stamped } => {
            live.file.n_written(end.saturating_add(bytes), None)?;
            n_stamped
        }
        // The first sector is missing, so the write's length is not known.
        _ => live.file.n_written(end, Some(SectorStamp::of_write(live.end.write)))?,
    };
    Ok(sectors_bytes(1).saturating_mul(n_stamped))
}

/// Checks that a file ends where the next one begins.
fn check_closed(live: &LiveFile, found: Found, next: &FileHeader) -> Result<()> {
    let end = &live.end;
    if matches!(found, Found::Torn { .. }) {
        return Err(live.file.corrupt(end.offset, "a sector of a committed write is empty"));
    }
    live.file.n_written(end.offset, None)?;
    if end.write != next.first_write || end.next != next.start {
        return Err(live.file.corrupt(end.offset, "writes are missing before the next file"));
    }
    Ok(())
}
