//! A scripted run that uses every step of the write path, and what must hold after it broke off.

use std::collections::BTreeMap;
use std::time::Duration;

use trailkeep_event::EventId;
use trailkeep_ingest::{Answer, Store, Unavailable};

use crate::machine::{Machine, Running, event, identified};
use crate::stored::Stored;

/// As many rounds as make nine runs, which is one too many: some are merged.
pub(crate) const ROUNDS: usize = 12;
/// As few as seal, merge, begin a second journal file, and remove what was merged.
pub(crate) const ROUNDS_SMALL: usize = 3;
/// How many files of merged segments the small run removes.
const REMOVED_SMALL: u64 = 6;
/// The tags of what is sent to a store that goes on.
pub(crate) const AFTER: [&str; 2] = ["after", "after-id"];
const ACCOUNTS: [&str; 3] = ["acme", "globex", "initech"];

/// What the producers know of their events.
#[derive(Debug, Default)]
pub(crate) struct Producers {
    /// The events that were acknowledged, by tag.
    acknowledged: BTreeMap<String, Sent>,
    /// The events whose submission failed: stored at most once.
    unknown: BTreeMap<String, String>,
    /// Whether the run came to its end.
    pub(crate) finished: bool,
    pub(crate) compactions: u64,
}

#[derive(Debug)]
struct Sent {
    json: String,
    id: EventId,
}

impl Producers {
    /// Runs against a store until it ends or the store refuses. Submissions with and without
    /// source ids over several accounts, retries, seals, compactions, merged runs and garbage.
    pub(crate) fn run(&mut self, machine: &Machine, running: &Running, rounds: usize) {
        for round in 0..rounds {
            // Garbage is what was replaced before this moment.
            machine.clock.advance(Duration::from_millis(5));
            let batch = |part: usize| -> Vec<(String, String)> {
                ACCOUNTS.iter().map(|account| tagged(account, round, part)).collect()
            };
            for part in 0..3 {
                if self.submit(running, &batch(part)).is_err() {
                    return;
                }
            }
            // A retry of what was acknowledged is harmless.
            let again = batch(0);
            if let Ok(answer) = running.submit(&jsons(&again)) {
                assert_eq!(answer.accepted, 0, "a retry was admitted again");
            }
            if running.store.flush().is_err() {
                return;
            }
            // The compactor works beside the script; a fault may keep it from ever being done.
            let failed = |store: &Store| store.stats().failures.get() > 0;
            running.wait_for(|store| store.gauges().segments <= 1 || failed(store));
        }
        if rounds >= ROUNDS_SMALL {
            let removed = |store: &Store| {
                machine.disk.ops().removes >= REMOVED_SMALL || store.stats().failures.get() > 0
            };
            running.wait_for(removed);
        }
        self.compactions = running.store.stats().compactions.get();
        self.finished = true;
    }

    /// Sends events and notes what is known of them after the answer.
    fn submit(
        &mut self,
        running: &Running,
        batch: &[(String, String)],
    ) -> Result<Answer, Unavailable> {
        let answer = running.submit(&jsons(batch));
        for (index, (tag, json)) in batch.iter().enumerate() {
            match &answer {
                Ok(answer) => {
                    let id = answer.ids[index].unwrap_or_else(|| panic!("{tag}: {answer:?}"));
                    let sent = Sent { json: json.clone(), id };
                    self.acknowledged.insert(tag.clone(), sent);
                }
                Err(_) => {
                    self.unknown.insert(tag.clone(), json.clone());
                }
            }
        }
        if let Err(Unavailable::Stopped) = &answer {
            // Invariant 9: nothing is taken any more, by anybody, until it is reopened.
            let other = running.submit(&[event("umbrella", "refused")]);
            assert_eq!(other.unwrap_err(), Unavailable::Stopped);
            assert!(running.store.is_stopped() && running.store.flush().is_err());
        }
        answer
    }

    /// Checks promises 1 and 2 after a restart: what was acknowledged is there, once, as it was
    /// answered; what was not is there at most once; and a retry of either stores nothing twice.
    pub(crate) fn check(&self, running: &Running) {
        let stored = Stored::of(&running.store);
        stored.check(&running.store);
        self.check_stored(&stored);
        self.check_retries(running, &stored);
    }

    /// Checks what is stored, without looking entries up or sending anything.
    pub(crate) fn check_stored(&self, stored: &Stored) {
        stored.check_logs();
        for (tag, sent) in &self.acknowledged {
            let entries = stored.by_tag.get(tag).map_or(&[][..], Vec::as_slice);
            let ids: Vec<EventId> = entries.iter().map(|entry| entry.stamp.id).collect();
            assert_eq!(ids, [sent.id], "{tag}, which was acknowledged");
        }
        for tag in self.unknown.keys() {
            assert!(stored.count(tag) <= 1, "{tag}, which was not acknowledged");
        }
        let n_known = self.acknowledged.len() + self.unknown.len();
        let n_after = AFTER.iter().map(|tag| stored.count(tag)).sum::<usize>();
        assert!(stored.len() <= n_known + n_after, "nothing that nobody sent");
    }

    /// Checks that a retry of what was acknowledged is known, and one of what was not stores it once.
    pub(crate) fn check_retries(&self, running: &Running, before: &Stored) {
        let identified = |json: &&String| json.contains("\"source_id\"");
        let acknowledged: Vec<&Sent> =
            self.acknowledged.values().filter(|sent| identified(&&sent.json)).collect();
        let lines: Vec<String> = acknowledged.iter().map(|sent| sent.json.clone()).collect();
        if !lines.is_empty() {
            let answer = running.submit(&lines).unwrap();
            assert_eq!((answer.accepted, answer.rejected), (0, vec![]));
            let ids: Vec<Option<EventId>> = acknowledged.iter().map(|sent| Some(sent.id)).collect();
            assert_eq!(answer.ids, ids, "a duplicate is answered with the first identifier");
        }
        let unknown: Vec<String> = self.unknown.values().filter(identified).cloned().collect();
        if !unknown.is_empty() {
            running.submit(&unknown).unwrap();
        }
        let after = Stored::of(&running.store);
        for (tag, json) in &self.unknown {
            let expected = if json.contains("\"source_id\"") { 1 } else { before.count(tag) };
            assert_eq!(after.count(tag), expected, "{tag} after a retry");
        }
    }
}

/// Checks a machine that broke off at any place: it opens, keeps the promises, goes on, seals
/// everything when it closes, and is the same after another start.
pub(crate) fn check_machine(machine: &Machine, producers: &Producers) {
    let running = machine.open().unwrap();
    producers.check(&running);
    running.submit(&after()).unwrap();
    let before = Stored::of(&running.store);
    running.close().unwrap();

    let again = machine.killed().open().unwrap();
    assert_eq!(again.store.gauges().tail_rows, 0, "closing seals everything");
    assert_eq!(Stored::of(&again.store).by_tag, before.by_tag);
    again.close().unwrap();
}

/// What is sent to a store that goes on.
pub(crate) fn after() -> [String; 2] {
    [event("acme", AFTER[0]), identified("globex", AFTER[1])]
}

/// The first part of each round has source ids, the second has none.
fn tagged(account: &str, round: usize, part: usize) -> (String, String) {
    let tag = format!("{account}-{round}-{part}");
    let json = if part == 0 { identified(account, &tag) } else { event(account, &tag) };
    (tag, json)
}

fn jsons(batch: &[(String, String)]) -> Vec<String> {
    batch.iter().map(|(_, json)| json.clone()).collect()
}
