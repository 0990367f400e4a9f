//! The explicit way out of a damaged header: write it again from what lies before and behind it.

use std::collections::BTreeSet;
use std::sync::Arc;

use trailkeep_event::Cut;
use trailkeep_io::Disk;

use crate::file::{JournalFile, file_name};
use crate::folder::Folder;
use crate::header::HEADER_BYTES;
use crate::scan::{Scan, open_files_by, scan_files};
use crate::sector::SECTOR_BYTES;
use crate::write::{Found, WriteHeader, WriteReader, sectors_bytes};
use crate::{Error, Result, WayOut};

/// A header page that was written again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HeaderRepair {
    /// The number of the file.
    pub file: u64,
    /// How many bytes of sound writes follow the header: none of them is lost.
    pub bytes: u64,
}

impl HeaderRepair {
    /// Returns the name of the file.
    pub fn file_name(&self) -> String {
        file_name(self.file)
    }
}

/// Writes damaged header pages again and returns which. `committed` is the catalog's cut.
///
/// Everything that a header says is also known from elsewhere: its number from the file's name,
/// its size from the file, its first write and frames from the end of the file before. The first
/// file has none before it: there they are read from its own writes, and for a partition that has
/// none there, from the next file or, in the last file, from the cut. No frame is lost: all files
/// are read with the new headers before one is written. Damaged writes of the last file are left
/// as they are, for [`crate::cut_tail`].
///
/// A crash here leaves a damaged header, or a repaired one: running it again finishes.
///
/// # Errors
/// [`Error::Corrupt`] where a header cannot be known or an earlier file has more damage: then a
/// backup is the way out.
pub fn repair_headers(
    disk: Arc<dyn Disk>,
    folder: &str,
    committed: &Cut,
) -> Result<Vec<HeaderRepair>> {
    let folder = Folder::new(disk, folder);
    let mut damaged: BTreeSet<u64> = BTreeSet::new();
    let mut files = open_files_by(&folder, |number| match JournalFile::open(&folder, number) {
        Err(Error::Corrupt { way_out: WayOut::RepairHeader, .. }) => {
            damaged.insert(number);
            JournalFile::open_without_header(&folder, number)
        }
        opened => opened,
    })?;
    if damaged.is_empty() {
        return Ok(Vec::new());
    }
    find_starts(&mut files, &damaged, committed)
        .map_err(|error| error.with_way_out(WayOut::Restore))?;
    let Scan { files, .. } = scan_files(files)?;
    let mut repairs = Vec::with_capacity(damaged.len());
    for live in files.iter().filter(|live| damaged.contains(&live.file.header.number)) {
        live.file.repair_header()?;
        let bytes = live.end.offset.saturating_sub(HEADER_BYTES);
        repairs.push(HeaderRepair { file: live.file.header.number, bytes });
    }
    Ok(repairs)
}

/// Where a file begins: the number of its first write, and its first frames.
type Start = (u64, Cut);

/// Gives each damaged header its start.
fn find_starts(files: &mut [JournalFile], damaged: &BTreeSet<u64>, committed: &Cut) -> Result<()> {
    let mut before: Option<Start> = None;
    let mut rest = files;
    while let Some((file, behind)) = rest.split_first_mut() {
        if damaged.contains(&file.header.number) {
            let known = match behind.first() {
                None => Some(*committed),
                Some(next) if damaged.contains(&next.header.number) => None,
                Some(next) => Some(next.header.start),
            };
            let first_write = first_write_of(file)?;
            let start = match (before, first_write) {
                (Some(before), None) => before,
                (Some(before), Some(first_write)) if first_write == before.0 => before,
                (Some(_), Some(_)) => {
                    return Err(file.corrupt(0, "writes before it are missing, and its header"));
                }
                (None, Some(first_write)) => (first_write, own_start(file, first_write, known)?),
                // Nothing that could be kept; what is damaged there is cut as in any last file.
                (None, None) if behind.is_empty() => (1, *committed),
                (None, None) => {
                    return Err(file.corrupt(0, "its header and its first write are wrong"));
                }
            };
            (file.header.first_write, file.header.start) = start;
        }
        before = Some(end_of(file)?);
        rest = behind;
    }
    Ok(())
}

/// Reads the number of a file's first write, where that write has a sound start.
fn first_write_of(file: &JournalFile) -> Result<Option<u64>> {
    if file.header.write_bytes_max < sectors_bytes(1) {
        return Ok(None);
    }
    let mut sector = [0; SECTOR_BYTES];
    file.read(&mut sector, HEADER_BYTES)?;
    Ok(WriteHeader::parse(&sector).map(|header| header.number))
}

/// Finds the first frame of each partition in a file's own writes; for those without one, `known`
/// says what it is. In the last file this is the catalog's cut: no journal starts behind it or
/// ends before it.
fn own_start(file: &JournalFile, first_write: u64, known: Option<Cut>) -> Result<Cut> {
    let mut start = known
        .ok_or_else(|| file.corrupt(0, "its header is wrong, and that of the file behind it"))?;
    let mut found: BTreeSet<u8> = BTreeSet::new();
    let (mut offset, mut number) = (HEADER_BYTES, first_write);
    let mut reader = WriteReader::default();
    while let Some(bytes) = sound(reader.load_alone(file, offset, number))? {
        for frame in reader.frames() {
            if found.insert(frame.partition.number()) {
                start.set(frame.partition, frame.number);
            }
        }
        offset = offset.saturating_add(bytes);
        number = number.saturating_add(1);
    }
    Ok(start)
}

/// Returns where the sound writes of a file end. What else is in it is looked at later.
fn end_of(file: &JournalFile) -> Result<Start> {
    let header = &file.header;
    let (mut offset, mut number, mut next) = (HEADER_BYTES, header.first_write, header.start);
    let mut reader = WriteReader::default();
    while let Some(bytes) = sound(reader.load(file, offset, number, &mut next))? {
        offset = offset.saturating_add(bytes);
        number = number.saturating_add(1);
    }
    Ok((number, next))
}

/// Returns the length of a sound write; `None` is the end, or damage.
fn sound(found: Result<Found>) -> Result<Option<u64>> {
    match found {
        Ok(Found::Write { bytes }) => Ok(Some(bytes)),
        Ok(_) | Err(Error::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
