//! Opens a store: lease, catalog, journal's tail, index of source ids, orphans; then the threads.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use trailkeep_catalog::{CatalogSnapshot, Lease, RunRecord, StoreIdentity};
use trailkeep_duplicates::{Known, RUN_ENTRIES_MAX, Run, RunMeta, SourceKey, write_run};
use trailkeep_event::{IdKey, Micros};
use trailkeep_io::Tasks;
use trailkeep_journal::{Journal, Recovery};
use trailkeep_ledger::{Head, Heads, sequence};
use trailkeep_segment::{SegmentMeta, SegmentStore, Shelf, StoredObject};

use crate::compactor::{Compactor, committed};
use crate::env::{Env, hex};
use crate::error::{Error, logged};
use crate::options::StoreOptions;
use crate::preparer::Preparer;
use crate::sealer::{LEASE_TTL, Sealer, run_record};
use crate::shared::{Parts, Shared};
use crate::store::Store;
use crate::writer::Writer;

/// The folder of the journal in the data directory.
pub const JOURNAL_FOLDER: &str = "journal";
/// The setting that remembers that the store has a journal.
const JOURNAL_MADE: &str = "journal_made";
/// What the lease is about.
const RESOURCE: &str = "store";

/// Opens a store and starts its writer, sealer and compactor. Blocks: call it off the async
/// runtime.
///
/// # Errors
/// Where another node holds the store, or something stored is missing or damaged: nothing is
/// changed then.
pub fn open(env: Env, options: StoreOptions, tasks: &Tasks) -> Result<Store, Error> {
    let identity = identity(&env)?;
    let lease = acquire(&env, &identity)?;
    let snapshot = in_catalog(&env, "read what is sealed", env.catalog.snapshot())?;
    let shelf = shelf(&env, &identity, &snapshot)?;
    let shared = Arc::new(Shared::new(Parts {
        id_key: IdKey::new(identity.id_key),
        source_key: SourceKey::new(identity.source_key),
        shelf,
        env,
        options,
    }));
    let objects = shared.shelf.store().list().map_err(Error::segment("list the objects of"))?;
    let without_index = check_segments(&shared.shelf, &objects)?;
    let mut heads = load_heads(&shared)?;
    check_journal_is_there(&shared.env)?;
    let (journal, recovery) = Journal::open(
        Arc::clone(&shared.env.disk),
        JOURNAL_FOLDER,
        shared.options.journal,
        &snapshot.cut,
    )
    .map_err(Error::journal("open"))?;
    let made = shared.env.catalog.set_setting(JOURNAL_MADE, "1");
    in_catalog(&shared.env, "remember that there is a journal", made)?;
    let created_at = replay(&shared, &journal, &mut heads, &snapshot)?;
    open_runs(&shared, &lease, &snapshot.runs)?;
    collect_orphans(&shared, &snapshot, &objects)?;
    // What a crash between a commit and the cut of the journal left.
    shared.queue.release(snapshot.cut);
    report(&shared, &recovery);
    let renewed = shared.env.clock.monotonic();
    let preparer = Preparer::new(&shared, journal.preparer());
    let writer = Writer { shared: Arc::clone(&shared), journal, heads, created_at };
    let compactor = Compactor {
        shared: Arc::clone(&shared),
        lease: lease.clone(),
        collected: renewed,
        resting_until: [renewed; 4],
        without_index,
    };
    let sealer = Sealer {
        shared: Arc::clone(&shared),
        lease,
        renewed,
        waiting_since: None,
        changed: (0, renewed),
    };
    tasks
        .spawn_thread("writer", move || writer.run())
        .and_then(|()| tasks.spawn_thread("sealer", move || sealer.run()))
        .and_then(|()| tasks.spawn_thread("journal-files", move || preparer.run()))
        .and_then(|()| tasks.spawn_background_thread("compactor", move || compactor.run()))
        .map_err(Error::Threads)?;
    let store = Store::new(shared, identity);
    store.record_cuts(&recovery.cuts);
    Ok(store)
}

