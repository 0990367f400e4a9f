//! What waits for the writer: one line a key, fair turns between the lines, bounded in bytes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use trailkeep_event::Cut;

use crate::submission::Pending;

/// How much one key may put into a group before the next key has its turn.
const TURN_BYTES: usize = 128 * 1024;
/// How much one group commit holds at most.
const GROUP_BYTES_MAX: usize = 1024 * 1024;

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// All keys together, in bytes.
    pub bytes_max: usize,
    /// One key, in bytes.
    pub key_bytes_max: usize,
}

/// Why a submission cannot wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    /// The key's own line is full.
    KeyFull,
    /// The queue as a whole is full.
    Full,
    /// The store is stopping.
    Closed,
}

/// What the writer does next.
#[derive(Debug)]
pub(crate) enum Work {
    /// Frame these events.
    Group(Vec<Turn>),
    /// Look after the journal's files.
    Chore(Chore),
    /// Nothing came for a while.
    Idle,
    /// The queue was closed and is empty.
    End,
}

/// What the journal is to do between two groups.
#[derive(Debug)]
pub(crate) enum Chore {
    /// Recycle the files below this cut.
    Release(Cut),
    /// Forget the note of what the doctor cut: it is recorded.
    ForgetCuts,
}

/// A submission whose events up to `until` are part of this group.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) pending: Pending,
    pub(crate) until: usize,
    /// How much of the queue's room these events take.
    pub(crate) bytes: usize,
}

#[derive(Debug, Default)]
struct Lines {
    by_key: HashMap<Arc<str>, VecDeque<Pending>>,
    bytes_by_key: HashMap<Arc<str>, usize>,
    /// The keys whose lines may be served, in the order of their turns.
    turns: VecDeque<Arc<str>>,
    /// The keys whose first submission is partly written: nothing of theirs may overtake it.
    away: HashSet<Arc<str>>,
    bytes: usize,
    release: Option<Cut>,
    forget_cuts: bool,
    closed: bool,
}

/// The queue between the callers and the one writer.
#[derive(Debug)]
pub(crate) struct Queue {
    lines: Mutex<Lines>,
    arrived: Condvar,
    limits: QueueLimits,
}

