//! What is known of a job between two runs.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use trailkeep_io::{RealDisk, durable};

use super::chunk::{Counts, LineAt};
use super::source::is_stdin;
use crate::checksum::Summing;
use crate::failure::{Exit, Failure};
use crate::output::counted;

const VERSION: u32 = 1;
/// How much of a file's beginning tells it from another.
const HEAD_BYTES: u64 = 64 * 1024;

/// What is known of a job between two runs.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    version: u32,
    pub(super) job: String,
    /// How records become events: another way would give other events.
    pub(super) mapping: String,
    pub(super) account: Option<String>,
    pub(super) files: Vec<FileSeen>,
    /// The last line of which it is known what became of it, and of all before it.
    pub(super) done: LineAt,
    pub(super) counts: Counts,
    pub(super) quarantine: PathBuf,
    pub(super) quarantine_bytes: u64,
    pub(super) finished: bool,
}

/// A file as it was when the job began.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileSeen {
    pub(super) path: PathBuf,
    bytes: u64,
    head_sha256: String,
}

impl FileSeen {
    /// Looks at a file.
    pub(super) fn look(path: &Path) -> anyhow::Result<Self> {
        if is_stdin(path) {
            return Ok(Self { path: path.to_owned(), bytes: 0, head_sha256: String::new() });
        }
        let looked = || -> io::Result<(u64, Vec<u8>)> {
            let file = File::open(path)?;
            let bytes = file.metadata()?.len();
            let mut head = Vec::new();
            file.take(HEAD_BYTES).read_to_end(&mut head)?;
            Ok((bytes, head))
        };
        let (bytes, head) = looked()
            .with_context(|| format!("could not read `{}`", path.display()))
            .context(Exit::NotFound)?;
        let mut sum = Summing::default();
        sum.update(&head);
        Ok(Self { path: path.to_owned(), bytes, head_sha256: sum.finish().sha256 })
    }
}

impl State {
    /// Describes a job of which nothing is done.
    pub(super) fn new(job: String, mapping: String, quarantine: PathBuf) -> Self {
        Self {
            version: VERSION,
            job,
            mapping,
            account: None,
            files: Vec::new(),
            done: LineAt::default(),
            counts: Counts::default(),
            quarantine,
            quarantine_bytes: 0,
            finished: false,
        }
    }

    /// Reads the state of a job.
    pub(super) fn load(path: &Path) -> anyhow::Result<Self> {
        let (disk, name) = place(path)?;
        let bytes = durable::read(&disk, &name)
            .with_context(|| format!("could not read the job's progress `{}`", path.display()))
            .context(Exit::NotFound)?;
        let state: Self = serde_json::from_slice(&bytes)
            .with_context(|| format!("`{}` is not a job's progress", path.display()))?;
        if state.version != VERSION {
            bail!("`{}` was written by another version", path.display());
        }
        Ok(state)
    }

    /// Saves the state, whole and durably. A crash before this leaves the state of the chunk
    /// before: those lines are sent again and are duplicates.
    pub(super) fn save(&self, path: &Path) -> anyhow::Result<()> {
        let (disk, name) = place(path)?;
        durable::write(&disk, &name, &serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("could not save the job's progress `{}`", path.display()))
    }

    /// Checks that the job is still the same one.
    pub(super) fn check_same(&self, now: &Self) -> anyhow::Result<()> {
        let differs = |what: String| {
            let message = format!("the job `{}` cannot be resumed: {what}", self.job);
            Err(Failure::new(Exit::Usage, message).into())
        };
        if self.mapping != now.mapping {
            return differs("its format or mapping is another one now".to_owned());
        }
        if self.account != now.account {
            return differs("its account is another one now".to_owned());
        }
        if self.files.len() != now.files.len() {
            let n_files = u64::try_from(self.files.len()).unwrap_or(u64::MAX);
            return differs(format!("it has {}", counted(n_files, "file", "files")));
        }
        for (then, now) in self.files.iter().zip(&now.files) {
            if is_stdin(&now.path) {
                return differs("standard input cannot be read again".to_owned());
            }
            if (then.bytes, &then.head_sha256) != (now.bytes, &now.head_sha256) {
                return differs(format!("`{}` has changed", now.path.display()));
            }
        }
        Ok(())
    }
}

/// Returns the disk of a file's folder, and its name there.
fn place(path: &Path) -> anyhow::Result<(RealDisk, String)> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let name = path.file_name().and_then(OsStr::to_str);
    let name = name.with_context(|| format!("`{}` is no file's name", path.display()))?;
    let disk = RealDisk::open(folder.unwrap_or(Path::new(".")))
        .with_context(|| format!("could not open the folder of `{}`", path.display()))?;
    Ok((disk, name.to_owned()))
}
