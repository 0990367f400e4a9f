//! Power cuts in a long run: one that merges runs of source ids too, and in which recovery loses
//! power as well. Samples: `every_change` visits each change of a short run.

use trailkeep_io::{Disk, Fault, FaultKind, FaultOp};
use trailkeep_testkit::Random;

use crate::machine::{Machine, in_lanes};
use crate::script::{Producers, ROUNDS, check_machine};

const CHANGES: [FaultOp; 5] =
    [FaultOp::Write, FaultOp::Sync, FaultOp::SyncDir, FaultOp::Rename, FaultOp::Remove];
/// How many places of each kind are tried; which ones depends on the seed.
const CUTS_EACH: u64 = 3;

#[test]
fn the_script_uses_every_step() {
    let machine = Machine::new(1);
    let running = machine.open().unwrap();
    let mut producers = Producers::default();
    producers.run(&machine, &running, ROUNDS);
    assert!(producers.finished, "the script came to its end");
    assert!(producers.compactions > 0, "segments were merged");
    // Nine runs are one too many; garbage and released journal files are removed.
    assert!(running.wait_for(|_| machine.disk.list("objects/dup").unwrap().len() <= 8));
    assert!(running.wait_for(|_| machine.disk.ops().removes > 12));
    producers.check(&running);
    running.close().unwrap();
    check_machine(&machine.killed(), &producers);
}

/// Promise 1: a power loss at any instant loses nothing acknowledged. Promise 2: and doubles
/// nothing.
#[test]
fn a_power_cut_at_any_change_loses_and_doubles_nothing() {
    let whole = Machine::new(2);
    let running = whole.open().unwrap();
    Producers::default().run(&whole, &running, ROUNDS);
    let ops = whole.disk.ops();
    running.close().unwrap();

    let mut random = Random::new(7);
    let mut cuts = Vec::new();
    for op in CHANGES {
        let n_ops = ops.of(op).max(1);
        for part in 0..CUTS_EACH {
            // One place in each stretch of the run.
            let (start, end) = (n_ops * part / CUTS_EACH, n_ops * (part + 1) / CUTS_EACH);
            cuts.push((op, start + 1 + random.below((end - start).max(1))));
        }
    }
    in_lanes(&cuts, |(op, nth)| cut_and_check(*op, *nth));
}

fn cut_and_check(op: FaultOp, nth: u64) {
    let machine = Machine::new(nth);
    machine.disk.arm(Fault { op, nth, kind: FaultKind::PowerOff });
    let mut producers = Producers::default();
    if let Ok(running) = machine.open() {
        producers.run(&machine, &running, ROUNDS);
        drop(running.close());
    }
    let mut survived = machine.power_cut();
    // Recovery may lose power, too: once, at one of its first changes.
    survived.disk.arm(Fault { op, nth: 1 + nth % 4, kind: FaultKind::PowerOff });
    if let Ok(running) = survived.open() {
        drop(running.close());
    }
    survived = survived.power_cut();
    check_machine(&survived, &producers);
}
