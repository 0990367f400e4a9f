//! What every measurement takes.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use trailkeep_io::{Clock, SystemClock};

use crate::options::Options;
use crate::report::Report;

/// What every measurement takes: arguments, time, places and where figures go.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) options: Options,
    pub(crate) clock: SystemClock,
    /// Where files are made.
    pub(crate) dir: PathBuf,
    pub(crate) report: Report,
    root: PathBuf,
}

impl Bench {
    pub(crate) fn new(options: Options) -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .context("could not find the repository's root")?
            .to_path_buf();
        let dir = options.dir.clone().unwrap_or_else(|| root.join("target/bench"));
        fs::create_dir_all(&dir).with_context(|| format!("could not make {}", dir.display()))?;
        Ok(Self { options, clock: SystemClock::new(), dir, report: Report::default(), root })
    }

    /// Returns one of the scripts that generate the workload and load the peers. They lie beside
    /// the repository and may be absent.
    pub(crate) fn yardstick(&self, script: &str) -> Option<PathBuf> {
        let path = self.root.parent()?.join("shared/bench").join(script);
        path.is_file().then_some(path)
    }

    /// Returns the path of a folder that does not exist.
    pub(crate) fn fresh(&self, name: &str) -> Result<PathBuf> {
        let path = self.dir.join(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("could not remove {}", path.display()))
            }
            _ => Ok(path),
        }
    }

    /// Does a thing and returns what came of it and how long it took.
    pub(crate) fn timed<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
        let begun = self.clock.monotonic();
        let done = work()?;
        Ok((done, self.clock.monotonic().saturating_sub(begun)))
    }
}
