//! Clocks that jump, ours and the producers'.

use std::time::Duration;

use trailkeep_event::{Entry, Field, Fields, Micros};

use crate::machine::{Machine, START, event};
use crate::stored::Stored;

const HOUR: i64 = 3_600_000_000;

/// `created_at` never goes back within a log, whatever our clock does, across restarts too.
#[test]
fn a_clock_that_goes_back_does_not_turn_the_log_around() {
    let machine = Machine::new(1);
    let running = machine.open().unwrap();
    running.submit(&[event("acme", "0")]).unwrap();
    machine.clock.set(START - HOUR);
    running.submit(&[event("acme", "1"), event("globex", "1")]).unwrap();
    running.store.flush().unwrap();
    machine.clock.set(START - 2 * HOUR);
    running.submit(&[event("acme", "2")]).unwrap();

    let running = machine.power_cut().open().unwrap();
    running.submit(&[event("acme", "3"), event("fresh", "3")]).unwrap();
    machine.clock.set(START + 1);
    running.submit(&[event("acme", "4")]).unwrap();
    let stored = Stored::of(&running.store);
    stored.check(&running.store);
    let created = |entry: &Entry| entry.stamp.created_at;
    for entry in stored.entries() {
        let expected = if entry.text(Field::ResourceId) == Some("4") { START + 1 } else { START };
        assert_eq!(created(entry), Micros(expected));
    }
    running.close().unwrap();
}

/// An event more than ten minutes ahead of us is kept, flagged, and sorted at `created_at`.
#[test]
fn a_producer_more_than_ten_minutes_ahead_is_flagged() {
    let machine = Machine::new(2);
    let running = machine.open().unwrap();
    let at = |tag: &str, micros: i64| {
        let occurred_at = Micros(START + micros).to_string();
        event("acme", tag).replace("2026-01-01T00:00:00Z", &occurred_at)
    };
    let minutes = |n: u64| i64::try_from(Duration::from_mins(n).as_micros()).unwrap();
    let sent = [at("at", minutes(10)), at("beyond", minutes(10) + 1), at("before", -minutes(999))];
    assert_eq!(running.submit(&sent).unwrap().accepted, 3);
    for sealed in [false, true] {
        if sealed {
            running.store.flush().unwrap();
        }
        let stored = Stored::of(&running.store);
        let of = |tag: &str| {
            let entry = stored.by_tag[tag].first().unwrap();
            (entry.stamp.clock_skew, entry.view().sort_at().0 - START)
        };
        assert_eq!(of("at"), (false, minutes(10)), "sealed: {sealed}");
        assert_eq!(of("beyond"), (true, 0), "sealed: {sealed}");
        assert_eq!(of("before"), (false, -minutes(999)), "sealed: {sealed}");
    }
}
