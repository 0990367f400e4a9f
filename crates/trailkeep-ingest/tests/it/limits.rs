//! Quotas, back pressure and full disks.

use std::sync::Arc;
use std::time::Duration;

use trailkeep_event::{Field, Fields, Recorder, RejectionCode};
use trailkeep_ingest::{DiskMarks, DiskState, StoreOptions, Submitter, Unavailable};
use trailkeep_io::Disk;
use trailkeep_journal::JournalOptions;
use trailkeep_scope::WriteScope;
use trailkeep_testkit::Random;

use crate::machine::{Machine, Running, event, event_with, identified, small, unmerged};
use crate::stored::Stored;

const MIB: u64 = 1 << 20;

fn submitter(key_id: &str, scope: WriteScope) -> Submitter {
    Submitter { key_id: key_id.into(), scope: Arc::new(scope) }
}

#[test]
fn a_key_has_its_events_a_second() {
    let machine = Machine::new(1);
    let running = machine.open().unwrap();
    let scope = WriteScope { events_per_second_max: Some(2), ..WriteScope::everything() };
    let slow = submitter("slow", scope);
    let two = [event("acme", "a"), event("acme", "b")];
    running.submit_as(&slow, &two).unwrap();
    let refused = running.submit_as(&slow, &two).unwrap_err();
    let Unavailable::KeyQuota { retry_after } = refused else { panic!("{refused:?}") };
    assert!(retry_after <= Duration::from_secs(1));
    running.submit(&two).unwrap();
    machine.clock.advance(retry_after + Duration::from_millis(1));
    running.submit_as(&slow, &two).unwrap();
    assert_eq!(running.store.stats().refused.get(), 1);
    assert_eq!(Stored::of(&running.store).len(), 6);
}

#[test]
fn an_account_has_its_events_a_second() {
    let machine = Machine::new(2);
    let options = StoreOptions { account_events_per_second_max: Some(1), ..small() };
    let running = machine.open_with(options).unwrap();
    running.submit(&[event("globex", "a")]).unwrap();
    let refused = running.submit(&[event("acme", "b"), event("globex", "b")]).unwrap_err();
    assert!(matches!(refused, Unavailable::AccountQuota { .. }), "{refused:?}");
    // Nothing was taken from the other account.
    running.submit(&[event("acme", "a")]).unwrap();
    machine.clock.advance(Duration::from_secs(2));
    running.submit(&[event("acme", "b"), event("globex", "b")]).unwrap();
    assert_eq!(Stored::of(&running.store).len(), 4);
}

/// What is refused for any other reason costs nothing of a quota.
#[test]
fn a_refused_submission_gives_its_quota_back() {
    let machine = Machine::new(7);
    let running = machine.open().unwrap();
    let scope = WriteScope { events_per_second_max: Some(1), ..WriteScope::everything() };
    machine.disk.set_free_bytes(0);
    // Fills the journal's file: the writer itself refuses what follows.
    let full = |n: usize| running.submit(&[event("acme", &format!("e{n}"))]).is_err();
    assert!((0..200).any(full));
    let slow = submitter("slow", scope);
    for _again in 0..3 {
        let refused = running.submit_as(&slow, &[event("acme", "slow")]);
        assert_eq!(refused.unwrap_err(), Unavailable::DiskFull);
    }
    machine.disk.set_free_bytes(100 * MIB);
    running.submit_as(&slow, &[event("acme", "slow")]).unwrap();
    let refused = running.submit_as(&slow, &[event("acme", "slow")]).unwrap_err();
    assert!(matches!(refused, Unavailable::KeyQuota { .. }), "{refused:?}");
}

#[test]
fn an_account_is_created_only_where_the_key_may() {
    let machine = Machine::new(3);
    let running = machine.open().unwrap();
    let scope = WriteScope { accounts_create: false, ..WriteScope::everything() };
    let guest = submitter("guest", scope);
    let answer = running.submit_as(&guest, &[event("acme", "a")]).unwrap();
    assert_eq!(answer.rejected[0].1.code, RejectionCode::UnknownAccount);
    running.submit(&[event("acme", "b")]).unwrap();
    assert_eq!(running.submit_as(&guest, &[event("acme", "a")]).unwrap().accepted, 1);
    // An account is known after a restart, sealed or not.
    let cut = machine.power_cut();
    let again = cut.open().unwrap();
    assert_eq!(again.submit_as(&guest, &[event("acme", "c")]).unwrap().accepted, 1);
    again.close().unwrap();
    let again = cut.killed().open().unwrap();
    assert_eq!(again.submit_as(&guest, &[event("acme", "d")]).unwrap().accepted, 1);
}

#[test]
fn events_wait_while_sealing_has_fallen_behind() {
    let machine = Machine::new(4);
    let options = StoreOptions { tail_bytes_max: 1, ..small() };
    let running = machine.open_with(options).unwrap();
    running.submit(&[event("acme", "a")]).unwrap();
    assert_eq!(running.submit(&[event("acme", "b")]).unwrap_err(), Unavailable::Busy);
    record(&running);
    running.store.flush().unwrap();
    running.submit(&[event("acme", "b")]).unwrap();
}

