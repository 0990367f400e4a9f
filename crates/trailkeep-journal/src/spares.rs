//! Files prepared ahead, so that a write never waits for a file to grow.

use std::io;

use trailkeep_io::DiskFile;

use crate::file::{JournalFile, zero};
use crate::folder::Folder;
use crate::header::FileHeader;
use crate::{Error, Result};

/// How many files are kept for reuse.
const SPARES_MAX: usize = 2;
const NAME_START: &str = "spare-";

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

/// The spare files.
#[derive(Debug)]
pub(crate) struct Spares {
    folder: Folder,
    file_bytes: u64,
    files: Vec<Spare>,
    n_named: u64,
    pub(crate) n_fsyncs: u64,
}

impl Spares {
    /// Starts without any. Those of an earlier run are removed: what they hold is not known.
    pub(crate) fn new(folder: &Folder, file_bytes: u64) -> Result<Self> {
        for entry in folder.list()? {
            if entry.name.starts_with(NAME_START) {
                folder.remove(&entry.name)?;
            }
        }
        let folder = folder.clone();
        Ok(Self { folder, file_bytes, files: Vec::new(), n_named: 0, n_fsyncs: 0 })
    }

    /// Fills every spare file with zeros, and makes one where there is none.
    ///
    /// # Errors
    /// [`Error::NoSpace`] leaves things as they were.
    pub(crate) fn prepare(&mut self) -> Result<()> {
        if self.files.is_empty() {
            let name = self.new_name();
            let file = self.folder.create_file(&name)?;
            self.files.push(Spare { name, file, state: SpareState::Used });
        }
        let used = |spare: &Spare| spare.state == SpareState::Used;
        while let Some(at) = self.files.iter().position(used) {
            let spare = self.files.swap_remove(at);
            self.zero(&spare)?;
            self.files.push(Spare { state: SpareState::Zeroed, ..spare });
        }
        Ok(())
    }

    /// Begins a journal file: it gets its name when its header is durable.
    pub(crate) fn begin(&mut self, header: FileHeader) -> Result<JournalFile> {
        if !self.files.iter().any(|spare| spare.state == SpareState::Zeroed) {
            self.prepare()?;
        }
        let zeroed = self.files.iter().position(|spare| spare.state == SpareState::Zeroed);
        let at = zeroed.ok_or(Error::Stopped)?;
        let Spare { name, file, .. } = self.files.swap_remove(at);
        let path = self.folder.path_of(&name);
        file.write_all_at(&header.encode(), 0).map_err(Error::io("write", &path))?;
        file.sync().map_err(Error::io("sync", &path))?;
        self.n_fsyncs = self.n_fsyncs.saturating_add(1);
        // A crash before this line leaves a spare file, which recovery removes; a crash after it
        // leaves an empty journal file that follows the one before.
        let file = JournalFile::new(&self.folder, header, file);
        self.folder.rename(&name, file.name())?;
        Ok(file)
    }

    /// Takes a released file, to be zeroed by the next [`Spares::prepare`].
    pub(crate) fn recycle(&mut self, file: JournalFile) -> Result<()> {
        if self.files.len() >= SPARES_MAX || file.header.bytes != self.file_bytes {
            return self.remove(file.name());
        }
        let name = self.new_name();
        // Durable before the first zero is written: a journal file is never half zero.
        self.folder.rename(file.name(), &name)?;
        self.files.push(Spare { name, file: file.into_disk_file(), state: SpareState::Used });
        Ok(())
    }

    /// Removes a released file.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        self.folder.remove(name)?;
        self.folder.sync()
    }

    fn zero(&mut self, spare: &Spare) -> Result<()> {
        let path = self.folder.path_of(&spare.name);
        let zeroed = zero(spare.file.as_ref(), 0, self.file_bytes).and_then(|()| spare.file.sync());
        match zeroed {
            Ok(()) => {
                self.n_fsyncs = self.n_fsyncs.saturating_add(1);
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

    fn new_name(&mut self) -> String {
        let name = format!("{NAME_START}{}", self.n_named);
        self.n_named = self.n_named.saturating_add(1);
        name
    }
}
