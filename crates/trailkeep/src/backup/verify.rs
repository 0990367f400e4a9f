//! Checks a backup: every byte, and that every entry can be read.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use trailkeep_event::IdKey;
use trailkeep_io::{Disk, DiskStore, RealDisk};

use super::manifest::Manifest;
use crate::catalog_copy::CatalogCopy;
use crate::checksum;
use crate::doctor::{damaged_runs, damaged_segments};
use crate::failure::{Exit, Failure};
use crate::local::{Machine, OBJECTS};
use crate::output::counted;

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
    let machine = Machine::start()?;
    let runtime = machine.runtime.handle();
    let copy = CatalogCopy::open(runtime, &disk).context("the catalog's copy is not readable")?;
    let key = IdKey::new(copy.identity(runtime)?.id_key);
    let disk: Arc<dyn Disk> = Arc::new(disk);
    let objects = Arc::new(DiskStore::new(disk, OBJECTS));
    let mut rows = 0_u64;
    let (segments, runs) = (&copy.snapshot.segments, &copy.snapshot.runs);
    let mut damage = damaged_segments(&key, (segments, Arc::clone(&objects)), &mut rows);
    damage.extend(damaged_runs(runs, &objects));
    if let Some(damage) = damage.first() {
        return Err(Failure::new(Exit::Tampered, damage.clone()).into());
    }
    if rows != manifest.rows {
        let found = counted(rows, "entry", "entries");
        let message = format!("the backup has {found}, its manifest says {}", manifest.rows);
        return Err(Failure::new(Exit::Tampered, message).into());
    }
    Ok(manifest)
}
