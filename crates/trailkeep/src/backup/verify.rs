//! Checks a backup: every byte, and that every entry can be read.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use trailkeep_catalog::{Catalog, SqliteCatalog};
use trailkeep_io::{Disk, DiskStore, RealDisk, durable};

use super::manifest::Manifest;
use crate::checksum;
use crate::doctor::{damaged_runs, damaged_segments};
use crate::failure::{Exit, Failure};
use crate::local::{CATALOG, Machine, OBJECTS};

/// Checks every byte of a backup against its manifest.
pub(crate) fn verify_files(directory: &Path) -> anyhow::Result<(RealDisk, Manifest)> {
    if !directory.is_dir() {
        let message = format!("there is no folder `{}`", directory.display());
        return Err(Failure::new(Exit::NotFound, message).into());
    }
    let disk = RealDisk::open(directory)
        .with_context(|| format!("could not open `{}`", directory.display()))?;
    let manifest = Manifest::load(&disk)?;
    for file in &manifest.files {
        let checksum = checksum::of_file(&disk, &file.path)
            .with_context(|| format!("could not read `{}` of the backup", file.path))
            .context(Exit::Tampered)?;
        file.check(&checksum)?;
    }
    Ok((disk, manifest))
}

/// The drill: checks every byte, then reads every entry from the copy.
pub(super) fn verify(directory: &Path) -> anyhow::Result<Manifest> {
    let (disk, manifest) = verify_files(directory)?;
    // The database writes beside its file even where it only reads: it gets a copy elsewhere.
    let scratch = Scratch::new()?;
    let catalog = durable::read(&disk, CATALOG).context("could not read the catalog's copy")?;
    let folder = RealDisk::open(&scratch.0).context("could not open a temporary folder")?;
    durable::write(&folder, CATALOG, &catalog).context("could not copy the catalog")?;
    let machine = Machine::start()?;
    let path = scratch.0.join(CATALOG);
    let opened = SqliteCatalog::open(&path);
    let catalog = machine.runtime.block_on(opened).context("the catalog's copy is not readable")?;
    let disk: Arc<dyn Disk> = Arc::new(disk);
    let objects = Arc::new(DiskStore::new(disk, OBJECTS));
    let snapshot = machine.runtime.block_on(async {
        catalog.check().await?;
        catalog.snapshot().await
    })?;
    let mut rows = 0_u64;
    let (segments, runs) = (&snapshot.segments, &snapshot.runs);
    let mut damage =
        damaged_segments(&machine, &catalog, (segments, Arc::clone(&objects)), &mut rows);
    damage.extend(damaged_runs(runs, &objects));
    if let Some(damage) = damage.first() {
        return Err(Failure::new(Exit::Tampered, damage.clone()).into());
    }
    if rows != manifest.rows {
        let message = format!("the backup has {rows} entries, its manifest says {}", manifest.rows);
        return Err(Failure::new(Exit::Tampered, message).into());
    }
    Ok(manifest)
}

/// A temporary folder, removed at the end.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> anyhow::Result<Self> {
        let name = format!("trailkeep-verify-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)
            .with_context(|| format!("could not make `{}`", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(error = %error, "could not remove a temporary folder");
        }
    }
}
