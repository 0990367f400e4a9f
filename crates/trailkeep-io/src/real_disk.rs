//! A disk of the operating system.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::{DirEntry, Disk, DiskFile, OpenMode, Space, disk_path};

/// The name of the file in the root that a process locks.
const LOCK_NAME: &str = "LOCK";

/// The tree of files below one folder of the operating system.
///
/// Calls block; a caller inside an async runtime leaves it first.
#[derive(Clone, Debug)]
pub struct RealDisk {
    root: PathBuf,
}

impl RealDisk {
    /// Opens the disk below `root`, making that folder, durably, if there is none.
    pub fn open(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        let missing: Vec<&Path> = root.ancestors().take_while(|folder| !folder.exists()).collect();
        fs::create_dir_all(&root)?;
        for folder in missing.iter().filter_map(|folder| folder.parent()) {
            let here = folder.as_os_str().is_empty();
            File::open(if here { Path::new(".") } else { folder })?.sync_all()?;
        }
        Ok(Self { root })
    }

    /// Locks the disk against other processes, by the file `LOCK` in its root.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another holder has it.
    pub fn lock(&self) -> io::Result<DirLock> {
        let path = self.root.join(LOCK_NAME);
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        file.try_lock()?;
        Ok(DirLock { _file: file })
    }

    fn file(&self, path: &str) -> io::Result<PathBuf> {
        disk_path::check_file(path)?;
        Ok(self.root.join(path))
    }

    fn folder(&self, path: &str) -> io::Result<PathBuf> {
        disk_path::check_folder(path)?;
        Ok(self.root.join(path))
    }
}

impl Disk for RealDisk {
    fn open(&self, path: &str, mode: OpenMode) -> io::Result<Box<dyn DiskFile>> {
        let path = self.file(path)?;
        let mut options = OpenOptions::new();
        match mode {
            OpenMode::Read => options.read(true),
            OpenMode::ReadWrite => options.read(true).write(true),
            OpenMode::CreateNew => options.read(true).write(true).create_new(true),
        };
        let file = options.open(path)?;
        // The operating system opens a folder for reading and fails only at the first read.
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Box::new(RealFile { file }))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.folder(folder)?)? {
            let entry = entry?;
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                // It was removed since its name was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let name = entry.file_name().into_string().map_err(|name| {
                let message = format!("a file name that is not UTF-8: {}", name.display());
                io::Error::new(io::ErrorKind::InvalidData, message)
            })?;
            let folder = metadata.is_dir();
            entries.push(DirEntry { name, bytes: if folder { 0 } else { metadata.len() }, folder });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn create_dir_all(&self, folder: &str) -> io::Result<()> {
        fs::create_dir_all(self.folder(folder)?)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the rename that `durable` syncs")]
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.file(from)?, self.file(to)?)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.file(path)?)
    }

    fn sync_dir(&self, folder: &str) -> io::Result<()> {
        File::open(self.folder(folder)?)?.sync_all()
    }

    fn space(&self) -> io::Result<Space> {
        let status = rustix::fs::statvfs(&self.root)?;
        Ok(Space {
            free_bytes: status.f_bavail.saturating_mul(status.f_frsize),
            total_bytes: status.f_blocks.saturating_mul(status.f_frsize),
        })
    }
}

/// Holds a disk for this process; dropping it lets go.
#[derive(Debug)]
pub struct DirLock {
    _file: File,
}

#[derive(Debug)]
struct RealFile {
    file: File,
}

impl DiskFile for RealFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        // fdatasync: it covers the length, which is needed to read the bytes back.
        self.file.sync_data()
    }
}