impl Queue {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self { lines: Mutex::default(), arrived: Condvar::new(), limits }
    }

    /// Lets a submission wait, or says why it cannot.
    pub(crate) fn push(&self, pending: Pending) -> Result<(), Refusal> {
        let mut lines = self.lines.lock();
        if lines.closed {
            return Err(Refusal::Closed);
        }
        let bytes = pending.bytes();
        let key = Arc::clone(&pending.key_id);
        let of_key = lines.bytes_by_key.get(&key).copied().unwrap_or(0);
        // A submission alone in an empty line always fits: its size is bounded by the body's.
        if of_key > 0 && of_key.saturating_add(bytes) > self.limits.key_bytes_max {
            return Err(Refusal::KeyFull);
        }
        if lines.bytes > 0 && lines.bytes.saturating_add(bytes) > self.limits.bytes_max {
            return Err(Refusal::Full);
        }
        lines.bytes = lines.bytes.saturating_add(bytes);
        lines.bytes_by_key.insert(Arc::clone(&key), of_key.saturating_add(bytes));
        let line = lines.by_key.entry(Arc::clone(&key)).or_default();
        line.push_back(pending);
        if line.len() == 1 && !lines.away.contains(&key) {
            lines.turns.push_back(key);
        }
        self.arrived.notify_one();
        Ok(())
    }

    /// Returns how many bytes wait.
    pub(crate) fn bytes(&self) -> usize {
        self.lines.lock().bytes
    }

    /// Asks the writer to recycle journal files.
    pub(crate) fn release(&self, sealed: Cut) {
        self.lines.lock().release = Some(sealed);
        self.arrived.notify_one();
    }

    /// Takes no more submissions; what waits is still written.
    pub(crate) fn close(&self) {
        self.lines.lock().closed = true;
        self.arrived.notify_all();
    }

    /// Drops what waits: nobody is left to write it, and its callers are told so.
    pub(crate) fn clear(&self) {
        let mut lines = self.lines.lock();
        *lines = Lines { closed: true, ..Lines::default() };
    }

    /// Puts an unfinished submission back at the front of its line.
    pub(crate) fn resume(&self, pending: Pending) {
        let mut lines = self.lines.lock();
        let key = Arc::clone(&pending.key_id);
        let line = lines.by_key.entry(Arc::clone(&key)).or_default();
        line.push_front(pending);
        lines.away.remove(&key);
        lines.turns.push_back(key);
    }

    /// Lets a key's line go on without its first submission, which failed.
    pub(crate) fn abandon(&self, key_id: &Arc<str>) {
        let mut lines = self.lines.lock();
        if lines.away.remove(key_id) && lines.by_key.get(key_id).is_some_and(|l| !l.is_empty()) {
            lines.turns.push_back(Arc::clone(key_id));
        }
    }

    /// Frees the room of events that left the queue.
    pub(crate) fn done(&self, key_id: &Arc<str>, bytes: usize) {
        let mut lines = self.lines.lock();
        lines.bytes = lines.bytes.saturating_sub(bytes);
        let of_key = lines.bytes_by_key.get(key_id).copied().unwrap_or(0).saturating_sub(bytes);
        if of_key == 0 {
            lines.bytes_by_key.remove(key_id);
        } else {
            lines.bytes_by_key.insert(Arc::clone(key_id), of_key);
        }
    }

    /// Waits for work, at most `patience`.
    pub(crate) fn take(&self, patience: Duration) -> Work {
        let mut lines = self.lines.lock();
        loop {
            if !lines.turns.is_empty() {
                return Work::Group(lines.group());
            }
            if let Some(chore) = lines.chore() {
                return Work::Chore(chore);
            }
            if lines.closed {
                return Work::End;
            }
            if self.arrived.wait_for(&mut lines, patience).timed_out() {
                return Work::Idle;
            }
        }
    }

    /// Takes a waiting chore between two groups.
    pub(crate) fn take_chore(&self) -> Option<Chore> {
        self.lines.lock().chore()
    }

    /// Asks the writer to forget the note of what the doctor cut.
    pub(crate) fn forget_cuts(&self) {
        self.lines.lock().forget_cuts = true;
        self.arrived.notify_one();
    }
}

impl Lines {
    fn chore(&mut self) -> Option<Chore> {
        if std::mem::take(&mut self.forget_cuts) {
            return Some(Chore::ForgetCuts);
        }
        self.release.take().map(Chore::Release)
    }

    /// Takes turns until the group is full or nothing waits. Each key gets [`TURN_BYTES`] a
    /// round, so a key with little to say is in every group.
    fn group(&mut self) -> Vec<Turn> {
        let mut group: Vec<Turn> = Vec::new();
        let mut group_bytes = 0_usize;
        while group_bytes < GROUP_BYTES_MAX {
            let Some(key) = self.turns.pop_front() else { break };
            let room = TURN_BYTES.min(GROUP_BYTES_MAX.saturating_sub(group_bytes));
            group_bytes = group_bytes.saturating_add(self.turn_of(&key, room, &mut group));
            if self.by_key.get(&key).is_none_or(VecDeque::is_empty) {
                self.by_key.remove(&key);
            } else if !self.away.contains(&key) {
                self.turns.push_back(key);
            }
        }
        group
    }

    /// Moves up to `room` bytes of one key's line into the group; at least one event.
    fn turn_of(&mut self, key: &Arc<str>, room: usize, group: &mut Vec<Turn>) -> usize {
        let mut used = 0_usize;
        while used < room {
            let Some(pending) = self.by_key.get_mut(key).and_then(VecDeque::pop_front) else {
                break;
            };
            let (until, bytes) = pending.slice(room.saturating_sub(used));
            used = used.saturating_add(bytes.max(1));
            let whole = until == pending.len();
            group.push(Turn { pending, until, bytes });
            if !whole {
                // The rest comes back by `resume` once this part is durable.
                self.away.insert(Arc::clone(key));
                break;
            }
        }
        used
    }
}
