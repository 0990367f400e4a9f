//! A journal file: a header page and the room for writes.

use trailkeep_event::Cut;
use trailkeep_io::DiskFile;

use crate::folder::Folder;
use crate::header::{FileHeader, HEADER_BYTES, HeaderError};
use crate::sector::{SECTOR_BYTES, SectorKind, SectorStamp};
use crate::{Error, Result, WayOut};

const NAME_END: &str = ".journal";
const NAME_DIGITS: usize = 16;

/// How much is read or zeroed at a time.
const CHUNK_BYTES: usize = 1 << 20;
static ZEROS: [u8; CHUNK_BYTES] = [0; CHUNK_BYTES];

/// Returns the name of a file.
pub(crate) fn file_name(number: u64) -> String {
    format!("{number:0NAME_DIGITS$}{NAME_END}")
}

/// Returns the number in the name of a file, or `None` for other names.
pub(crate) fn file_number(name: &str) -> Option<u64> {
    let number = name.strip_suffix(NAME_END)?.parse().ok()?;
    (file_name(number) == name).then_some(number)
}

/// An open journal file with a sound header.
#[derive(Debug)]
pub(crate) struct JournalFile {
    pub(crate) header: FileHeader,
    name: String,
    path: String,
    file: Box<dyn DiskFile>,
}

impl JournalFile {
    pub(crate) fn new(folder: &Folder, header: FileHeader, file: Box<dyn DiskFile>) -> Self {
        let name = file_name(header.number);
        let path = folder.path_of(&name);
        Self { header, name, path, file }
    }

    /// Opens a file and checks its header page and size.
    pub(crate) fn open(folder: &Folder, number: u64) -> Result<Self> {
        let name = file_name(number);
        let path = folder.path_of(&name);
        let file = folder.open(&name)?;
        let corrupt =
            |what, way_out| Error::Corrupt { file: path.clone(), offset: 0, what, way_out };
        let restore = |what| corrupt(what, WayOut::Restore);
        let bytes = file.len().map_err(Error::io("measure", &path))?;
        if bytes < HEADER_BYTES {
            return Err(restore("the file is shorter than its header"));
        }
        let mut page = vec![0; usize::try_from(HEADER_BYTES).unwrap_or(usize::MAX)];
        file.read_exact_at(&mut page, 0).map_err(Error::io("read", &path))?;
        let header = FileHeader::decode(&page).map_err(|error| match error {
            HeaderError::Damaged => corrupt("the file's header is wrong", WayOut::RepairHeader),
            HeaderError::Version(version) => Error::Version { file: path.clone(), version },
        })?;
        if header.number != number {
            return Err(restore("the header's number is not that of the file's name"));
        }
        if header.bytes != bytes {
            return Err(restore("the file has not the size that its header states"));
        }
        Ok(Self { header, name, path, file })
    }

    /// Opens a file whose header page cannot be read, as if it held a header that is blank but for
    /// what the file's name and size say.
    pub(crate) fn open_without_header(folder: &Folder, number: u64) -> Result<Self> {
        let file = folder.open(&file_name(number))?;
        let path = folder.path_of(&file_name(number));
        let bytes = file.len().map_err(Error::io("measure", &path))?;
        // The largest write that such a file can hold: how large they may be is not known.
        let write_bytes_max = bytes.saturating_sub(HEADER_BYTES);
        let start = Cut::default();
        let header = FileHeader { number, bytes, write_bytes_max, first_write: 1, start };
        Ok(Self::new(folder, header, file))
    }

