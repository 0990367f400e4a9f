//! Every fault in both flavours: failed and not done, failed but done.

use trailkeep_event::Cut;
use trailkeep_io::{Fault, FaultKind, FaultOp, SimDisk};
use trailkeep_journal::Error;

use crate::support::{Model, SMALL, batch, open, partition, try_open};

#[test]
fn acknowledged_frames_survive_every_fault() {
    let whole = SimDisk::new(1);
    Model::default().drive(&whole).unwrap();
    let ops = [
        FaultOp::Write,
        FaultOp::Sync,
        FaultOp::SyncDir,
        FaultOp::Open,
        FaultOp::Rename,
        FaultOp::Remove,
        FaultOp::Read,
    ];
    for op in ops {
        for nth in 1..=whole.ops().of(op) {
            for kind in [FaultKind::NotDone, FaultKind::Done, FaultKind::NoSpace] {
                let disk = SimDisk::new(nth);
                disk.arm(Fault { op, nth, kind });
                let name = format!("{kind:?} at {op:?} {nth}");
                let mut model = Model { name, ..Model::default() };
                // Without room for a spare file the run goes on.
                let _may_go_on = model.drive(&disk);
                // What the reopened journal holds, it holds for good: also what an fsync that
                // failed left in memory only.
                drop(model.check(&disk));
                let mut journal = model.check(&disk.power_cut());
                model.append(&mut journal, vec![batch(partition(2), 7, 900)]).unwrap();
            }
        }
    }
}

/// R448.
#[test]
fn without_room_nothing_is_written_and_the_journal_goes_on() {
    let disk = SimDisk::new(2);
    let (mut journal, _) = open(&disk, &Cut::default());
    disk.set_free_bytes(SMALL.file_bytes - 1);
    let mut n_appended = 0;
    let refused = loop {
        // One sector, then writes of two: one of the eight is left over.
        let size = if n_appended == 0 { 10 } else { 700 };
        match journal.append(&[batch(partition(0), n_appended, size)]) {
            Ok(frames) => {
                assert_eq!(frames, [n_appended]);
                n_appended += 1;
            }
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, Error::NoSpace { .. }), "{refused:?}");
    let again = journal.append(&[batch(partition(0), n_appended, 700)]);
    assert!(matches!(again, Err(Error::NoSpace { .. })), "{again:?}");
    // What still fits in the file is taken.
    assert_eq!(journal.append(&[batch(partition(0), n_appended, 10)]).unwrap(), [n_appended]);
    disk.set_free_bytes(SMALL.file_bytes);
    assert_eq!(journal.append(&[batch(partition(0), 9, 700)]).unwrap(), [n_appended + 1]);
    assert_eq!(journal.reader().read(partition(0), 0, usize::MAX).unwrap().len(), 6);
}

#[test]
fn a_stopped_journal_refuses_everything_but_reading() {
    let disk = SimDisk::new(3);
    let (mut journal, _) = open(&disk, &Cut::default());
    journal.append(&[batch(partition(0), 0, 10)]).unwrap();
    disk.arm(Fault { op: FaultOp::Sync, nth: 1, kind: FaultKind::NotDone });
    let failed = journal.append(&[batch(partition(0), 1, 10)]);
    assert!(matches!(failed, Err(Error::Io { doing: "sync", .. })), "{failed:?}");
    assert!(matches!(journal.append(&[]), Err(Error::Stopped)));
    assert!(matches!(journal.release(&Cut::default()), Err(Error::Stopped)));
    assert!(matches!(journal.forget_cuts(), Err(Error::Stopped)));
    assert_eq!(journal.reader().read(partition(0), 0, 100).unwrap().len(), 1);
}

/// Promise 1 beyond one process: what a reopened journal shows stays, though the fsync that
/// should have written it failed and is never repeated by the kernel.
#[test]
fn what_a_failed_fsync_left_in_memory_is_written_again() {
    let mut n_lost_without = 0;
    for seed in 0..20 {
        let disk = SimDisk::new(seed);
        let (mut journal, _) = open(&disk, &Cut::default());
        disk.arm(Fault { op: FaultOp::Sync, nth: 1, kind: FaultKind::NotDone });
        journal.append(&[batch(partition(0), 0, 900)]).unwrap_err();
        n_lost_without += 1 - open(&disk.power_cut(), &Cut::default()).1.frames;
        assert_eq!(open(&disk, &Cut::default()).1.frames, 1);
        assert_eq!(open(&disk.power_cut(), &Cut::default()).1.frames, 1, "seed {seed}");
    }
    assert!(n_lost_without > 0, "the disk is not as bad as it should be");
}

/// An unfinished write that was cleared in memory only must not come back behind a shorter one.
#[test]
fn what_a_failed_fsync_did_not_clear_is_cleared_again() {
    let mut n_back_without = 0;
    for seed in 0..40 {
        let disk = SimDisk::new(seed);
        let (mut journal, _) = open(&disk, &Cut::default());
        disk.arm(Fault { op: FaultOp::Sync, nth: 1, kind: FaultKind::PowerOff });
        journal.append(&[batch(partition(0), 0, 1300)]).unwrap_err();
        let disk = disk.power_cut();
        disk.arm(Fault { op: FaultOp::Sync, nth: 1, kind: FaultKind::NotDone });
        assert!(try_open(&disk, &Cut::default()).is_err());
        let torn_bytes = open(&disk.power_cut(), &Cut::default()).1.torn_bytes;
        n_back_without += u32::from(torn_bytes > 0);
        let (mut journal, recovery) = open(&disk, &Cut::default());
        journal.append(&[batch(partition(0), 0, 10)]).unwrap();
        let (_, again) = open(&disk.power_cut(), &Cut::default());
        assert_eq!((again.frames, again.torn_bytes), (recovery.frames + 1, 0), "seed {seed}");
    }
    assert!(n_back_without > 0, "the disk is not as bad as it should be");
}
