//! A store of this machine, to look at: nothing in its data directory changes.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use trailkeep_catalog::Catalog;
use trailkeep_event::IdKey;
use trailkeep_ingest::JOURNAL_FOLDER;
use trailkeep_io::{Disk, DiskStore, RealDisk};
use trailkeep_journal::{Journal, JournalOptions};
use trailkeep_ledger::{Head, Heads, sequence};
use trailkeep_query::{Engine, QueryOptions};
use trailkeep_segment::{SegmentMeta, SegmentStore, Shelf};

use crate::catalog_copy::CatalogCopy;
use crate::failure::{Exit, Failure};
use crate::local::{Machine, OBJECTS, check_store, lock_to_look};
use crate::look_disk::LookDisk;

/// Where the store remembers that it has a journal.
const JOURNAL_MADE: &str = "journal_made";

/// A store to look at. No server runs on it as long as this lives.
#[derive(Debug)]
pub(crate) struct StoreView {
    machine: Machine,
    shelf: Arc<Shelf>,
    cursor_key: [u8; 32],
    accounts: u64,
    _lock: Option<File>,
}

impl StoreView {
    /// Opens what is in a data directory, which may be read-only.
    pub(crate) fn open(data: &Path, journal: JournalOptions) -> anyhow::Result<Self> {
        check_store(data)?;
        let opened = || format!("could not open the store in `{}`", data.display());
        let disk = RealDisk::open(data).with_context(opened)?;
        let lock = lock_to_look(&disk, data)?;
        let machine = Machine::start()?;
        let disk: Arc<dyn Disk> = Arc::new(LookDisk::new(disk));
        let copy = CatalogCopy::open(machine.runtime.handle(), &*disk).with_context(opened)?;
        let identity = copy.identity(machine.runtime.handle())?;
        let accounts = machine.runtime.block_on(copy.catalog.accounts()).with_context(opened)?;
        let accounts = u64::try_from(accounts.len()).unwrap_or(u64::MAX);
        let metas: Result<Vec<SegmentMeta>, _> = copy
            .snapshot
            .segments
            .iter()
            .map(|record| SegmentMeta::from_json(&record.meta))
            .collect();
        let objects = Arc::new(DiskStore::new(Arc::clone(&disk), OBJECTS));
        let (store, key) = (Arc::new(SegmentStore::new(objects)), IdKey::new(identity.id_key));
        let shelf = Arc::new(Shelf::new(store, key, metas?, copy.snapshot.cut));
        put_tail(&shelf, &machine, &copy, (disk, journal)).with_context(opened)?;
        Ok(Self { machine, shelf, cursor_key: identity.cursor_key, accounts, _lock: lock })
    }

    /// Returns what can be read.
    pub(crate) fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// Returns how many accounts there are.
    pub(crate) fn accounts(&self) -> u64 {
        self.accounts
    }

    /// Makes the engine that answers queries.
    pub(crate) fn engine(&self, options: QueryOptions) -> Engine {
        let clock = Arc::clone(&self.machine.clock);
        Engine::new(Arc::clone(&self.shelf), &self.cursor_key, clock, options)
    }
}

/// Reads what is not sealed from the journal.
fn put_tail(
    shelf: &Shelf,
    machine: &Machine,
    copy: &CatalogCopy,
    (disk, options): (Arc<dyn Disk>, JournalOptions),
) -> anyhow::Result<()> {
    if !has_journal(&*disk)? {
        let made = machine.runtime.block_on(copy.catalog.setting(JOURNAL_MADE))?;
        return if made.is_none() { Ok(()) } else { Err(journal_lost()) };
    }
    let records = machine.runtime.block_on(copy.catalog.heads())?;
    let mut heads = Heads::load(records.into_iter().map(|record| {
        (record.account_id, Head { size: record.size, created_at: record.created_at })
    }));
    let cut = &copy.snapshot.cut;
    let (journal, _recovery) = Journal::open(disk, JOURNAL_FOLDER, options, cut)?;
    journal.reader().replay(cut, &mut |frame| {
        let batch = sequence(&mut heads, frame.partition, frame.frame, frame.batch);
        shelf.push(Arc::new(batch));
        Ok(())
    })?;
    Ok(())
}

fn has_journal(disk: &dyn Disk) -> io::Result<bool> {
    match disk.list(JOURNAL_FOLDER) {
        Ok(entries) => Ok(entries.iter().any(|entry| entry.name.ends_with(".journal"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn journal_lost() -> anyhow::Error {
    let message =
        "the journal's files are gone, and with them what was acknowledged and not sealed";
    Failure::new(Exit::Tampered, message).hint("restore a backup: `trailkeep restore`").into()
}
