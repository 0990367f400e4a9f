//! The folder that holds the journal's files.

use std::io;
use std::sync::Arc;

use trailkeep_io::{DirEntry, Disk, DiskFile, OpenMode, durable};

use crate::{Error, Result};

/// A folder of a disk; its errors name the file.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    disk: Arc<dyn Disk>,
    path: String,
}

impl Folder {
    pub(crate) fn new(disk: Arc<dyn Disk>, path: &str) -> Self {
        Self { disk, path: path.to_owned() }
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        self.disk.as_ref()
    }

    /// Makes the folder where there is none, durably.
    pub(crate) fn create(&self) -> Result<()> {
        durable::create_dir_all(self.disk(), &self.path).map_err(Error::io("create", &self.path))
    }

    /// Returns the path of a file on the disk.
    pub(crate) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }

    /// Lists the files.
    pub(crate) fn list(&self) -> Result<Vec<DirEntry>> {
        let entries = self.disk.list(&self.path).map_err(Error::io("list", &self.path))?;
        Ok(entries.into_iter().filter(|entry| !entry.folder).collect())
    }

    pub(crate) fn open(&self, name: &str) -> Result<Box<dyn DiskFile>> {
        let path = self.path_of(name);
        self.disk.open(&path, OpenMode::ReadWrite).map_err(Error::io("open", &path))
    }

    pub(crate) fn create_file(&self, name: &str) -> Result<Box<dyn DiskFile>> {
        let path = self.path_of(name);
        self.disk.open(&path, OpenMode::CreateNew).map_err(|source| match source.kind() {
            io::ErrorKind::StorageFull => Error::NoSpace { file: path, source },
            _ => Error::Io { doing: "create", file: path, source },
        })
    }

    /// Renames a file, durably.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<()> {
        let (from, to) = (self.path_of(from), self.path_of(to));
        durable::rename(self.disk(), &from, &to).map_err(Error::io("rename", &from))
    }

    /// Removes a file; it is gone for good after [`Folder::sync`].
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        let path = self.path_of(name);
        self.disk.remove(&path).map_err(Error::io("remove", &path))
    }

    /// Makes the names durable.
    pub(crate) fn sync(&self) -> Result<()> {
        self.disk.sync_dir(&self.path).map_err(Error::io("sync the names of", &self.path))
    }
}
