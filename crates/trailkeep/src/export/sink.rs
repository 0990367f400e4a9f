//! Where an export goes: a file that appears when it is whole, or stdout.

use std::io::{self, Stdout, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use trailkeep_io::{Disk, DiskFile, OpenMode, RealDisk, durable};

use crate::failure::{Exit, Failure};
use crate::output::Gone;

/// Where an export goes.
#[derive(Debug)]
pub(super) enum Sink {
    Stdout(Stdout),
    File(NewFile),
}

/// A file under construction, removed where it does not become whole. A crash leaves it under its
/// temporary name, which the next export to the same file replaces.
#[derive(Debug)]
pub(super) struct NewFile {
    path: PathBuf,
    disk: RealDisk,
    name: String,
    temporary: String,
    file: Box<dyn DiskFile>,
    bytes: u64,
    whole: bool,
}

/// Tells whether a path stands for stdout.
pub(super) fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Tells whether a path stands for a terminal.
pub(super) fn is_terminal(path: &Path) -> bool {
    is_stdout(path) && rustix::termios::isatty(io::stdout())
}

impl Sink {
    /// Opens a file that is not there yet, or stdout.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        if is_stdout(path) {
            return Ok(Self::Stdout(io::stdout()));
        }
        NewFile::create(path).map(Self::File)
    }

    /// Writes what comes next.
    pub(super) fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.write_all(bytes).map_err(gone),
            Self::File(file) => file.write(bytes),
        }
    }

    /// Shows the whole.
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush().map_err(gone),
            Self::File(file) => file.finish(),
        }
    }
}

fn gone(error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Gone.into();
    }
    anyhow::Error::from(error).context("could not write to stdout")
}

impl NewFile {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let unfit = |what: &str| {
            Failure::new(Exit::Usage, format!("could not write `{}`: {what}", path.display()))
        };
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| unfit("it is no name of a file"))?.to_owned();
        // A device or a pipe would be replaced by a file.
        if path.exists() && !path.is_file() {
            return Err(unfit("it exists and is no file").into());
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(unfit("its folder does not exist").into());
        }
        let temporary = format!("{name}{}", durable::TEMPORARY_SUFFIX);
        let created = || -> io::Result<(RealDisk, Box<dyn DiskFile>)> {
            let disk = RealDisk::open(folder)?;
            match disk.remove(&temporary) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _removed => {}
            }
            let file = disk.open(&temporary, OpenMode::CreateNew)?;
            Ok((disk, file))
        };
        let (disk, file) =
            created().with_context(|| format!("could not write `{}`", path.display()))?;
        Ok(Self { path: path.to_owned(), disk, name, temporary, file, bytes: 0, whole: false })
    }

    fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let written = self.file.write_all_at(bytes, self.bytes);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        written.with_context(|| format!("could not write `{}`", self.path.display()))
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        let finished = self
            .file
            .sync()
            .and_then(|()| durable::rename(&self.disk, &self.temporary, &self.name));
        finished.with_context(|| format!("could not write `{}`", self.path.display()))?;
        self.whole = true;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.whole
            && let Err(error) = self.disk.remove(&self.temporary)
        {
            tracing::warn!(error = %error, "could not remove an unfinished file");
        }
    }
}
