//! A producer: sends batches, remembers every answer, sends again what was not answered.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};
use trailkeep_testkit::{EventMaker, Random};

use super::server::Api;
use super::stop::Stop;

/// The accounts of the events: `account-0` and on.
pub(crate) const ACCOUNTS: u64 = 6;
const BATCH_EVENTS_MAX: u64 = 50;
/// How many answered batches with source ids may be sent a second time.
const ANSWERED_BATCHES: usize = 8;
/// The longest pause between two batches: there is always a load, and never more than a walk can
/// look at in a few seconds.
const PAUSE_MICROS_MAX: u64 = 25_000;
/// One of so many batches was sent before.
const REPEATS: u64 = 10;

/// What is known of an event that was sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// No answer came: it is there at most once.
    Open,
    /// It was acknowledged or seen with this identifier: it is there exactly once.
    Sure(String),
}

/// Events that travel together: either all have source ids or none has.
#[derive(Clone, Debug)]
struct Batch {
    body: String,
    /// The number of its first event.
    first: usize,
    n_events: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    WithSourceIds,
    Plain,
}

/// A producer.
#[derive(Debug)]
pub(crate) struct Client {
    number: u64,
    random: Random,
    maker: EventMaker,
    fates: Vec<Fate>,
    /// A batch with source ids whose answer was lost.
    unanswered: Option<Batch>,
    /// Batches with source ids that were answered, the newest last.
    answered: VecDeque<Batch>,
    /// The events of the last answer.
    latest: std::ops::Range<usize>,
    n_found: u64,
    n_lost_answers: u64,
}

impl Client {
    pub(crate) fn new(number: u64, seed: u64) -> Self {
        Self {
            number,
            random: Random::new(seed),
            maker: EventMaker::new(seed).with_accounts(ACCOUNTS).with_step(1000),
            fates: Vec::new(),
            unanswered: None,
            answered: VecDeque::new(),
            latest: 0..0,
            n_found: 0,
            n_lost_answers: 0,
        }
    }

    /// Sends until it is told to stop.
    pub(crate) fn run(&mut self, api: &Api, stop: &Stop) {
        while !stop.within(Duration::from_micros(self.random.below(PAUSE_MICROS_MAX))) {
            let batch = self.next_batch();
            match api.send(&batch.body) {
                Ok(answer) => self.answered(batch, &answer),
                Err(error) => {
                    let stopped = stop.within(Duration::ZERO);
                    assert!(stopped, "the server lives and gave no answer: {error}");
                    self.lost(batch);
                }
            }
        }
    }

    /// Sends once more what was not answered, to a server that is not killed.
    pub(crate) fn settle(&mut self, api: &Api) {
        if let Some(batch) = self.unanswered.take() {
            let answer = api.send(&batch.body).unwrap();
            self.answered(batch, &answer);
        }
    }

    /// Returns markers and identifiers of a few events that were acknowledged last.
    pub(crate) fn latest(&self) -> Vec<(String, &str)> {
        let ends = [self.latest.clone().next(), self.latest.clone().next_back()];
        let ends = ends.into_iter().flatten();
        ends.filter_map(|index| match &self.fates[index] {
            Fate::Sure(id) => Some((marker(self.number, index), id.as_str())),
            Fate::Open => None,
        })
        .collect()
    }

    /// Returns what is known of each event, by its number.
    pub(crate) fn fates(&self) -> &[Fate] {
        &self.fates
    }

    /// Notes an event that was found: it must not vanish any more.
    ///
    /// # Errors
    /// Where it was acknowledged with another identifier or never sent.
    pub(crate) fn found(&mut self, index: usize, id: &str) -> Result<(), String> {
        match self.fates.get_mut(index) {
            None => Err("was never sent".to_owned()),
            Some(Fate::Sure(known)) if known != id => Err(format!("is {id} and was {known}")),
            Some(Fate::Sure(_id)) => Ok(()),
            Some(fate) => {
                *fate = Fate::Sure(id.to_owned());
                self.n_found += 1;
                Ok(())
            }
        }
    }

