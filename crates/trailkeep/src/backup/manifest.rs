//! What a backup holds.

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use trailkeep_event::{Cut, PARTITIONS};
use trailkeep_io::{Disk, durable};

use crate::checksum::Checksum;
use crate::failure::{Exit, Failure};

/// The manifest's file. It is written last: a backup without it is not whole.
const MANIFEST: &str = "manifest.json";
const FORMAT: u32 = 1;

/// What a backup holds.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    format: u32,
    pub(crate) store_id: String,
    pub(crate) created_at: String,
    /// For each partition the first frame that is not in the backup.
    cut: [u64; PARTITIONS],
    pub(crate) rows: u64,
    pub(crate) files: Vec<FileCopied>,
}

/// One file of a backup.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileCopied {
    /// Below the backup's folder, as below the data directory.
    pub(crate) path: String,
    bytes: u64,
    sha256: String,
}

/// A backup in a few words.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Summary {
    pub(crate) store_id: String,
    pub(crate) created_at: String,
    pub(crate) rows: u64,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

impl FileCopied {
    /// Describes a file that was copied.
    pub(crate) fn new(path: String, checksum: Checksum) -> Self {
        Self { path, bytes: checksum.bytes, sha256: checksum.sha256 }
    }

    /// Checks that a file still is what was copied.
    pub(crate) fn check(&self, checksum: &Checksum) -> anyhow::Result<()> {
        if checksum.bytes == self.bytes && checksum.sha256 == self.sha256 {
            return Ok(());
        }
        let message = format!("`{}` of the backup is not what was copied", self.path);
        Err(Failure::new(Exit::Tampered, message).into())
    }
}

impl Manifest {
    /// Describes a backup.
    pub(crate) fn new(
        store_id: String,
        created_at: String,
        cut: &Cut,
        rows: u64,
        files: Vec<FileCopied>,
    ) -> Self {
        Self { format: FORMAT, store_id, created_at, cut: cut.0, rows, files }
    }

    /// Returns where the backup ends in the journal.
    pub(crate) fn cut(&self) -> Cut {
        Cut(self.cut)
    }

    /// Returns the manifest in a few words.
    pub(crate) fn summary(&self) -> Summary {
        Summary {
            store_id: self.store_id.clone(),
            created_at: self.created_at.clone(),
            rows: self.rows,
            files: u64::try_from(self.files.len()).unwrap_or(u64::MAX),
            bytes: self.files.iter().map(|file| file.bytes).fold(0, u64::saturating_add),
        }
    }

    /// Writes the manifest, durably.
    pub(crate) fn save(&self, disk: &dyn Disk) -> anyhow::Result<()> {
        durable::write(disk, MANIFEST, &serde_json::to_vec_pretty(self)?)
            .context("could not write the backup's manifest")
    }

    /// Reads the manifest of a backup.
    pub(crate) fn load(disk: &dyn Disk) -> anyhow::Result<Self> {
        let bytes = match durable::read(disk, MANIFEST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let message = "the folder holds no whole backup: there is no manifest.json";
                return Err(Failure::new(Exit::NotFound, message).into());
            }
            Err(error) => return Err(error).context("could not read the backup's manifest"),
        };
        let manifest: Self = serde_json::from_slice(&bytes)
            .context("the backup's manifest is not readable")
            .context(Exit::Tampered)?;
        if manifest.format != FORMAT {
            bail!("the backup has format {}, which this program does not read", manifest.format);
        }
        Ok(manifest)
    }
}
