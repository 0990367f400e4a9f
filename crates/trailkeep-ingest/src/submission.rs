//! A submission on its way through the writer.

use std::sync::Arc;

use tokio::sync::oneshot;
use trailkeep_redact::Masked;

use crate::admit::Admitted;
use crate::answer::Answer;
use crate::error::Unavailable;

/// What each row adds to its own bytes in a frame.
const ROW_OVERHEAD_BYTES: usize = 20;

/// A submission that waits for the writer, or is partly written.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) key_id: Arc<str>,
    /// Whether events may create their account.
    pub(crate) accounts_create: bool,
    events: Vec<Option<Admitted>>,
    next: usize,
    pub(crate) answer: Answer,
    /// Why it cannot be finished, whatever becomes of the group.
    pub(crate) failed: Option<Unavailable>,
    reply: oneshot::Sender<Result<Answer, Unavailable>>,
}

impl Pending {
    pub(crate) fn new(
        key_id: Arc<str>,
        accounts_create: bool,
        events: Vec<Admitted>,
    ) -> (Self, oneshot::Receiver<Result<Answer, Unavailable>>) {
        let (reply, answered) = oneshot::channel();
        let answer = Answer::of(events.len());
        let events = events.into_iter().map(Some).collect();
        let pending =
            Self { key_id, accounts_create, events, next: 0, answer, failed: None, reply };
        (pending, answered)
    }

    /// Returns how many events there are in all.
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// Returns how many bytes the events that are not taken yet have.
    pub(crate) fn bytes(&self) -> usize {
        self.events
            .iter()
            .skip(self.next)
            .map(|event| event_bytes(event.as_ref()))
            .fold(0, usize::saturating_add)
    }

    /// Returns up to which event `room` bytes reach (at least one), and their bytes.
    pub(crate) fn slice(&self, room: usize) -> (usize, usize) {
        let mut bytes = 0_usize;
        let mut until = self.next;
        for event in self.events.iter().skip(self.next) {
            let next = bytes.saturating_add(event_bytes(event.as_ref()));
            if next > room && until > self.next {
                break;
            }
            bytes = next;
            until = until.saturating_add(1);
        }
        (until, bytes)
    }

    /// Takes the next event, up to `until`.
    pub(crate) fn take(&mut self, until: usize) -> Option<(usize, Admitted)> {
        if self.next >= until {
            return None;
        }
        let index = self.next;
        self.next = self.next.saturating_add(1);
        let event = self.events.get_mut(index)?.take()?;
        Some((index, event))
    }

    /// Tells whether every event was taken.
    pub(crate) fn taken(&self) -> bool {
        self.next >= self.events.len()
    }

    /// Answers the caller. One that went away does not matter: what is durable stays.
    pub(crate) fn reply(self, result: Result<(), Unavailable>) {
        let mut answer = self.answer;
        answer.rejected.sort_by_key(|(index, _rejection)| *index);
        drop(self.reply.send(result.map(|()| answer)));
    }
}

fn event_bytes(event: Option<&Admitted>) -> usize {
    match event {
        Some(Ok(masked)) => row_bytes(masked),
        // A rejection costs a little of a turn too, so that garbage cannot hold the writer.
        Some(Err(_)) | None => ROW_OVERHEAD_BYTES,
    }
}

pub(crate) fn row_bytes(masked: &Masked) -> usize {
    masked.row().as_bytes().len().saturating_add(ROW_OVERHEAD_BYTES)
}
