//! Promise 2: a source id makes a retry harmless for as long as the event is stored.

use std::thread;
use std::time::Duration;

use trailkeep_event::{EventId, RejectionCode};
use trailkeep_io::Disk;

use crate::machine::{Machine, Running, event, event_with, everything, identified};
use crate::stored::Stored;

const IMPORTED: &str = ",\"instance\":\"import/job\",\"instance_seq\":7";
/// Where the numbered identifiers of runs lie.
const RUNS: &str = "objects/dup";

/// What was sent first: an event with a source id, and a line of an import job without one.
fn originals() -> [String; 2] {
    [identified("acme", "original"), event_with("acme", "line", IMPORTED)]
}

fn ids(running: &Running, events: &[String]) -> Vec<EventId> {
    let answer = running.submit(events).unwrap();
    answer.ids.into_iter().map(Option::unwrap).collect()
}

/// Sends everything that is, and is not, a duplicate of the originals.
fn check(stage: &str, running: &Running, first: &[EventId]) {
    let again = originals();
    let answer = running.submit(&again).unwrap();
    let duplicates: Vec<(usize, EventId)> = first.iter().copied().enumerate().collect();
    assert_eq!((answer.accepted, answer.duplicates), (0, duplicates), "{stage}: sent again");

    for (what, from, to) in [
        ("another action", "thing.done", "thing.undone"),
        ("another time", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000001Z"),
    ] {
        let changed: Vec<String> = again.iter().map(|event| event.replace(from, to)).collect();
        let answer = running.submit(&changed).unwrap();
        let codes: Vec<RejectionCode> = answer.rejected.iter().map(|(_, r)| r.code).collect();
        assert_eq!(codes, [RejectionCode::SourceIdConflict; 2], "{stage}: {what}");
        assert!(answer.rejected[0].1.detail.contains(&first[0].to_string()), "{stage}: {what}");
    }

    // The same ids in an account of their own, and an instance that is no import job.
    let account = format!("of-{stage}");
    let other = again.map(|event| event.replace("acme", &account));
    let web = event_with("acme", "web", ",\"instance\":\"web-1\",\"instance_seq\":7");
    let answer = running.submit(&[&other[..], &[web.clone(), web]].concat()).unwrap();
    assert_eq!(answer.accepted, 4, "{stage}: not the same");
    for tag in ["original", "line"] {
        let stored = Stored::of(&running.store);
        let of_acme = |id: &EventId| first.contains(id);
        let entries = stored.by_tag[tag].iter().map(|entry| entry.stamp.id).filter(of_acme);
        assert_eq!(entries.count(), 1, "{stage}: {tag} is stored once");
    }
}

#[test]
fn a_source_id_is_remembered_through_everything_that_happens_to_it() {
    let machine = Machine::new(1);
    let running = machine.open().unwrap();
    let first = ids(&running, &originals());
    check("tail", &running, &first);

    drop(running.close());
    let running = machine.open().unwrap();
    check("restart", &running, &first);

    running.store.flush().unwrap();
    assert_eq!(running.store.gauges().recent_source_ids, 0, "forgotten once it is in a run");
    check("sealed", &running, &first);

    running.store.flush().unwrap();
    assert!(running.wait_for(|store| store.stats().compactions.get() > 0));
    check("compacted", &running, &first);

    for round in 0..9 {
        machine.clock.advance(Duration::from_millis(5));
        running.submit(&[identified("acme", &format!("more-{round}"))]).unwrap();
        running.store.flush().unwrap();
    }
    let merged = |_: &_| {
        machine.clock.advance(Duration::from_millis(5));
        machine.disk.list(RUNS).unwrap().len() <= 8
    };
    assert!(running.wait_for(merged), "runs were merged and the old ones removed");
    check("merged", &running, &first);

    running.close().unwrap();
    let running = machine.open().unwrap();
    check("reopened", &running, &first);
}

/// A process that was killed with an unsealed tail.
#[test]
fn a_killed_process_remembers_what_it_acknowledged() {
    let machine = Machine::new(2);
    let running = machine.open().unwrap();
    let first = ids(&running, &originals());
    let killed = machine.power_cut();
    check("killed", &killed.open().unwrap(), &first);
}

/// The index is rebuilt from the segments where a part of it is lost.
#[test]
fn a_lost_run_is_rebuilt() {
    let machine = Machine::new(3);
    let running = machine.open().unwrap();
    let first = ids(&running, &originals());
    running.store.flush().unwrap();
    running.submit(&[identified("globex", "second")]).unwrap();
    running.close().unwrap();
    for run in machine.disk.list(RUNS).unwrap() {
        machine.disk.remove(&format!("{RUNS}/{}", run.name)).unwrap();
    }
    let running = machine.open().unwrap();
    check("rebuilt", &running, &first);
    running.close().unwrap();
    // What was rebuilt is what the catalog names now.
    let running = machine.open().unwrap();
    check("rebuilt-reopened", &running, &first);
    assert_eq!(running.submit(&[identified("globex", "second")]).unwrap().accepted, 0);
}

#[test]
fn twice_in_one_batch_is_once() {
    let machine = Machine::new(4);
    let running = machine.open().unwrap();
    let twice = [identified("acme", "a"), event("acme", "b"), identified("acme", "a")];
    let answer = running.submit(&twice).unwrap();
    let first = answer.ids[0].unwrap();
    assert_eq!((answer.accepted, answer.duplicates), (2, vec![(2, first)]));
    // Without a source id nothing is ever merged.
    assert_eq!(running.submit(&[event("acme", "b"), event("acme", "b")]).unwrap().accepted, 2);
    assert_eq!(Stored::of(&running.store).count("b"), 3);
}

#[test]
fn of_concurrent_submissions_exactly_one_is_first() {
    const RACES: usize = 40;
    let machine = Machine::new(5);
    let running = machine.open().unwrap();
    let answers: Vec<Vec<(usize, EventId)>> = thread::scope(|scope| {
        let running = &running;
        let producers = ["a", "b", "c", "d"].map(|key| {
            scope.spawn(move || {
                let race = |n: usize| {
                    let answer = running
                        .submit_as(&everything(key), &[identified("acme", &format!("race-{n}"))])
                        .unwrap();
                    (answer.accepted, answer.ids[0].unwrap())
                };
                (0..RACES).map(race).collect()
            })
        });
        producers.into_iter().map(|producer| producer.join().unwrap()).collect()
    });
    for race in 0..RACES {
        let n_first: usize = answers.iter().map(|of_key| of_key[race].0).sum();
        assert_eq!(n_first, 1, "race {race}");
        assert!(answers.iter().all(|of_key| of_key[race].1 == answers[0][race].1), "race {race}");
    }
    Stored::of(&running.store).check(&running.store);
    assert_eq!(Stored::of(&running.store).len(), RACES);
}
