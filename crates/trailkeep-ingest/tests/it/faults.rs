//! I/O errors in both flavours: failed and not done, failed but done.
//!
//! Samples of a long run, also where it opens and reads, and each commit of the catalog.
//! `every_change` visits each change of the disk in a short run.

use trailkeep_catalog::{FaultOutcome, MemoryFault};
use trailkeep_io::{Fault, FaultKind, FaultOp};
use trailkeep_testkit::Random;

use crate::machine::{Machine, in_lanes};
use crate::script::{Producers, ROUNDS, check_machine};

const OPS: [FaultOp; 7] = [
    FaultOp::Write,
    FaultOp::Sync,
    FaultOp::SyncDir,
    FaultOp::Open,
    FaultOp::Rename,
    FaultOp::Remove,
    FaultOp::Read,
];
const KINDS: [FaultKind; 3] = [FaultKind::NotDone, FaultKind::Done, FaultKind::NoSpace];
/// How many places of each kind are tried.
const FAULTS_EACH: u64 = 1;
/// How many commits of the catalog are tried: more than a run has.
const COMMITS: u64 = 40;

/// Promises 1 and 2 after an I/O error: the store recovers or refuses until it is reopened
/// (invariant 9), and a power cut after that takes nothing that was acknowledged.
#[test]
fn an_io_error_anywhere_loses_and_doubles_nothing() {
    let whole = Machine::new(3);
    let running = whole.open().unwrap();
    Producers::default().run(&whole, &running, ROUNDS);
    let ops = whole.disk.ops();
    running.close().unwrap();

    let mut random = Random::new(11);
    let mut faults = Vec::new();
    for op in OPS {
        for kind in KINDS {
            let n_ops = ops.of(op).max(1);
            for part in 0..FAULTS_EACH {
                let (start, end) = (n_ops * part / FAULTS_EACH, n_ops * (part + 1) / FAULTS_EACH);
                let nth = start + 1 + random.below((end - start).max(1));
                faults.push(Fault { op, nth, kind });
            }
        }
    }
    in_lanes(&faults, |fault| {
        let machine = Machine::new(fault.nth);
        machine.disk.arm(*fault);
        let producers = broken_off(&machine);
        // A restart with the fault perhaps still to come, then a power cut.
        if let Ok(running) = machine.killed().open() {
            drop(running.close());
        }
        check_machine(&machine.power_cut(), &producers);
    });
}

/// The same for every commit of the catalog, which is the only commit point of a seal.
#[test]
fn a_failed_commit_loses_and_doubles_nothing() {
    let faults: Vec<MemoryFault> = (1..=COMMITS)
        .map(|nth| {
            let outcome = if nth % 2 == 0 { FaultOutcome::Done } else { FaultOutcome::NotDone };
            MemoryFault { nth: nth.div_ceil(2), outcome }
        })
        .collect();
    in_lanes(&faults, |fault| {
        let machine = Machine::new(fault.nth);
        machine.catalog.arm(*fault);
        let producers = broken_off(&machine);
        check_machine(&machine.power_cut(), &producers);
    });
}

fn broken_off(machine: &Machine) -> Producers {
    let mut producers = Producers::default();
    if let Ok(running) = machine.open() {
        producers.run(machine, &running, ROUNDS);
        drop(running.close());
    }
    producers
}
