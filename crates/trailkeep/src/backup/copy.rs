//! Copies a live store.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use tokio::runtime::Handle;
use trailkeep_catalog::CatalogSnapshot;
use trailkeep_duplicates::RunMeta;
use trailkeep_event::Micros;
use trailkeep_ingest::Store;
use trailkeep_io::{Clock, Disk, OpenMode, RealDisk, durable};
use trailkeep_segment::{SegmentMeta, SegmentStore};

use super::manifest::{FileCopied, Manifest};
use crate::catalog_copy::CatalogCopy;
use crate::checksum::{self, CHUNK_BYTES, Checksum, Summing};
use crate::failure::{Exit, Failure};
use crate::local::{CATALOG, OBJECTS};

/// Copies everything that is acknowledged now into a folder that is absent or empty. Blocks. A
/// crash leaves a folder without a manifest, which is no backup.
pub(crate) fn back_up(
    store: &Store,
    runtime: &Handle,
    clock: &dyn Clock,
    directory: &Path,
) -> anyhow::Result<Manifest> {
    let disk = empty_folder(directory)?;
    // Until the copy is done no file that its catalog names goes away.
    let pin = store.pin();
    store.flush().context("could not seal the store")?;
    let created_at = Micros(clock.now_micros());
    runtime
        .block_on(store.catalog().backup_to(&directory.join(CATALOG)))
        .context("could not copy the catalog")?;
    let catalog = checksum::of_file(&disk, CATALOG).context("could not read the catalog's copy")?;
    // What the copy names: the live catalog may have moved on.
    let looked_at = CatalogCopy::open(runtime, &disk);
    let snapshot = looked_at.context("the catalog's copy is not readable")?.snapshot;
    let mut files = vec![FileCopied::new(CATALOG.to_owned(), catalog)];
    for (key, bytes) in objects(&snapshot, store.shelf().store())? {
        let checksum = copy_object(store.shelf().store(), &disk, (&key, bytes))
            .with_context(|| format!("could not copy object `{key}`"))?;
        files.push(FileCopied::new(format!("{OBJECTS}/{key}"), checksum));
    }
    disk.sync_dir("").context("could not sync the backup's folder")?;
    drop(pin);
    let rows = snapshot.segments.iter().map(|segment| segment.rows).fold(0, u64::saturating_add);
    let store_id = store.identity().store_id.clone();
    let manifest = Manifest::new(store_id, created_at.to_string(), &snapshot.cut, rows, files);
    manifest.save(&disk)?;
    Ok(manifest)
}

/// Opens a folder that holds nothing yet.
pub(crate) fn empty_folder(directory: &Path) -> anyhow::Result<RealDisk> {
    let disk = RealDisk::open(directory)
        .with_context(|| format!("could not make `{}`", directory.display()))?;
    let entries =
        disk.list("").with_context(|| format!("could not list `{}`", directory.display()))?;
    if entries.is_empty() {
        return Ok(disk);
    }
    let message = format!("`{}` is not empty", directory.display());
    Err(Failure::new(Exit::Failed, message).hint("name a folder that is absent or empty").into())
}

/// Returns the keys and lengths of the objects that a catalog names.
fn objects(
    snapshot: &CatalogSnapshot,
    store: &SegmentStore,
) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut keys = Vec::new();
    for record in &snapshot.segments {
        let meta = SegmentMeta::from_json(&record.meta)?;
        keys.extend(meta.keys().map(str::to_owned));
    }
    for record in &snapshot.runs {
        let meta: RunMeta = serde_json::from_str(&record.meta)
            .with_context(|| format!("the catalog's record of `{}` is not readable", record.id))?;
        keys.push(meta.key);
    }
    let mut objects = BTreeMap::new();
    for key in keys {
        let bytes = store.size(&key)?;
        objects.insert(key, bytes);
    }
    Ok(objects)
}

fn copy_object(
    store: &SegmentStore,
    disk: &RealDisk,
    (key, bytes): (&str, u64),
) -> anyhow::Result<Checksum> {
    let path = format!("{OBJECTS}/{key}");
    let folder = path.rsplit_once('/').map_or("", |(folder, _name)| folder);
    durable::create_dir_all(disk, folder)?;
    let file = disk.open(&path, OpenMode::CreateNew)?;
    let chunk_bytes = u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX);
    let mut sum = Summing::default();
    let mut at = 0_u64;
    while at < bytes {
        let end = at.saturating_add(chunk_bytes).min(bytes);
        let chunk = store.get_range(key, at..end)?;
        file.write_all_at(&chunk, at)?;
        sum.update(&chunk);
        at = end;
    }
    file.sync()?;
    disk.sync_dir(folder)?;
    Ok(sum.finish())
}
