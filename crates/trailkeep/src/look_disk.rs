//! A disk to look at.

use std::io;

use trailkeep_io::DirEntry;
use trailkeep_io::{Disk, DiskFile, OpenMode, RealDisk, Space};

/// A disk that reads what is there, and takes changes without making them. Opening a journal
/// clears its unfinished end; through this disk nothing is cleared, and nothing that was cleared
/// is read again.
#[derive(Debug)]
pub(crate) struct LookDisk(RealDisk);

impl LookDisk {
    /// Looks at a disk.
    pub(crate) fn new(disk: RealDisk) -> Self {
        Self(disk)
    }
}

impl Disk for LookDisk {
    fn open(&self, path: &str, mode: OpenMode) -> io::Result<Box<dyn DiskFile>> {
        let file = match mode {
            OpenMode::Read | OpenMode::ReadWrite => Some(self.0.open(path, OpenMode::Read)?),
            OpenMode::CreateNew => None,
        };
        Ok(Box::new(LookFile(file)))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<DirEntry>> {
        self.0.list(folder)
    }

    fn create_dir_all(&self, _folder: &str) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, _from: &str, _to: &str) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, _path: &str) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, _folder: &str) -> io::Result<()> {
        Ok(())
    }

    fn space(&self) -> io::Result<Space> {
        self.0.space()
    }
}

/// A file to look at; one that would have been made is empty.
#[derive(Debug)]
struct LookFile(Option<Box<dyn DiskFile>>);

impl DiskFile for LookFile {
    fn len(&self) -> io::Result<u64> {
        self.0.as_ref().map_or(Ok(0), |file| file.len())
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        match &self.0 {
            Some(file) => file.read_exact_at(buffer, offset),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn write_all_at(&self, _bytes: &[u8], _offset: u64) -> io::Result<()> {
        Ok(())
    }

    fn set_len(&self, _bytes: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
