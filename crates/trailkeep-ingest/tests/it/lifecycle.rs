//! Opening, closing, and two stores on one catalog.

use std::time::Duration;

use trailkeep_event::Recorder;
use trailkeep_ingest::{Error, StoreOptions, Unavailable};
use trailkeep_io::{Clock, Disk, SystemClock};

use crate::machine::{Machine, event, identified, runtime, unmerged};
use crate::stored::Stored;

#[test]
fn closing_seals_everything() {
    let machine = Machine::new(1);
    let running = machine.open().unwrap();
    running.submit(&[event("acme", "a"), identified("globex", "b")]).unwrap();
    let store = running.store.clone();
    running.close().unwrap();
    assert_eq!(store.gauges().tail_rows, 0);
    let submitted = machine.open().unwrap();
    assert_eq!(submitted.store.gauges().sealed_rows, 2);
    assert_eq!(submitted.store.gauges().tail_rows, 0);
    assert_eq!(submitted.store.gauges().accounts, 2);
}

#[test]
fn a_closed_store_says_so() {
    let machine = Machine::new(2);
    let running = machine.open().unwrap();
    running.store.close().unwrap();
    assert_eq!(running.submit(&[event("acme", "a")]).unwrap_err(), Unavailable::Closing);
    let row = running.store.system_event("thing.done", "info", "{}");
    assert!(running.store.record(row).is_err());
}

#[test]
fn what_is_acknowledged_is_visible_and_followed_at_once() {
    let machine = Machine::new(3);
    let running = machine.open().unwrap();
    let mut followed = running.store.follow();
    let answer = running.submit(&[event("acme", "a"), event("acme", "b")]).unwrap();
    assert_eq!(answer.ranges["acme"], (0, 1));
    assert_eq!(Stored::of(&running.store).len(), 2);
    let batch = followed.try_recv().unwrap();
    assert_eq!(batch.seqs.as_ref(), [0, 1]);
    assert_eq!(Some(batch.frame), answer.position.map(|position| position.frame));
}

/// A large tail wakes the sealer, whoever else waits for something: with one condition for all, a
/// wake-up could end at another thread, and the sealer slept on for half a second.
#[test]
fn a_large_tail_is_sealed_at_once() {
    const ROUNDS: u32 = 40;
    let machine = Machine::new(5);
    let running = machine.open_with(StoreOptions { seal_bytes: 1, ..unmerged() }).unwrap();
    let clock = SystemClock::new();
    for round in 0..ROUNDS {
        running.submit(&[event("acme", &format!("e{round}"))]).unwrap();
        assert!(running.wait_for(|store| store.gauges().tail_rows == 0));
    }
    // A turn of the sealer that was slept through in every second round would be 10 s.
    assert!(clock.monotonic() < Duration::from_millis(500) * ROUNDS / 4);
    running.close().unwrap();
}

/// Files that are kept ready for a load, and those that it filled, are gone when it is over.
#[test]
fn a_store_at_rest_has_one_journal_file() {
    let machine = Machine::new(6);
    let running = machine.open_with(unmerged()).unwrap();
    let n_files = || machine.disk.list("journal").unwrap().len();
    for n in 0..40 {
        running.submit(&[event("acme", &format!("e{n}"))]).unwrap();
    }
    assert!(running.wait_for(|_| n_files() >= 5), "full ones, and two that are ready");
    running.store.flush().unwrap();
    let at_rest = |_: &_| {
        machine.clock.advance(Duration::from_millis(20));
        n_files() == 1
    };
    assert!(running.wait_for(at_rest), "{:?}", machine.disk.list("journal"));
    running.submit(&[event("acme", "after")]).unwrap();
    running.close().unwrap();
}

/// Whoever acquires the lease last is the one; the epoch fences what the other had under way.
#[test]
fn a_store_that_was_taken_over_stops_and_changes_nothing() {
    let machine = Machine::new(4);
    let first = machine.open().unwrap();
    first.submit(&[identified("acme", "a")]).unwrap();
    let second = machine.killed().open().unwrap();
    assert!(matches!(first.store.flush(), Err(Error::Stopped)));
    assert!(first.store.gauges().stopped);
    assert_eq!(first.submit(&[event("acme", "b")]).unwrap_err(), Unavailable::Stopped);
    assert_eq!(Stored::of(&first.store).len(), 1, "reads go on");
    assert!(first.close().is_err());

    second.submit(&[event("acme", "c")]).unwrap();
    second.close().unwrap();
    let third = machine.killed().open().unwrap();
    let stored = Stored::of(&third.store);
    stored.check(&third.store);
    assert_eq!(stored.by_tag.keys().collect::<Vec<_>>(), ["a", "c"]);
    runtime().block_on(third.store.catalog().check()).unwrap();
}
