//! A catalog to look at: a copy, because the database writes beside its file even where it only
//! reads.

use std::path::Path;

use anyhow::Context;
use tokio::runtime::Handle;
use trailkeep_catalog::{Catalog, CatalogSnapshot, SqliteCatalog, StoreIdentity};
use trailkeep_event::Micros;
use trailkeep_io::{Disk, RealDisk};

use crate::checksum;
use crate::local::CATALOG;
use crate::scratch::Scratch;

/// The files of a catalog begin so.
const CATALOG_FILES: &str = "catalog.";
/// What the database keeps beside its file for its own processes: it is made anew.
const SHARED_MEMORY: &str = "-shm";

/// A copy of a catalog, checked and open.
#[derive(Debug)]
pub(crate) struct CatalogCopy {
    pub(crate) catalog: SqliteCatalog,
    pub(crate) snapshot: CatalogSnapshot,
    /// Dropped last: the database is in it.
    _scratch: Scratch,
}

impl CatalogCopy {
    /// Copies the catalog of a data directory or of a backup, and checks it. Nobody may write to
    /// it meanwhile.
    pub(crate) fn open(runtime: &Handle, disk: &dyn Disk) -> anyhow::Result<Self> {
        let scratch = Scratch::new()?;
        copy(disk, scratch.path()).context("could not copy the catalog")?;
        let (catalog, snapshot) = runtime.block_on(async {
            let catalog = SqliteCatalog::open(&scratch.path().join(CATALOG)).await?;
            catalog.check().await?;
            let snapshot = catalog.snapshot().await?;
            Ok::<_, trailkeep_catalog::Error>((catalog, snapshot))
        })?;
        Ok(Self { catalog, snapshot, _scratch: scratch })
    }

    /// Returns the store's identity. It is there: whatever made the store gave it one.
    pub(crate) fn identity(&self, runtime: &Handle) -> anyhow::Result<StoreIdentity> {
        let none = StoreIdentity {
            store_id: String::new(),
            id_key: [0; 16],
            source_key: [0; 16],
            cursor_key: [0; 32],
            created_at: Micros(0),
        };
        let identity = runtime.block_on(self.catalog.identity(&none));
        identity.context("could not read the store's identity")
    }
}

fn copy(from: &dyn Disk, folder: &Path) -> std::io::Result<()> {
    let to = RealDisk::open(folder)?;
    for entry in from.list("")? {
        let copied = entry.name.starts_with(CATALOG_FILES) && !entry.name.ends_with(SHARED_MEMORY);
        if copied && !entry.folder {
            checksum::copy(from, &to, &entry.name)?;
        }
    }
    Ok(())
}
