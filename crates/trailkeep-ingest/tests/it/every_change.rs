//! Every change of the disk in a run so short that each is visited: power cuts, and I/O errors in
//! both flavours (failed and not done, failed but done), and no room.

use trailkeep_io::{Fault, FaultKind, FaultOp};

use crate::machine::{Machine, in_lanes};
use crate::script::{AFTER, Producers, ROUNDS_SMALL, after};
use crate::stored::Stored;

const CHANGES: [FaultOp; 5] =
    [FaultOp::Write, FaultOp::Sync, FaultOp::SyncDir, FaultOp::Rename, FaultOp::Remove];
/// The threads of a store take turns in another way each time: so many more changes are tried than
/// one run had.
const MORE: u64 = 2;

/// Promise 1: a power loss at any instant loses nothing acknowledged (sectors written since the
/// last fsync stay or go one by one). Promise 2: and doubles nothing.
#[test]
fn a_power_cut_at_every_change_loses_and_doubles_nothing() {
    in_lanes(&faults(&[FaultKind::PowerOff]), |fault| {
        if let Some((machine, producers)) = broken_off(*fault) {
            check(&machine.power_cut(), &producers);
        }
    });
}

/// The same for errors: the store goes on or refuses until it is reopened (invariant 9, which the
/// run itself checks), and a power cut after that takes nothing that was acknowledged or found.
#[test]
fn an_error_at_every_change_loses_and_doubles_nothing() {
    in_lanes(&faults(&[FaultKind::NotDone, FaultKind::Done, FaultKind::NoSpace]), |fault| {
        if let Some((machine, producers)) = broken_off(*fault) {
            check(&machine.killed(), &producers);
        }
    });
}

/// Makes each fault at each change that a whole run has.
fn faults(kinds: &[FaultKind]) -> Vec<Fault> {
    let machine = Machine::new(1);
    let running = machine.open().unwrap();
    let mut producers = Producers::default();
    producers.run(&machine, &running, ROUNDS_SMALL);
    assert!(producers.finished && producers.compactions > 0, "the run uses every step");
    running.close().unwrap();
    let ops = machine.disk.ops();
    let mut faults = Vec::new();
    for op in CHANGES {
        assert!(ops.of(op) > 1, "the run has changes of each kind: {ops:?}");
        for nth in 1..=ops.of(op) + MORE {
            faults.extend(kinds.iter().map(|kind| Fault { op, nth, kind: *kind }));
        }
    }
    // Only what grows a file can find no room.
    faults.retain(|fault| fault.kind != FaultKind::NoSpace || fault.op == FaultOp::Write);
    faults
}

/// Runs until the fault ends it, or to the end; `None` where this run had too few changes for it.
fn broken_off(fault: Fault) -> Option<(Machine, Producers)> {
    let machine = Machine::new(fault.nth);
    machine.disk.arm(fault);
    let mut producers = Producers::default();
    if let Ok(running) = machine.open() {
        producers.run(&machine, &running, ROUNDS_SMALL);
        drop(running.close());
    }
    let reached = machine.disk.ops().of(fault.op) >= fault.nth;
    reached.then_some((machine, producers))
}

/// Opens, checks, goes on, cuts the power, and checks again.
fn check(machine: &Machine, producers: &Producers) {
    let running = machine.open().unwrap();
    let found = Stored::of(&running.store);
    producers.check_stored(&found);
    producers.check_retries(&running, &found);
    let answer = running.submit(&after()).unwrap();
    assert_eq!(answer.accepted, AFTER.len());
    let before = Stored::of(&running.store);
    let cut = machine.power_cut();
    running.crash(&machine.disk);

    let running = cut.open().unwrap();
    let found = Stored::of(&running.store);
    producers.check_stored(&found);
    assert_eq!(found.by_tag, before.by_tag, "what was found is there for good");
    running.crash(&cut.disk);
}
