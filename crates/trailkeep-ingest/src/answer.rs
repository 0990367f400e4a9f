//! What a submission is answered with.

use std::collections::BTreeMap;

use trailkeep_event::{EventId, Position, Rejection};

/// The answer to one submission. It is given once every accepted event is durable.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// How many events were admitted.
    pub accepted: usize,
    /// The events that were admitted before: their index and the first one's identifier.
    pub duplicates: Vec<(usize, EventId)>,
    /// The events that were not admitted: their index and why.
    pub rejected: Vec<(usize, Rejection)>,
    /// The place of the last admitted event.
    pub position: Option<Position>,
    /// For each event its identifier (a duplicate's is the first one's), `None` where rejected.
    pub ids: Vec<Option<EventId>>,
    /// For each account the first and last log index that this submission took.
    pub ranges: BTreeMap<Box<str>, (u64, u64)>,
}

impl Answer {
    /// Starts the answer to `n_events` events.
    pub(crate) fn of(n_events: usize) -> Self {
        Self { ids: vec![None; n_events], ..Self::default() }
    }

    pub(crate) fn duplicate(&mut self, index: usize, id: EventId) {
        self.duplicates.push((index, id));
        self.set_id(index, id);
    }

    pub(crate) fn reject(&mut self, index: usize, rejection: Rejection) {
        self.rejected.push((index, rejection));
    }

    pub(crate) fn accept(&mut self, index: usize, id: EventId) {
        self.accepted = self.accepted.saturating_add(1);
        self.set_id(index, id);
    }

    /// Notes the log index of an accepted event.
    pub(crate) fn placed(&mut self, account_id: &str, seq: u64, position: Position) {
        self.position = Some(position);
        if let Some(range) = self.ranges.get_mut(account_id) {
            *range = (range.0.min(seq), range.1.max(seq));
        } else {
            self.ranges.insert(account_id.into(), (seq, seq));
        }
    }

    fn set_id(&mut self, index: usize, id: EventId) {
        if let Some(slot) = self.ids.get_mut(index) {
            *slot = Some(id);
        }
    }
}