    fn next_batch(&mut self) -> Batch {
        if let Some(batch) = self.unanswered.take() {
            return batch;
        }
        if self.random.below(REPEATS) == 0 && !self.answered.is_empty() {
            let bound = u64::try_from(self.answered.len()).unwrap();
            let index = usize::try_from(self.random.below(bound)).unwrap();
            return self.answered.remove(index).unwrap();
        }
        self.new_batch()
    }

    fn new_batch(&mut self) -> Batch {
        let kind = *self.random.pick(&[Kind::WithSourceIds, Kind::Plain]);
        let n_events = usize::try_from(1 + self.random.skewed(BATCH_EVENTS_MAX)).unwrap();
        let first = self.fates.len();
        let mut body = String::new();
        for _event in 0..n_events {
            let mut event: Value = serde_json::from_str(&self.maker.next().unwrap()).unwrap();
            let marker = marker(self.number, self.fates.len());
            if kind == Kind::WithSourceIds {
                event["source_id"] = json!(format!("source-{marker}"));
            }
            event["correlation_id"] = json!(marker);
            body.push_str(&event.to_string());
            body.push('\n');
            self.fates.push(Fate::Open);
        }
        Batch { body, first, n_events, kind }
    }

    fn lost(&mut self, batch: Batch) {
        self.n_lost_answers += 1;
        if batch.kind == Kind::WithSourceIds {
            self.unanswered = Some(batch);
        }
    }

    /// Checks an answer against what is known and remembers it.
    fn answered(&mut self, batch: Batch, answer: &Value) {
        let events = batch.first..batch.first + batch.n_events;
        let ids = answer["ids"].as_array().unwrap();
        let duplicates = answer["duplicates"].as_array().unwrap();
        let accepted = usize::try_from(answer["accepted"].as_u64().unwrap()).unwrap();
        assert_eq!(answer["rejected"], json!([]), "nothing is wrong with any event");
        assert_eq!(ids.len(), batch.n_events, "{answer}");
        assert_eq!(accepted + duplicates.len(), batch.n_events, "{answer}");
        let is_duplicate: Vec<bool> = (0..batch.n_events)
            .map(|index| duplicates.iter().any(|duplicate| duplicate["index"] == index))
            .collect();
        for ((index, id), is_duplicate) in events.clone().zip(ids).zip(is_duplicate) {
            let (marker, id) = (marker(self.number, index), id.as_str().unwrap());
            match &self.fates[index] {
                Fate::Sure(known) => {
                    assert_eq!(id, known, "{marker} has one identifier");
                    assert!(is_duplicate, "{marker} was admitted a second time: {answer}");
                }
                Fate::Open => self.fates[index] = Fate::Sure(id.to_owned()),
            }
        }
        self.latest = events;
        if batch.kind == Kind::WithSourceIds {
            self.answered.push_back(batch);
            if self.answered.len() > ANSWERED_BATCHES {
                self.answered.pop_front();
            }
        }
    }
}

/// Returns the text by which an event is recognized.
fn marker(client: u64, index: usize) -> String {
    format!("crash-{client}-{index}")
}

/// Returns the client and the number of an event.
pub(crate) fn parse_marker(marker: &str) -> Option<(usize, usize)> {
    let (client, index) = marker.strip_prefix("crash-")?.split_once('-')?;
    Some((client.parse().ok()?, index.parse().ok()?))
}

/// Returns a line about what was sent.
pub(crate) fn summary(clients: &[Client]) -> String {
    let n_events: usize = clients.iter().map(|client| client.fates.len()).sum();
    let n_sure = clients.iter().flat_map(Client::fates).filter(|fate| **fate != Fate::Open).count();
    let n_lost: u64 = clients.iter().map(|client| client.n_lost_answers).sum();
    let n_found: u64 = clients.iter().map(|client| client.n_found).sum();
    format!(
        "{n_events} events sent, {n_sure} are there once; \
         {n_lost} answers lost, {n_found} events found that were not acknowledged"
    )
}
