//! The files behind the objects.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use object_store::PutPayload;
use parking_lot::Mutex;

use super::READ_CHUNK_BYTES;
use crate::{
    Disk, DiskFile, OpenMode, disk_path,
    durable::{self, TEMPORARY_SUFFIX},
    size::u64_of,
};

/// How many objects one listing may have.
const LIST_OBJECTS_MAX: usize = 1 << 20;

/// What happens where the name is taken.
#[derive(Clone, Copy, Debug)]
pub(super) enum Placement {
    Replace,
    CreateOnly,
}

/// What a folder of the store holds.
#[derive(Debug)]
pub(super) enum Stored {
    Folder { key: String },
    Object { key: String, bytes: u64 },
}

#[derive(Debug)]
pub(super) struct Files {
    disk: Arc<dyn Disk>,
    folder: String,
    /// Held from the look whether a name is free until it is taken.
    placing: Mutex<()>,
    n_temporaries: AtomicU64,
    /// Folders whose own names are known to be durable.
    durable_folders: Mutex<BTreeSet<String>>,
}

impl Files {
    pub(super) fn new(disk: Arc<dyn Disk>, folder: &str) -> Self {
        Self {
            disk,
            folder: folder.to_owned(),
            placing: Mutex::new(()),
            n_temporaries: AtomicU64::new(0),
            durable_folders: Mutex::default(),
        }
    }

    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    pub(super) fn open(&self, key: &str) -> io::Result<(Box<dyn DiskFile>, u64)> {
        let file = self.disk.open(&self.path(key)?, OpenMode::Read)?;
        let bytes = file.len()?;
        Ok((file, bytes))
    }

    pub(super) fn remove(&self, key: &str) -> io::Result<()> {
        durable::remove(&*self.disk, &self.path(key)?)
    }

    pub(super) fn create_temporary(self: &Arc<Self>, key: &str) -> io::Result<Temporary> {
        let number = self.n_temporaries.fetch_add(1, Ordering::Relaxed);
        let path = format!("{}.{number}{TEMPORARY_SUFFIX}", self.path(key)?);
        self.make_folder_of(&path)?;
        let file = durable::create(&*self.disk, &path)?;
        Ok(Temporary { files: Arc::clone(self), path, file, placed: false })
    }

    pub(super) fn copy(
        self: &Arc<Self>,
        from: &str,
        to: &str,
        placement: Placement,
    ) -> io::Result<()> {
        let (source, n_bytes) = self.open(from)?;
        let temporary = self.create_temporary(to)?;
        let mut at = 0;
        while at < n_bytes {
            let end = at.saturating_add(READ_CHUNK_BYTES).min(n_bytes);
            temporary.file.write_all_at(&read_range(&*source, at..end)?, at)?;
            at = end;
        }
        temporary.place(to, placement)
    }

    pub(super) fn rename(&self, from: &str, to: &str, placement: Placement) -> io::Result<()> {
        let (from, to) = (self.path(from)?, self.path(to)?);
        self.make_folder_of(&to)?;
        self.take_name(&from, &to, placement)
    }

    /// Lists the objects at and below a folder, by key.
    pub(super) fn list_all(&self, prefix: &str) -> io::Result<Vec<(String, u64)>> {
        let mut objects = Vec::new();
        let mut waiting = vec![prefix.to_owned()];
        while let Some(folder) = waiting.pop() {
            for entry in self.list_level(&folder)? {
                match entry {
                    Stored::Folder { key } => waiting.push(key),
                    Stored::Object { key, bytes } => objects.push((key, bytes)),
                }
            }
            if objects.len() > LIST_OBJECTS_MAX {
                return Err(io::Error::other(format!("more than {LIST_OBJECTS_MAX} objects")));
            }
        }
        objects.sort_unstable();
        Ok(objects)
    }

    /// Lists one folder; one that does not exist is empty.
    pub(super) fn list_level(&self, prefix: &str) -> io::Result<Vec<Stored>> {
        let mut stored = Vec::new();
        for entry in self.entries(prefix)? {
            let key = disk_path::join(prefix, &entry.name);
            if entry.folder {
                stored.push(Stored::Folder { key });
            } else if !entry.name.ends_with(TEMPORARY_SUFFIX) {
                stored.push(Stored::Object { key, bytes: entry.bytes });
            }
        }
        Ok(stored)
    }

