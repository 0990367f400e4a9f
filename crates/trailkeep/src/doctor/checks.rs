//! The checks, from the outside to the inside.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use trailkeep_catalog::{
    Catalog, CatalogSnapshot, RunRecord, SegmentRecord, SqliteCatalog, StoreIdentity,
};
use trailkeep_duplicates::{Run, RunMeta};
use trailkeep_event::{IdKey, Micros};
use trailkeep_ingest::JOURNAL_FOLDER;
use trailkeep_io::{Disk, DiskStore, RealDisk};
use trailkeep_journal::{CutTail, Journal, cut_tail as cut_journal};
use trailkeep_segment::{SegmentMeta, SegmentReader, SegmentStore};

use super::exit_of;
use super::report::{Finding, Report};
use crate::config::Config;
use crate::failure::Exit;
use crate::local::{CATALOG, Machine, OBJECTS, lock};

/// Runs every check.
pub(super) fn all(report: &mut Report, data: &Path, config: &Config) -> anyhow::Result<()> {
    report.say("configuration", Finding::Ok, "every setting is valid")?;
    let disk = RealDisk::open(data).context("could not open the data directory")?;
    let held = lock(&disk, data)?;
    report.say("lock", Finding::Ok, "no other process uses the data directory")?;
    permissions(report, data)?;
    space(report, &disk, config)?;
    let machine = Machine::start()?;
    if let Some((catalog, snapshot)) = catalog(report, &machine, data)? {
        journal(report, &disk, config, &snapshot)?;
        let disk: Arc<dyn Disk> = Arc::new(disk);
        let objects = Arc::new(DiskStore::new(disk, OBJECTS));
        let mut rows = 0;
        let segments = (&snapshot.segments[..], Arc::clone(&objects));
        let damage = damaged_segments(&machine, &catalog, segments, &mut rows);
        let n_segments = snapshot.segments.len();
        tell(report, "segments", &damage, &format!("{n_segments} with {rows} entries"))?;
        let damage = damaged_runs(&snapshot.runs, &objects);
        let detail = format!("{} with all their checksums right", snapshot.runs.len());
        tell(report, "source-id runs", &damage, &detail)?;
    }
    drop(held);
    Ok(())
}

/// Cuts a damaged end off the journal.
pub(super) fn cut_tail(report: &mut Report, data: &Path) -> anyhow::Result<()> {
    let disk = RealDisk::open(data).context("could not open the data directory")?;
    let held = lock(&disk, data)?;
    let cut = cut_journal(Arc::new(disk), JOURNAL_FOLDER)?;
    drop(held);
    match cut {
        CutTail::Sound => report.say("journal", Finding::Ok, "its end is sound: nothing was cut"),
        CutTail::Cut(note) => {
            let detail = format!(
                "cut {} bytes with at least {} frames from `{}` at byte {}; the next start records it",
                note.bytes,
                note.frames,
                note.file_name(),
                note.offset
            );
            report.say("journal", Finding::Warn, &detail)
        }
    }
}

fn tell(report: &mut Report, check: &str, damage: &[String], fine: &str) -> anyhow::Result<()> {
    if damage.is_empty() {
        return report.say(check, Finding::Ok, fine);
    }
    damage.iter().try_for_each(|text| report.say(check, Finding::Fail(Exit::Tampered), text))
}

fn permissions(report: &mut Report, data: &Path) -> anyhow::Result<()> {
    let mode = std::fs::metadata(data).context("could not look at the data directory")?;
    let mode = mode.permissions().mode() & 0o777;
    if mode.trailing_zeros() >= 6 {
        return report.say("permissions", Finding::Ok, "for its owner alone");
    }
    let detail = format!("mode {mode:o}: others may read the store's secrets; use 700");
    report.say("permissions", Finding::Warn, &detail)
}

fn space(report: &mut Report, disk: &RealDisk, config: &Config) -> anyhow::Result<()> {
    let free_bytes = disk.space().context("could not ask for free space")?.free_bytes;
    let marks = &config.store.disk;
    let detail = format!("{free_bytes} bytes are free");
    let finding = if free_bytes < marks.low_bytes {
        Finding::Fail(Exit::Failed)
    } else if free_bytes < marks.high_bytes {
        Finding::Warn
    } else {
        Finding::Ok
    };
    report.say("disk", finding, &detail)
}

