//! From masked rows to durable frames.

use std::sync::Arc;

use anyhow::{Context, Result};
use trailkeep_event::{Cut, Partition};
use trailkeep_io::{Clock, RealDisk};
use trailkeep_journal::{Journal, JournalBatch, JournalOptions};
use trailkeep_redact::{Masked, MaskedBatch};

use super::{ADMITTED_AT, GROUP_EVENTS, Group, ROUNDS, figure, n_rows, stage};
use crate::bench::Bench;
use crate::quantity::long;
use crate::timed_disk::TimedDisk;

const FOLDER: &str = "journal";

/// Builds the batches of each group commit and reads them back, as the writer does.
pub(super) fn groups(bench: &mut Bench, masked: &[Masked]) -> Result<Vec<Group>> {
    stage(bench, "batch: build", masked.len(), || masked.chunks(GROUP_EVENTS).map(group).collect())
}

fn group(events: &[Masked]) -> Result<Group> {
    let mut batches: Vec<MaskedBatch> = Partition::all().map(MaskedBatch::new).collect();
    for event in events {
        let partition = Partition::of_account(event.row().view().account_id());
        let batch = batches.get_mut(partition.index()).context("there is no such partition")?;
        batch.push(event);
    }
    let filled = batches.into_iter().filter(|batch| !batch.is_empty());
    let made: Result<Group, _> =
        filled.map(|batch| JournalBatch::new(batch, ADMITTED_AT)).collect();
    made.context("could not make a batch")
}

/// Appends every group, the journal's work and the disk's apart.
pub(super) fn append(bench: &mut Bench, groups: &[Group]) -> Result<()> {
    let options = JournalOptions {
        file_bytes: file_bytes(groups).max(JournalOptions::STANDARD.file_bytes),
        ..JournalOptions::STANDARD
    };
    let (mut own, mut disks) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let disk = TimedDisk::new(RealDisk::open(bench.fresh("micro-journal")?)?);
        let (mut journal, _recovery) =
            Journal::open(Arc::new(disk.clone()), FOLDER, options, &Cut::default())?;
        let spent_before = disk.spent();
        let begun = bench.clock.monotonic();
        for group in groups {
            journal.append(group)?;
        }
        let took = bench.clock.monotonic().saturating_sub(begun);
        let spent = disk.spent().saturating_sub(spent_before);
        own.push(took.saturating_sub(spent));
        disks.push(spent);
    }
    bench.fresh("micro-journal")?;
    let n_events = n_rows(groups);
    figure(bench, "journal: encode", n_events, &mut own);
    figure(bench, "journal: write and fsync of the disk", n_events, &mut disks);
    Ok(())
}

/// Returns the size of a file that holds everything, so that no round pays for a second one.
fn file_bytes(groups: &[Group]) -> u64 {
    let bytes: usize = groups.iter().flatten().map(|batch| batch.batch().as_bytes().len()).sum();
    (2 * long(bytes)).next_multiple_of(4096) + JournalOptions::STANDARD.file_bytes / 4
}
