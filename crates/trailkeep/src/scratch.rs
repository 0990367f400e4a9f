//! A temporary folder.

use std::path::{Path, PathBuf};

use anyhow::Context;
use trailkeep_io::{Entropy, SystemEntropy};

/// A temporary folder, removed at the end. A crash leaves it, readable for this user alone.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes a folder of a name that nobody can guess.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let mut number = [0; 8];
        SystemEntropy.fill(&mut number);
        let name = format!("trailkeep-{:016x}", u64::from_be_bytes(number));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)
            .with_context(|| format!("could not make `{}`", path.display()))?;
        Ok(Self(path))
    }

    /// Returns where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(error = %error, "could not remove a temporary folder");
        }
    }
}