/// Refuses a store whose segments are not all there and whole: an object that only a query misses
/// may be missed when no backup has it any more. One listing tells, however many there are.
///
/// Returns the segments whose index is lost: that can be made again.
fn check_segments(shelf: &Shelf, objects: &[StoredObject]) -> Result<Vec<String>, Error> {
    let stored: HashMap<&str, u64> =
        objects.iter().map(|object| (object.key.as_str(), object.bytes)).collect();
    let whole = |key: &str, bytes: u64| {
        let found_bytes = stored.get(key).copied();
        if found_bytes != Some(bytes) {
            tracing::error!(key, ?found_bytes, bytes, "an object is lost");
        }
        found_bytes == Some(bytes)
    };
    let mut lost = Vec::new();
    let mut without_index = Vec::new();
    for segment in shelf.view().sealed.iter() {
        let meta = segment.meta();
        let others = meta.trailer_bytes.saturating_add(meta.index_bytes);
        if !whole(&meta.parquet_key, meta.bytes.saturating_sub(others)) {
            lost.push(meta.parquet_key.clone());
        }
        if !whole(&meta.trailer_key, meta.trailer_bytes) {
            lost.push(meta.trailer_key.clone());
        }
        if !whole(&meta.index_key, meta.index_bytes) {
            without_index.push(meta.id.clone());
        }
    }
    let n_lost = lost.len();
    match lost.into_iter().next() {
        Some(key) => Err(Error::SegmentLost { key, n_lost }),
        None => Ok(without_index),
    }
}

/// Refuses a store whose journal is gone: what was acknowledged and not sealed was in it.
fn check_journal_is_there(env: &Env) -> Result<(), Error> {
    let made = in_catalog(env, "read the settings", env.catalog.setting(JOURNAL_MADE))?;
    if made.is_none() {
        return Ok(());
    }
    let listed = env.disk.list(JOURNAL_FOLDER).unwrap_or_default();
    if listed.iter().any(|entry| entry.name.ends_with(".journal")) {
        return Ok(());
    }
    Err(Error::JournalLost)
}

fn in_catalog<T>(
    env: &Env,
    doing: &'static str,
    future: impl Future<Output = Result<T, trailkeep_catalog::Error>>,
) -> Result<T, Error> {
    env.runtime.block_on(future).map_err(Error::catalog(doing))
}

fn identity(env: &Env) -> Result<StoreIdentity, Error> {
    let mut cursor_key = [0; 32];
    env.entropy.fill(&mut cursor_key);
    let fresh = StoreIdentity {
        store_id: hex(&env.random_id()),
        id_key: env.random_id(),
        source_key: env.random_id(),
        cursor_key,
        created_at: Micros(env.clock.now_micros()),
    };
    in_catalog(env, "read the store's identity", env.catalog.identity(&fresh))
}

/// Takes the store's lease. The owner is the store itself: whoever holds the lock of the data
/// directory takes it over at once, and what the one before started is fenced by the epoch.
fn acquire(env: &Env, identity: &StoreIdentity) -> Result<Lease, Error> {
    let now = Micros(env.clock.now_micros());
    let lease = env.catalog.acquire(RESOURCE, &identity.store_id, now, LEASE_TTL);
    in_catalog(env, "take the lease", lease)?.ok_or(Error::Held { wait_s: LEASE_TTL.as_secs() })
}

fn shelf(
    env: &Env,
    identity: &StoreIdentity,
    snapshot: &CatalogSnapshot,
) -> Result<Arc<Shelf>, Error> {
    let metas: Result<Vec<SegmentMeta>, _> =
        snapshot.segments.iter().map(|record| SegmentMeta::from_json(&record.meta)).collect();
    let metas = metas.map_err(Error::segment("read the record of"))?;
    let store = Arc::new(SegmentStore::new(Arc::clone(&env.objects)));
    let key = IdKey::new(identity.id_key);
    Ok(Arc::new(Shelf::new(store, key, metas, snapshot.cut)))
}

fn load_heads(shared: &Shared) -> Result<Heads, Error> {
    let env = &shared.env;
    let records = in_catalog(env, "read the heads", env.catalog.heads())?;
    let heads = records.into_iter().map(|record| {
        (record.account_id, Head { size: record.size, created_at: record.created_at })
    });
    let accounts = in_catalog(env, "read the accounts", env.catalog.accounts())?;
    shared.accounts.extend(accounts.into_iter().map(|account| account.account_id));
    Ok(Heads::load(heads))
}

/// Reads the journal's tail: the same indexes and the same source ids as before the restart.
/// Returns the last admission time.
fn replay(
    shared: &Shared,
    journal: &Journal,
    heads: &mut Heads,
    snapshot: &CatalogSnapshot,
) -> Result<Micros, Error> {
    let mut created_at = heads.last_created_at();
    journal
        .reader()
        .replay(&snapshot.cut, &mut |frame| {
            created_at = created_at.max(frame.batch.created_at());
            for row in frame.batch.rows() {
                shared.accounts.extend([row.row.account_id()]);
            }
            let batch = Arc::new(sequence(heads, frame.partition, frame.frame, frame.batch));
            for entry in batch.entries(&shared.id_key) {
                if let Some((fingerprint, check)) = shared.source_key.identify(&entry.row) {
                    shared.source_ids.replay(fingerprint, Known { check, id: entry.stamp.id });
                }
            }
            shared.shelf.push(batch);
            Ok(())
        })
        .map_err(Error::journal("replay"))?;
    Ok(created_at)
}