fn catalog(
    report: &mut Report,
    machine: &Machine,
    data: &Path,
) -> anyhow::Result<Option<(SqliteCatalog, CatalogSnapshot)>> {
    let checked = machine.runtime.block_on(async {
        let catalog = SqliteCatalog::open(&data.join(CATALOG)).await?;
        catalog.check().await?;
        let snapshot = catalog.snapshot().await?;
        Ok::<_, trailkeep_catalog::Error>((catalog, snapshot))
    });
    match checked {
        Ok((catalog, snapshot)) => {
            report.say("catalog", Finding::Ok, "it keeps its promises")?;
            Ok(Some((catalog, snapshot)))
        }
        Err(error) => {
            fail(report, "catalog", &error.into())?;
            Ok(None)
        }
    }
}

fn journal(
    report: &mut Report,
    disk: &RealDisk,
    config: &Config,
    snapshot: &CatalogSnapshot,
) -> anyhow::Result<()> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    match Journal::open(disk, JOURNAL_FOLDER, config.store.journal, &snapshot.cut) {
        Ok((_journal, recovery)) => {
            let detail = format!("{} writes with {} frames", recovery.writes, recovery.frames);
            report.say("journal", Finding::Ok, &detail)
        }
        Err(error) => fail(report, "journal", &error.into()),
    }
}

fn fail(report: &mut Report, check: &str, error: &anyhow::Error) -> anyhow::Result<()> {
    let finding = Finding::Fail(exit_of(error));
    report.say(check, finding, &format!("{error:#}"))
}

/// Reads every byte and every entry of segments, counts the entries, and returns what is damaged.
pub(crate) fn damaged_segments(
    machine: &Machine,
    catalog: &SqliteCatalog,
    (records, objects): (&[SegmentRecord], Arc<DiskStore>),
    rows: &mut u64,
) -> Vec<String> {
    if records.is_empty() {
        return Vec::new();
    }
    let store = Arc::new(SegmentStore::new(objects));
    let key = match id_key(machine, catalog) {
        Ok(key) => key,
        Err(error) => return vec![format!("{error:#}")],
    };
    let mut damage = Vec::new();
    for record in records {
        let verified = SegmentMeta::from_json(&record.meta)
            .and_then(|meta| SegmentReader::open(Arc::clone(&store), Arc::new(meta), key.clone()))
            .and_then(|reader| reader.verify());
        match verified {
            Ok(verified) => *rows = rows.saturating_add(u64::from(verified.rows)),
            Err(error) => damage.push(format!("{:#}", anyhow::Error::from(error))),
        }
    }
    damage
}

/// Returns the store's key. It is there: a store with segments was opened before.
fn id_key(machine: &Machine, catalog: &SqliteCatalog) -> anyhow::Result<IdKey> {
    let mut random = [[0; 16]; 4];
    for bytes in &mut random {
        machine.entropy.fill(bytes);
    }
    let [store_id, id_key, source_key, cursor_key] = random;
    let mut wide = [0; 32];
    wide.iter_mut().zip(cursor_key).for_each(|(slot, byte)| *slot = byte);
    let fresh = StoreIdentity {
        store_id: crate::checksum::hex(&store_id),
        id_key,
        source_key,
        cursor_key: wide,
        created_at: Micros(machine.clock.now_micros()),
    };
    let identity = machine.runtime.block_on(catalog.identity(&fresh));
    Ok(IdKey::new(identity.context("could not read the store's identity")?.id_key))
}

/// Reads every byte of runs and returns what is damaged.
pub(crate) fn damaged_runs(records: &[RunRecord], objects: &Arc<DiskStore>) -> Vec<String> {
    let mut damage = Vec::new();
    for record in records {
        let checked = || -> anyhow::Result<()> {
            let meta: RunMeta = serde_json::from_str(&record.meta)?;
            let objects = Arc::clone(objects);
            Ok(Run::open(objects, meta)?.verify()?)
        };
        if let Err(error) = checked() {
            damage.push(format!("{error:#}"));
        }
    }
    damage
}