/// R448, design 5.6: warn, refuse, and keep room for `system` entries.
#[test]
fn a_full_disk_refuses_events_and_keeps_room_for_system_entries() {
    let machine = Machine::new(5);
    let disk = DiskMarks { high_bytes: 4 * MIB, low_bytes: 2 * MIB, reserve_bytes: MIB };
    let running = machine.open_with(StoreOptions { disk, ..small() }).unwrap();
    let holds_reserve =
        || machine.disk.list("").unwrap().iter().any(|entry| entry.name == "RESERVE");
    let state = |free_bytes: u64| {
        machine.disk.set_free_bytes(free_bytes);
        // The sealer looks at the disk before it does anything.
        running.store.flush().unwrap();
        running.store.gauges().disk
    };
    assert_eq!((state(100 * MIB), holds_reserve()), (DiskState::Roomy, true));
    assert_eq!((state(3 * MIB), holds_reserve()), (DiskState::Tight, true));
    running.submit(&[event("acme", "tight")]).unwrap();
    assert_eq!((state(2 * MIB - 1), holds_reserve()), (DiskState::Full, false));
    assert_eq!(running.submit(&[event("acme", "full")]).unwrap_err(), Unavailable::DiskFull);
    record(&running);
    // The reserve's own room is not room for events.
    running.store.flush().unwrap();
    assert_eq!(running.store.gauges().disk, DiskState::Full);
    assert_eq!((state(100 * MIB), holds_reserve()), (DiskState::Roomy, true));
    running.submit(&[event("acme", "roomy")]).unwrap();
    let stored = Stored::of(&running.store);
    stored.check(&running.store);
    assert_eq!((stored.count("full"), stored.len()), (0, 3));
}

/// R448: what is in the tail when the disk fills up to its last byte is sealed with no more room
/// than the reserve had, a part at a time, also by a shutdown.
#[test]
fn a_full_disk_is_sealed_with_the_room_of_the_reserve() {
    const RESERVE_BYTES: u64 = 256 << 10;
    let machine = Machine::new(8);
    let marks = DiskMarks { high_bytes: 8 * MIB, low_bytes: 4 * MIB, reserve_bytes: RESERVE_BYTES };
    let journal = JournalOptions { file_bytes: 64 << 10, write_bytes_max: 32 << 10 };
    let options = StoreOptions { disk: marks, journal, ..unmerged() };
    let running = machine.open_with(options.clone()).unwrap();
    running.store.flush().unwrap();
    let mut random = Random::new(8);
    let mut n_sent = 0;
    while running.store.gauges().tail_bytes < 3 * RESERVE_BYTES {
        let noise = |_| format!("{:016x}", random.number());
        let noise: String = (0..100).map(noise).collect();
        let members = format!(",\"reason\":\"{noise}\"");
        running.submit(&[event_with("acme", &format!("e{n_sent}"), &members)]).unwrap();
        n_sent += 1;
    }
    machine.disk.set_free_bytes(0);
    let before = Stored::of(&running.store);
    // Nobody asks for it: a full disk does.
    assert!(running.wait_for(|store| store.gauges().tail_rows == 0));
    assert_eq!(running.store.gauges().disk, DiskState::Full);
    assert!(running.store.gauges().segments >= 3, "a part at a time");
    running.submit(&[event("acme", "refused")]).unwrap_err();
    record(&running);
    running.close().unwrap();
    let running = machine.killed().open_with(options).unwrap();
    let stored = Stored::of(&running.store);
    assert_eq!((stored.len(), running.store.gauges().tail_rows), (n_sent + 1, 0));
    assert!(before.by_tag.iter().all(|(tag, entries)| stored.by_tag.get(tag) == Some(entries)));
}

fn record(running: &Running) {
    let row = running.store.system_event("thing.noticed", "warning", "{\"n\":1}");
    running.store.record(row).unwrap();
    let stored = Stored::of(&running.store);
    let system = stored.entries().filter(|e| e.text(Field::Category) == Some("system")).count();
    assert_eq!(system, 1, "the system entry is stored");
}

/// R448: a journal without room for its next file refuses, remembers nothing of what it refused, and
/// goes on when there is room.
#[test]
fn a_submission_that_found_no_room_can_be_sent_again() {
    let machine = Machine::new(6);
    let running = machine.open().unwrap();
    machine.disk.set_free_bytes(0);
    let send = |n: usize| running.submit(&[identified("acme", &format!("e{n}"))]);
    let refused = (0..200).find_map(|n| send(n).err().map(|why| (n, why)));
    let Some((n, Unavailable::DiskFull)) = refused else { panic!("{refused:?}") };
    assert_eq!(send(n).unwrap_err(), Unavailable::DiskFull);
    machine.disk.set_free_bytes(100 * MIB);
    assert_eq!(send(n).unwrap().accepted, 1);
    assert_eq!(send(n).unwrap().accepted, 0);
    let stored = Stored::of(&running.store);
    stored.check(&running.store);
    assert_eq!(stored.len(), n + 1);
}
