//! The explicit way out of a damaged end: cut it off, and leave a note.

use std::sync::Arc;

use trailkeep_io::Disk;

use crate::file::JournalFile;
use crate::folder::Folder;
use crate::live::Point;
use crate::note::{CutNote, read_notes, write_notes};
use crate::scan::{Scan, open_files, scan_files};
use crate::sector::{SECTOR_BYTES, SectorKind, SectorStamp};
use crate::write::{WriteHeader, sectors_bytes};
use crate::{Error, Result};

/// What [`cut_tail`] did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CutTail {
    /// Nothing: no file is damaged.
    Sound,
    /// Everything from the damaged write on was replaced by zeros.
    Cut(CutNote),
}

/// Cuts the last file at its first damaged write, after a note of it is durable. The next
/// [`crate::Journal::open`] returns the note, until [`crate::Journal::forget_cuts`].
///
/// A crash here leaves the note and a damaged or an empty end: running it again finishes.
///
/// # Errors
/// [`Error::Corrupt`] where the damage is not in the writes of the last file: in a header, which
/// [`crate::repair_headers`] writes again; or in an earlier file, where a cut would lose what
/// follows, and a backup is the way out.
pub fn cut_tail(disk: Arc<dyn Disk>, folder: &str) -> Result<CutTail> {
    let folder = Folder::new(disk, folder);
    let mut notes = read_notes(&folder)?;
    let Scan { files, torn_bytes, .. } = scan_files(open_files(&folder)?)?;
    let Some(live) = files.back() else { return Ok(CutTail::Sound) };
    let end = live.end;
    let (file, offset) = (live.file.header.number, end.offset);
    let earlier = notes.iter().find(|note| note.file == file && note.offset == offset).cloned();
    let note = match (torn_bytes, earlier) {
        // An earlier run saw all that was lost, but may not have got to the end.
        (_, Some(note)) => {
            // Its name may not be durable yet, and nothing is cut without a durable note.
            folder.sync()?;
            note
        }
        (Ok(_torn), None) => return Ok(CutTail::Sound),
        (Err(Error::Corrupt { .. }), None) => {
            let note = describe(&live.file, &end)?;
            notes.push(note.clone());
            write_notes(&folder, &notes)?;
            note
        }
        (Err(error), None) => return Err(error),
    };
    live.file.zero(offset, live.file.header.bytes)?;
    live.file.sync()?;
    Ok(CutTail::Cut(note))
}

/// Looks at what a cut loses.
fn describe(file: &JournalFile, end: &Point) -> Result<CutNote> {
    let mut note = CutNote {
        file: file.header.number,
        offset: end.offset,
        bytes: 0,
        write: end.write,
        frames: 0,
    };
    let mut write = end.write;
    let mut offset = end.offset;
    let mut sector = [0; SECTOR_BYTES];
    while offset < file.header.bytes {
        file.read(&mut sector, offset)?;
        if offset == end.offset && WriteHeader::parse(&sector).is_none() {
            note.frames = note.frames.saturating_add(1);
        }
        if let Some(header) = WriteHeader::parse(&sector).filter(|header| header.number >= write) {
            note.frames = note.frames.saturating_add(u64::from(header.n_frames));
            write = header.number.saturating_add(1);
        }
        offset = offset.saturating_add(sectors_bytes(1));
        if SectorKind::of(&sector, SectorStamp::of_write(end.write)) != SectorKind::Zero {
            note.bytes = offset.saturating_sub(end.offset);
        }
    }
    Ok(note)
}
