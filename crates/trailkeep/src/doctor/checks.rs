//! The checks, from the outside to the inside.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use trailkeep_catalog::{CatalogSnapshot, RunRecord, SegmentRecord};
use trailkeep_duplicates::{Run, RunMeta};
use trailkeep_event::IdKey;
use trailkeep_ingest::JOURNAL_FOLDER;
use trailkeep_io::{Disk, DiskStore, RealDisk};
use trailkeep_journal::Journal;
use trailkeep_segment::{SegmentMeta, SegmentReader, SegmentStore};

use super::exit_of;
use super::report::{Finding, Report};
use crate::catalog_copy::CatalogCopy;
use crate::config::Config;
use crate::failure::Exit;
use crate::local::{Machine, OBJECTS, lock_to_look};
use crate::look_disk::LookDisk;
use crate::output::counted;

/// Runs every check. Nothing in the data directory is changed.
pub(super) fn all(report: &mut Report, data: &Path, config: &Config) -> anyhow::Result<()> {
    report.say("configuration", Finding::Ok, "every setting is valid")?;
    let disk = RealDisk::open(data).context("could not open the data directory")?;
    let held = lock_to_look(&disk, data)?;
    report.say("lock", Finding::Ok, "no other process changes the data directory")?;
    permissions(report, data)?;
    space(report, &disk, (data, config))?;
    let machine = Machine::start()?;
    let disk: Arc<dyn Disk> = Arc::new(LookDisk::new(disk));
    if let Some(copy) = catalog(report, &machine, &*disk)? {
        journal(report, Arc::clone(&disk), config, &copy.snapshot)?;
        let objects = Arc::new(DiskStore::new(disk, OBJECTS));
        let key = IdKey::new(copy.identity(machine.runtime.handle())?.id_key);
        let (segments, runs) = (&copy.snapshot.segments, &copy.snapshot.runs);
        let mut rows = 0;
        let damage = damaged_segments(&key, (segments, Arc::clone(&objects)), &mut rows);
        let rows = counted(rows, "entry", "entries");
        tell(report, "segments", &damage, &format!("{} with {rows}", segments.len()))?;
        let damage = damaged_runs(runs, &objects);
        let detail = format!("{} with all their checksums right", runs.len());
        tell(report, "source-id runs", &damage, &detail)?;
    }
    drop(held);
    Ok(())
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

fn space(
    report: &mut Report,
    disk: &RealDisk,
    (data, config): (&Path, &Config),
) -> anyhow::Result<()> {
    if !writable(data) {
        let detail = "the data directory is read-only: no server can run on it";
        return report.say("disk", Finding::Warn, detail);
    }
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

fn writable(data: &Path) -> bool {
    rustix::fs::access(data, rustix::fs::Access::WRITE_OK).is_ok()
}

fn catalog(
    report: &mut Report,
    machine: &Machine,
    disk: &dyn Disk,
) -> anyhow::Result<Option<CatalogCopy>> {
    match CatalogCopy::open(machine.runtime.handle(), disk) {
        Ok(copy) => {
            report.say("catalog", Finding::Ok, "it keeps its promises")?;
            Ok(Some(copy))
        }
        Err(error) => {
            fail(report, "catalog", &error)?;
            Ok(None)
        }
    }
}

fn journal(
    report: &mut Report,
    disk: Arc<dyn Disk>,
    config: &Config,
    snapshot: &CatalogSnapshot,
) -> anyhow::Result<()> {
    match Journal::open(disk, JOURNAL_FOLDER, config.store.journal, &snapshot.cut) {
        Ok((_journal, recovery)) => {
            let writes = counted(recovery.writes, "write", "writes");
            let frames = counted(recovery.frames, "frame", "frames");
            report.say("journal", Finding::Ok, &format!("{writes} with {frames}"))
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
    key: &IdKey,
    (records, objects): (&[SegmentRecord], Arc<DiskStore>),
    rows: &mut u64,
) -> Vec<String> {
    let store = Arc::new(SegmentStore::new(objects));
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