/// Opens the index of source ids; where a part is missing or damaged it is rebuilt from the
/// segments.
fn open_runs(shared: &Shared, lease: &Lease, records: &[RunRecord]) -> Result<(), Error> {
    let mut runs = Vec::with_capacity(records.len());
    for record in records {
        let meta: RunMeta = serde_json::from_str(&record.meta)
            .map_err(|source| Error::Record { id: record.id.clone(), source })?;
        match Run::open(Arc::clone(&shared.env.objects), meta) {
            Ok(run) => runs.push(Arc::new(run)),
            Err(error) => {
                tracing::error!(
                    error = logged(&error),
                    "a part of the index of source ids is lost; rebuilding it from the segments"
                );
                runs = rebuild_runs(shared, lease, records)?;
                break;
            }
        }
    }
    shared.source_ids.set_runs(runs);
    Ok(())
}

fn rebuild_runs(
    shared: &Shared,
    lease: &Lease,
    records: &[RunRecord],
) -> Result<Vec<Arc<Run>>, Error> {
    let mut entries = Vec::new();
    let mut metas = Vec::new();
    let mut write = |entries: &mut Vec<_>| -> Result<(), Error> {
        let id = hex(&shared.env.random_id());
        let meta = write_run(shared.env.objects.as_ref(), &id, entries.drain(..))
            .map_err(Error::source_ids("rebuild"))?;
        metas.push(meta);
        Ok(())
    };
    for segment in shared.shelf.view().sealed.iter() {
        let failed = Error::segment("read");
        let reader = segment.reader().map_err(failed)?;
        reader
            .for_each_entry(&mut |entry| {
                if let Some((fingerprint, check)) = shared.source_key.identify(&entry.row) {
                    entries.push((fingerprint, Known { check, id: entry.stamp.id }));
                }
                ControlFlow::Continue(())
            })
            .map_err(failed)?;
        if entries.len() >= RUN_ENTRIES_MAX / 2 {
            write(&mut entries)?;
        }
    }
    if !entries.is_empty() {
        write(&mut entries)?;
    }
    let removed: Vec<String> = records.iter().map(|record| record.id.clone()).collect();
    let added: Vec<RunRecord> = metas.iter().map(run_record).collect::<Result<_, _>>()?;
    let now = Micros(shared.env.clock.now_micros());
    let swap = shared.env.catalog.swap_runs(lease, &removed, &added, now);
    committed(shared.env.runtime.block_on(swap))?;
    let open = |meta| Run::open(Arc::clone(&shared.env.objects), meta).map(Arc::new);
    metas.into_iter().map(open).collect::<Result<_, _>>().map_err(Error::source_ids("open"))
}

/// Removes objects that no catalog row names: what a crash between writing and committing left.
fn collect_orphans(
    shared: &Shared,
    snapshot: &CatalogSnapshot,
    objects: &[StoredObject],
) -> Result<(), Error> {
    let failed = Error::segment("collect the orphans of");
    let env = &shared.env;
    let garbage = in_catalog(env, "list replaced files", env.catalog.garbage(Micros::MAX))?;
    let current = in_catalog(env, "read what is sealed", env.catalog.snapshot())?;
    let named: HashSet<String> = snapshot
        .segments
        .iter()
        .map(|record| record.id.clone())
        .chain(current.runs.into_iter().map(|record| record.id))
        .chain(garbage.into_iter().map(|record| record.id))
        .collect();
    for object in objects {
        let id = object.key.rsplit('/').next().and_then(|name| name.split('.').next());
        let ours = object.key.starts_with("seg/") || object.key.starts_with("dup/");
        if ours && id.is_some_and(|id| !named.contains(id)) {
            tracing::info!(key = %object.key, "removed an object that nothing names");
            shared.shelf.store().delete(&object.key).map_err(failed)?;
        }
    }
    Ok(())
}

fn report(shared: &Shared, recovery: &Recovery) {
    let view = shared.shelf.view();
    tracing::info!(
        segments = view.sealed.len(),
        tail_rows = view.tail.rows(),
        torn_bytes = recovery.torn_bytes,
        accounts = shared.accounts.len(),
        "the store is open"
    );
}

/// How long a close waits for each of the threads.
pub(crate) const CLOSE_PATIENCE: Duration = Duration::from_mins(2);
