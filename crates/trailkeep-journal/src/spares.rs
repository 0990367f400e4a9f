//! Files prepared ahead, so that a write never waits for a file to grow.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use trailkeep_io::DiskFile;

use crate::file::{JournalFile, zero};
use crate::folder::Folder;
use crate::header::FileHeader;
use crate::{Error, Result};

/// How many files are kept ready, or kept to be used again.
const SPARES_MAX: usize = 4;
const NAME_START: &str = "spare-";
/// How much is written between two fsyncs while a file is prepared.
const STEP_BYTES: u64 = 1024 * 1024;

/// A file without a header, under a name that recovery removes.
#[derive(Debug)]
struct Spare {
    name: String,
    file: Box<dyn DiskFile>,
    state: SpareState,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum SpareState {
    /// It holds what a released file held, or nothing.
    Used,
    /// Every byte is zero, durably.
    Zeroed,
}

/// The spare files. Clones share them: the writer takes them, another thread prepares them.
#[derive(Clone, Debug)]
pub(crate) struct Spares {
    folder: Folder,
    file_bytes: u64,
    /// Never held while a file is written.
    shelf: Arc<Mutex<Shelf>>,
}

#[derive(Debug, Default)]
struct Shelf {
    files: Vec<Spare>,
    n_named: u64,
    n_fsyncs: u64,
}

impl Shelf {
    fn new_name(&mut self) -> String {
        let name = format!("{NAME_START}{}", self.n_named);
        self.n_named = self.n_named.saturating_add(1);
        name
    }

    fn take(&mut self, state: SpareState) -> Option<Spare> {
        let at = self.files.iter().position(|spare| spare.state == state)?;
        Some(self.files.swap_remove(at))
    }
}

impl Spares {
    /// Starts without any. Those of an earlier run are removed: what they hold is not known.
    pub(crate) fn new(folder: &Folder, file_bytes: u64) -> Result<Self> {
        for entry in folder.list()? {
            if entry.name.starts_with(NAME_START) {
                folder.remove(&entry.name)?;
            }
        }
        Ok(Self { folder: folder.clone(), file_bytes, shelf: Arc::default() })
    }

    /// Returns how many fsyncs preparing and beginning files took.
    pub(crate) fn n_fsyncs(&self) -> u64 {
        self.shelf.lock().n_fsyncs
    }

    /// Has [`SPARES_MAX`] files of zeros ready: used ones are filled, missing ones made.
    ///
    /// # Errors
    /// [`Error::NoSpace`] leaves things as they were.
    pub(crate) fn prepare(&self) -> Result<()> {
        loop {
            let (used, n_spares) = {
                let mut shelf = self.shelf.lock();
                (shelf.take(SpareState::Used), shelf.files.len())
            };
            let spare = match used {
                Some(spare) => spare,
                None if n_spares < SPARES_MAX => self.create()?,
                None => return Ok(()),
            };
            self.zero(&spare)?;
            self.shelf.lock().files.push(Spare { state: SpareState::Zeroed, ..spare });
        }
    }

    /// Removes all spare files. A crash that brings one back leaves it to the next opening.
    pub(crate) fn discard(&self) -> Result<()> {
        let files = std::mem::take(&mut self.shelf.lock().files);
        files.iter().try_for_each(|spare| self.folder.remove(&spare.name))
    }

    fn create(&self) -> Result<Spare> {
        let name = self.shelf.lock().new_name();
        let file = self.folder.create_file(&name)?;
        Ok(Spare { name, file, state: SpareState::Used })
    }

    /// Takes a file of zeros; makes one where none is ready, also while another thread is at it.
    fn take_zeroed(&self) -> Result<Spare> {
        let ready = self.shelf.lock().take(SpareState::Zeroed);
        if let Some(spare) = ready {
            return Ok(spare);
        }
        let used = self.shelf.lock().take(SpareState::Used);
        let spare = match used {
            Some(spare) => spare,
            None => self.create()?,
        };
        self.zero(&spare)?;
        Ok(spare)
    }

    /// Begins a journal file: it gets its name when its header is durable.
    pub(crate) fn begin(&self, header: FileHeader) -> Result<JournalFile> {
        let Spare { name, file, .. } = self.take_zeroed()?;
        let path = self.folder.path_of(&name);
        file.write_all_at(&header.encode(), 0).map_err(Error::io("write", &path))?;
        file.sync().map_err(Error::io("sync", &path))?;
        self.count_fsync();
        // A crash before this line leaves a spare file, which recovery removes; a crash after it
        // leaves an empty journal file that follows the one before.
        let file = JournalFile::new(&self.folder, header, file);
        self.folder.rename(&name, file.name())?;
        Ok(file)
    }

    /// Takes a released file, to be zeroed by the next [`Spares::prepare`].
    pub(crate) fn recycle(&self, file: JournalFile) -> Result<()> {
        if self.shelf.lock().files.len() >= SPARES_MAX || file.header.bytes != self.file_bytes {
            return self.remove(file.name());
        }
        let name = self.shelf.lock().new_name();
        // Durable before the first zero is written: a journal file is never half zero.
        self.folder.rename(file.name(), &name)?;
        let spare = Spare { name, file: file.into_disk_file(), state: SpareState::Used };
        self.shelf.lock().files.push(spare);
        Ok(())
    }

    /// Removes a released file.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        self.folder.remove(name)?;
        self.folder.sync()
    }

    fn zero(&self, spare: &Spare) -> Result<()> {
        let path = self.folder.path_of(&spare.name);
        match zero_gently(spare.file.as_ref(), self.file_bytes) {
            Ok(()) => {
                self.count_fsync();
                Ok(())
            }
            Err(source) if source.kind() == io::ErrorKind::StorageFull => {
                // Half a spare file would keep the room from those who could use it.
                self.folder.remove(&spare.name)?;
                Err(Error::NoSpace { file: path, source })
            }
            Err(source) => Err(Error::Io { doing: "clear", file: path, source }),
        }
    }

    fn count_fsync(&self) {
        let mut shelf = self.shelf.lock();
        shelf.n_fsyncs = shelf.n_fsyncs.saturating_add(1);
    }
}

/// Fills a file with zeros, a little at a time: a disk that is given much at once makes the
/// writer's small fsyncs wait for all of it.
fn zero_gently(file: &dyn DiskFile, bytes: u64) -> io::Result<()> {
    let mut at = 0;
    while at < bytes {
        let end = at.saturating_add(STEP_BYTES).min(bytes);
        zero(file, at, end)?;
        file.sync()?;
        at = end;
    }
    Ok(())
}
