//! Promise 1: power is cut at every operation that changes the disk, also while recovering.

use trailkeep_io::{Fault, FaultKind, FaultOp, SimDisk};

use crate::support::{Model, batch, partition, try_open};

const CHANGES: [FaultOp; 6] = [
    FaultOp::Write,
    FaultOp::Sync,
    FaultOp::SyncDir,
    FaultOp::Open,
    FaultOp::Rename,
    FaultOp::Remove,
];

#[test]
fn acknowledged_frames_survive_a_power_cut_at_every_operation() {
    for seed in 0..12 {
        let whole = SimDisk::new(seed);
        Model::default().drive(&whole).unwrap();
        for op in CHANGES {
            for nth in 1..=whole.ops().of(op) {
                let disk = SimDisk::new(seed * 1000 + nth);
                disk.arm(Fault { op, nth, kind: FaultKind::PowerOff });
                let name = format!("seed {seed}, power off at {op:?} {nth}");
                let mut model = Model { name, ..Model::default() };
                model.drive(&disk).unwrap_err();
                goes_on(&mut model, &disk.power_cut());
            }
        }
    }
}

#[test]
fn acknowledged_frames_survive_faults_while_recovering() {
    for seed in 0..3 {
        let whole = SimDisk::new(seed);
        Model::default().drive(&whole).unwrap();
        for nth in 1..=whole.ops().writes {
            for kind in [FaultKind::PowerOff, FaultKind::NotDone, FaultKind::Done] {
                fail_recovery(seed, nth, kind);
            }
        }
    }
}

/// Cuts the power at a write, and lets recovery fail at each of its operations.
fn fail_recovery(seed: u64, nth: u64, kind: FaultKind) {
    for (op, again) in CHANGES.into_iter().flat_map(|op| (1..=4).map(move |again| (op, again))) {
        let disk = SimDisk::new(seed * 1000 + nth);
        disk.arm(Fault { op: FaultOp::Write, nth, kind: FaultKind::PowerOff });
        let name = format!("seed {seed}, power off at write {nth}, {kind:?} at {op:?} {again}");
        let mut model = Model { name, ..Model::default() };
        model.drive(&disk).unwrap_err();
        let survived = disk.power_cut();
        survived.arm(Fault { op, nth: again, kind });
        match (try_open(&survived, &model.committed), kind) {
            (Ok(_), _) => {}
            (Err(_), FaultKind::PowerOff) => goes_on(&mut model, &survived.power_cut()),
            (Err(_), _) => goes_on(&mut model, &survived),
        }
    }
}

/// Checks what survived, appends to it, cuts the power again and checks again.
fn goes_on(model: &mut Model, disk: &SimDisk) {
    let mut journal = model.check(disk);
    // One sector: less than an unfinished write that it follows.
    model.append(&mut journal, vec![batch(partition(2), 7, 10)]).unwrap();
    drop(journal);
    let mut journal = model.check(&disk.power_cut());
    model.append(&mut journal, vec![batch(partition(9), 8, 10)]).unwrap();
}
