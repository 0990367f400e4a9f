//! The note of cuts: what `cut_tail` took away, until somebody recorded it.

use std::io;

use crc32c::crc32c;
use trailkeep_io::durable;

use crate::file::file_name;
use crate::folder::Folder;
use crate::write::take;
use crate::{Error, Result, WayOut};

/// The name of the note.
pub(crate) const NOTE_NAME: &str = "cuts";
const MAGIC: [u8; 4] = *b"TKC1";
const CRC_BYTES: usize = 4;

/// Says what was cut from a damaged journal: acknowledged events may have been among it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CutNote {
    /// The number of the file.
    pub file: u64,
    /// Where the cut was made.
    pub offset: u64,
    /// How many bytes were not empty behind the cut.
    pub bytes: u64,
    /// The number of the first write that is lost.
    pub write: u64,
    /// How many frames are known to be lost: those of lost writes whose headers can be read. The
    /// first lost write counts as one where its header cannot.
    pub frames: u64,
}

impl CutNote {
    /// Returns the name of the file.
    pub fn file_name(&self) -> String {
        file_name(self.file)
    }
}

/// Reads the note; none are no cuts.
pub(crate) fn read_notes(folder: &Folder) -> Result<Vec<CutNote>> {
    if !folder.list()?.iter().any(|entry| entry.name == NOTE_NAME) {
        return Ok(Vec::new());
    }
    let path = folder.path_of(NOTE_NAME);
    let bytes = durable::read(folder.disk(), &path).map_err(Error::io("read", &path))?;
    let (what, way_out) = ("the note of cuts is wrong", WayOut::RemoveNote);
    decode(&bytes).ok_or(Error::Corrupt { file: path, offset: 0, what, way_out })
}

/// Writes the note, durably.
pub(crate) fn write_notes(folder: &Folder, notes: &[CutNote]) -> Result<()> {
    let path = folder.path_of(NOTE_NAME);
    durable::write(folder.disk(), &path, &encode(notes)).map_err(Error::io("write", &path))
}

/// Removes the note, durably; one that is gone is fine.
pub(crate) fn forget_notes(folder: &Folder) -> Result<()> {
    match folder.remove(NOTE_NAME) {
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
        removed => removed?,
    }
    folder.sync()
}

fn encode(notes: &[CutNote]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for note in notes {
        for field in [note.file, note.offset, note.bytes, note.write, note.frames] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
    }
    bytes.extend_from_slice(&crc32c(&bytes).to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<Vec<CutNote>> {
    let crc_at = bytes.len().checked_sub(CRC_BYTES)?;
    let mut at = crc_at;
    let crc = u32::from_le_bytes(take(bytes, &mut at)?);
    let body = bytes.get(..crc_at)?;
    let mut at = 0;
    if crc != crc32c(body) || take(body, &mut at)? != MAGIC {
        return None;
    }
    let mut notes = Vec::new();
    while at < body.len() {
        let mut field = || take(body, &mut at).map(u64::from_le_bytes);
        notes.push(CutNote {
            file: field()?,
            offset: field()?,
            bytes: field()?,
            write: field()?,
            frames: field()?,
        });
    }
    Some(notes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn come_back(fields: Vec<[u64; 5]>) {
            let notes: Vec<CutNote> = fields
                .into_iter()
                .map(|[file, offset, bytes, write, frames]| CutNote { file, offset, bytes, write, frames })
                .collect();
            prop_assert_eq!(decode(&encode(&notes)), Some(notes));
        }

        #[test]
        fn hostile_bytes_never_panic(bytes: Vec<u8>) {
            let _notes = decode(&bytes);
        }
    }
}