    /// Writes the header page again, durably. A crash in here leaves a damaged header.
    pub(crate) fn repair_header(&self) -> Result<()> {
        let page = self.header.encode();
        self.file.write_all_at(&page, 0).map_err(Error::io("repair", &self.path))?;
        self.sync()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns how many bytes the file has from `offset` on.
    pub(crate) fn room_after(&self, offset: u64) -> u64 {
        self.header.bytes.saturating_sub(offset)
    }

    pub(crate) fn read(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        self.file.read_exact_at(buffer, offset).map_err(Error::io("read", &self.path))
    }

    pub(crate) fn write(&self, bytes: &[u8], offset: u64) -> Result<()> {
        assert!(offset >= HEADER_BYTES, "a header page is never overwritten");
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        assert!(len <= self.room_after(offset), "a write never spans files");
        self.file.write_all_at(bytes, offset).map_err(Error::io("write", &self.path))
    }

    pub(crate) fn sync(&self) -> Result<()> {
        self.file.sync().map_err(Error::io("sync", &self.path))
    }

    /// Writes zeros over `from..to`.
    pub(crate) fn zero(&self, from: u64, to: u64) -> Result<()> {
        assert!(from >= HEADER_BYTES && to <= self.header.bytes, "only writes are cleared");
        zero(self.file.as_ref(), from, to).map_err(Error::io("clear", &self.path))
    }

    /// Makes the error for damage at `offset`; who opens the journal says what can be done.
    pub(crate) fn corrupt(&self, offset: u64, what: &'static str) -> Error {
        Error::Corrupt { file: self.path.clone(), offset, what, way_out: WayOut::Reopen }
    }

    /// Counts the sectors from `offset` to the file's end that are not zero.
    ///
    /// # Errors
    /// [`Error::Corrupt`] at the first one that has not `allowed` as its stamp.
    pub(crate) fn n_written(&self, offset: u64, allowed: Option<SectorStamp>) -> Result<u64> {
        let mut n_written = 0_u64;
        let mut at = offset;
        let room = usize::try_from(self.room_after(at)).unwrap_or(usize::MAX);
        let mut chunk = vec![0; room.min(CHUNK_BYTES)];
        while at < self.header.bytes {
            let len = usize::try_from(self.room_after(at)).unwrap_or(usize::MAX).min(CHUNK_BYTES);
            let chunk = chunk.get_mut(..len).unwrap_or_default();
            self.read(chunk, at)?;
            if !all_zero(chunk) {
                let n_stamped = self.n_stamped(chunk, at, allowed)?;
                n_written = n_written.saturating_add(n_stamped);
            }
            at = at.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
        }
        Ok(n_written)
    }

    fn n_stamped(&self, chunk: &[u8], offset: u64, allowed: Option<SectorStamp>) -> Result<u64> {
        let mut n_stamped = 0_u64;
        let mut at = offset;
        for sector in chunk.chunks(SECTOR_BYTES) {
            let kind = allowed.map(|stamp| SectorKind::of(sector, stamp));
            if kind == Some(SectorKind::Stamped) {
                n_stamped = n_stamped.saturating_add(1);
            } else if !all_zero(sector) {
                return Err(self.corrupt(at, "a sector after the end is not empty"));
            }
            at = at.saturating_add(u64::try_from(sector.len()).unwrap_or(u64::MAX));
        }
        Ok(n_stamped)
    }

    /// Gives the file up, to be used again under another name.
    pub(crate) fn into_disk_file(self) -> Box<dyn DiskFile> {
        self.file
    }
}

/// Compares with zeros: many times faster than byte by byte where nothing is optimized.
fn all_zero(bytes: &[u8]) -> bool {
    ZEROS.get(..bytes.len()) == Some(bytes)
}

/// Writes zeros over `from..to`, growing the file where needed.
pub(crate) fn zero(file: &dyn DiskFile, from: u64, to: u64) -> std::io::Result<()> {
    let mut at = from;
    while at < to {
        let left = usize::try_from(to.saturating_sub(at)).unwrap_or(usize::MAX);
        let zeros = ZEROS.get(..left.min(CHUNK_BYTES)).unwrap_or(&ZEROS);
        file.write_all_at(zeros, at)?;
        at = at.saturating_add(u64::try_from(zeros.len()).unwrap_or(u64::MAX));
    }
    Ok(())
}
