//! Promise 1, for segments: what a seal returned survives whatever happens to the machine.

use std::sync::Arc;

use trailkeep_event::{Cut, SequencedBatch};
use trailkeep_io::{DiskStore, Fault, FaultKind, FaultOp, SimDisk};
use trailkeep_segment::{SealedSegment, SegmentStore, seal};

use crate::rows::{all, batch, key, open, options, row, sorted};

fn store(disk: &SimDisk) -> Arc<SegmentStore> {
    Arc::new(SegmentStore::new(Arc::new(DiskStore::new(Arc::new(disk.clone()), "objects"))))
}

fn batches() -> [Arc<SequencedBatch>; 1] {
    [batch(0, 10, &[row("b", 1, 1), row("a", 2, 2), row("a", 1, 3)])]
}

fn try_seal(disk: &SimDisk, id: u8) -> Result<SealedSegment, trailkeep_segment::Error> {
    seal(&store(disk), &key(), &batches(), &options(id, Cut::default()))
}

fn check(disk: &SimDisk, sealed: SealedSegment) {
    let reader = open(&store(disk), &Arc::new(sealed.meta));
    reader.verify().unwrap();
    assert_eq!(all(&reader), sorted(&batches()));
}

#[test]
fn a_seal_that_returned_survives_a_power_cut() {
    for seed in 0..8 {
        let disk = SimDisk::new(seed);
        let sealed = try_seal(&disk, 1).unwrap();
        check(&disk.power_cut(), sealed);
    }
}

/// Each operation of a seal fails, done or not done, or is the last before the power goes. The
/// seal then fails, and works again under another id with what is left.
#[test]
fn a_seal_that_failed_anywhere_can_be_done_again() {
    let whole = SimDisk::new(3);
    try_seal(&whole, 1).unwrap();
    let ops = whole.ops();
    let counts = [
        (FaultOp::Write, ops.writes),
        (FaultOp::Sync, ops.syncs),
        (FaultOp::SyncDir, ops.sync_dirs),
        (FaultOp::Open, ops.opens),
        (FaultOp::Rename, ops.renames),
    ];
    assert!(counts.iter().all(|(_, count)| *count > 0), "{counts:?}");
    for (op, count) in counts {
        let kinds = [FaultKind::NotDone, FaultKind::Done, FaultKind::NoSpace, FaultKind::PowerOff];
        for (nth, kind) in (1..=count).flat_map(|nth| kinds.map(|kind| (nth, kind))) {
            let disk = SimDisk::new(nth);
            disk.arm(Fault { op, nth, kind });
            let first = try_seal(&disk, 1);
            let left = disk.power_cut();
            if let Ok(sealed) = first {
                check(&left, sealed);
            }
            let again = try_seal(&left, 2).unwrap();
            check(&left.power_cut(), again);
        }
    }
}