    pub(super) fn remove_leftovers(&self) -> io::Result<u64> {
        let mut n_removed: u64 = 0;
        let mut waiting = vec![String::new()];
        while let Some(prefix) = waiting.pop() {
            for entry in self.entries(&prefix)? {
                let key = disk_path::join(&prefix, &entry.name);
                if entry.folder {
                    waiting.push(key);
                } else if entry.name.ends_with(TEMPORARY_SUFFIX) {
                    // A crash may bring it back: the next run removes it then.
                    self.disk.remove(&disk_path::join(&self.folder, &key))?;
                    n_removed = n_removed.saturating_add(1);
                }
            }
        }
        Ok(n_removed)
    }

    fn entries(&self, prefix: &str) -> io::Result<Vec<crate::DirEntry>> {
        let folder = match prefix {
            "" => self.folder.clone(),
            prefix => disk_path::join(&self.folder, prefix),
        };
        match self.disk.list(&folder) {
            Err(error) if is_absence(&error) => Ok(Vec::new()),
            listed => listed,
        }
    }

    /// Makes a file's folder. One that is there may be what a killed process made and never
    /// synced, so it is synced too, once.
    fn make_folder_of(&self, path: &str) -> io::Result<()> {
        let (folder, _) = disk_path::split(path);
        let mut durable_folders = self.durable_folders.lock();
        if !durable_folders.contains(folder) {
            durable::create_dir_all(&*self.disk, folder)?;
            durable_folders.insert(folder.to_owned());
        }
        Ok(())
    }

    fn take_name(&self, from: &str, to: &str, placement: Placement) -> io::Result<()> {
        let placing = self.placing.lock();
        match placement {
            Placement::CreateOnly if self.exists(to)? => {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            Placement::CreateOnly | Placement::Replace => durable::rename(&*self.disk, from, to)?,
        }
        drop(placing);
        Ok(())
    }

    fn exists(&self, path: &str) -> io::Result<bool> {
        match self.disk.open(path, OpenMode::Read) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn path(&self, key: &str) -> io::Result<String> {
        if key.ends_with(TEMPORARY_SUFFIX) {
            let message = format!("a key must not end in `{TEMPORARY_SUFFIX}`: {key:?}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok(disk_path::join(&self.folder, key))
    }
}

/// An object that is not finished; its file goes away unless it is placed.
#[derive(Debug)]
pub(super) struct Temporary {
    files: Arc<Files>,
    path: String,
    file: Box<dyn DiskFile>,
    placed: bool,
}

/// How much of an object is written between two fsyncs.
const STEP_BYTES: usize = 1024 * 1024;

impl Temporary {
    /// Writes a payload at an offset and returns where it ends.
    pub(super) fn write(&self, payload: &PutPayload, offset: u64) -> io::Result<u64> {
        let mut at = offset;
        for step in payload.iter().flat_map(|chunk| chunk.chunks(STEP_BYTES)) {
            self.file.write_all_at(step, at)?;
            at = at.saturating_add(u64_of(step.len()));
            // A disk that is given a whole object at once makes other files' fsyncs wait for it.
            if step.len() == STEP_BYTES {
                self.file.sync()?;
            }
        }
        Ok(at)
    }

    /// Makes the object whole, durable and visible.
    pub(super) fn place(mut self, key: &str, placement: Placement) -> io::Result<()> {
        self.file.sync()?;
        let path = self.files.path(key)?;
        self.files.take_name(&self.path, &path, placement)?;
        self.placed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.placed {
            return;
        }
        if let Err(error) = self.files.disk.remove(&self.path) {
            tracing::warn!(path = self.path, %error, "could not remove an unfinished object");
        }
    }
}

pub(super) fn read_range(file: &dyn DiskFile, range: Range<u64>) -> io::Result<Bytes> {
    let n_bytes = range.end.saturating_sub(range.start);
    let mut bytes = vec![0; usize::try_from(n_bytes).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes.into())
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
