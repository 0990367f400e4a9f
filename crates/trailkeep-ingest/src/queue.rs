//! What waits for the writer: one line a key, fair turns between the lines, bounded in bytes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use trailkeep_event::Cut;

use crate::submission::Pending;

/// How much one key may put into a group, however many others wait.
const TURN_BYTES: usize = 16 * 1024;
/// How much one group commit holds at most.
const GROUP_BYTES_MAX: usize = 128 * 1024;

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

    /// Tells whether no more submissions are taken.
    pub(crate) fn is_closed(&self) -> bool {
        self.lines.lock().closed
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

    /// Asks the writer to go on with recycling, unless it was asked for more meanwhile.
    pub(crate) fn release_more(&self, sealed: Cut) {
        self.lines.lock().release.get_or_insert(sealed);
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

    /// Takes turns until the group is full or nothing waits. The keys that wait share what is left
    /// of the group, each at least [`TURN_BYTES`]: one alone fills it, and one with little to say
    /// waits for a few groups at most.
    fn group(&mut self) -> Vec<Turn> {
        let mut group: Vec<Turn> = Vec::new();
        let mut group_bytes = 0_usize;
        while group_bytes < GROUP_BYTES_MAX {
            let Some(key) = self.turns.pop_front() else { break };
            let left = GROUP_BYTES_MAX.saturating_sub(group_bytes);
            let share = left / self.turns.len().saturating_add(1);
            let room = share.max(TURN_BYTES).min(left);
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

#[cfg(test)]
mod tests {
    use super::*;
    use trailkeep_event::{Field, Micros, RowBuilder, ValueRef};
    use trailkeep_redact::Masked;

    const ROOMY: QueueLimits = QueueLimits { bytes_max: usize::MAX, key_bytes_max: usize::MAX };
    const NOW: Duration = Duration::ZERO;

    fn event(bytes: usize) -> Masked {
        let mut builder = RowBuilder::default();
        builder.set(Field::AccountId, ValueRef::Text("acme"));
        builder.set(Field::Action, ValueRef::Text("x"));
        builder.set(Field::OccurredAt, ValueRef::Time(Micros(0)));
        builder.set(Field::Reason, ValueRef::Text(&"x".repeat(bytes)));
        Masked::new(builder.finish())
    }

    fn pending(key: &str, n_events: usize, bytes: usize) -> Pending {
        let events = (0..n_events).map(|_| Ok(event(bytes))).collect();
        Pending::new(key.into(), true, events).0
    }

    fn group(queue: &Queue) -> Vec<Turn> {
        let Work::Group(turns) = queue.take(NOW) else { panic!("nothing waits") };
        turns
    }

    /// Does what the writer does with a group: takes its events, frees their room, puts back what
    /// is unfinished. Returns each turn's key and how many events it had.
    fn write(queue: &Queue, turns: Vec<Turn>) -> Vec<(String, usize)> {
        let mut written = Vec::new();
        for mut turn in turns {
            let mut n_events = 0;
            while turn.pending.take(turn.until).is_some() {
                n_events += 1;
            }
            written.push((turn.pending.key_id.to_string(), n_events));
            queue.done(&turn.pending.key_id, turn.bytes);
            if !turn.pending.taken() {
                queue.resume(turn.pending);
            }
        }
        written
    }

    #[test]
    fn a_key_with_little_to_say_is_in_the_next_group() {
        let queue = Queue::new(ROOMY);
        for _ in 0..20 {
            queue.push(pending("big", 100, 1000)).unwrap();
        }
        let first = group(&queue);
        queue.push(pending("small", 1, 10)).unwrap();
        write(&queue, first);
        let second = write(&queue, group(&queue));
        assert!(second.contains(&("small".to_owned(), 1)), "{second:?}");
    }

    #[test]
    fn the_keys_that_wait_share_a_group() {
        for (n_keys, n_served) in [(1, 1), (2, 2), (8, 8), (20, 8)] {
            let queue = Queue::new(ROOMY);
            for key in 0..n_keys {
                // One large submission or many small ones makes no difference.
                let sizes = if key % 2 == 0 { vec![100; 20] } else { vec![2000] };
                for n_events in sizes {
                    queue.push(pending(&key.to_string(), n_events, 1000)).unwrap();
                }
            }
            let mut by_key: HashMap<String, usize> = HashMap::new();
            for turn in group(&queue) {
                *by_key.entry(turn.pending.key_id.to_string()).or_default() += turn.bytes;
            }
            let bytes: usize = by_key.values().sum();
            assert!(bytes < GROUP_BYTES_MAX + 2000 && bytes > GROUP_BYTES_MAX * 9 / 10, "{bytes}");
            let least = GROUP_BYTES_MAX / n_served * 9 / 10;
            let n_whole = by_key.values().filter(|bytes| **bytes > least).count();
            assert_eq!(n_whole, n_served, "{n_keys} keys: {by_key:?}");
        }
    }

    #[test]
    fn nothing_of_one_key_overtakes_and_all_room_comes_back() {
        let queue = Queue::new(ROOMY);
        let sizes = [700, 1, 2000, 3, 0, 500];
        for size in sizes {
            queue.push(pending("k", size, 500)).unwrap();
        }
        let mut n_events = Vec::new();
        let mut finished = Vec::new();
        while finished.len() < sizes.len() {
            for turn in group(&queue) {
                let of = turn.pending.len();
                let whole = turn.until == of;
                n_events.extend(write(&queue, vec![turn]).into_iter().map(|(_, n)| n));
                if whole {
                    finished.push(of);
                }
            }
        }
        assert_eq!(finished, sizes);
        assert_eq!(n_events.iter().sum::<usize>(), sizes.iter().sum::<usize>());
        let lines = queue.lines.lock();
        assert_eq!(lines.bytes, 0);
        assert!(lines.bytes_by_key.is_empty() && lines.by_key.is_empty() && lines.away.is_empty());
    }

    #[test]
    fn an_event_larger_than_a_group_passes_alone() {
        let queue = Queue::new(ROOMY);
        let large = [10, 2 * GROUP_BYTES_MAX, 10].map(|bytes| Ok(event(bytes))).into();
        queue.push(Pending::new("k".into(), true, large).0).unwrap();
        for _ in 0..3 {
            assert_eq!(write(&queue, group(&queue)), [("k".to_owned(), 1)]);
        }
    }

    #[test]
    fn a_full_line_refuses_its_key_and_a_full_queue_everybody() {
        let bytes = pending("a", 1, 1000).bytes();
        let queue = Queue::new(QueueLimits { bytes_max: 3 * bytes, key_bytes_max: 2 * bytes });
        queue.push(pending("a", 1, 1000)).unwrap();
        queue.push(pending("a", 1, 1000)).unwrap();
        assert_eq!(queue.push(pending("a", 1, 1000)), Err(Refusal::KeyFull));
        queue.push(pending("b", 1, 1000)).unwrap();
        assert_eq!(queue.push(pending("c", 1, 1000)), Err(Refusal::Full));
        write(&queue, group(&queue));
        assert_eq!(queue.bytes(), 0);
        // One that is larger than the line passes where nothing waits.
        queue.push(pending("a", 5, 1000)).unwrap();
    }

    #[test]
    fn a_closed_queue_is_drained_and_then_ends() {
        let queue = Queue::new(ROOMY);
        queue.push(pending("a", 400, 1000)).unwrap();
        queue.close();
        assert_eq!(queue.push(pending("a", 1, 1)), Err(Refusal::Closed));
        let mut n_events = 0;
        while let Work::Group(turns) = queue.take(NOW) {
            n_events += write(&queue, turns).iter().map(|(_, n)| n).sum::<usize>();
        }
        assert_eq!(n_events, 400);
        assert!(matches!(queue.take(NOW), Work::End));
    }

    #[test]
    fn a_failed_submission_does_not_hold_its_line() {
        let queue = Queue::new(ROOMY);
        queue.push(pending("a", 3000, 1000)).unwrap();
        queue.push(pending("a", 1, 1)).unwrap();
        for turn in group(&queue) {
            assert!(turn.until < turn.pending.len(), "only a part of it has its turn");
            let (key, rest) = (Arc::clone(&turn.pending.key_id), turn.pending.bytes());
            // The writer has taken nothing of it: the whole is given up.
            queue.done(&key, rest);
            queue.abandon(&key);
        }
        assert_eq!(write(&queue, group(&queue)), [("a".to_owned(), 1)]);
        assert_eq!(queue.bytes(), 0);
        assert!(matches!(queue.take(NOW), Work::Idle));
    }

    #[test]
    fn chores_wait_for_a_pause_and_the_latest_cut_counts() {
        let queue = Queue::new(ROOMY);
        queue.release(Cut([1; 16]));
        queue.release(Cut([2; 16]));
        queue.forget_cuts();
        queue.push(pending("a", 1, 1)).unwrap();
        write(&queue, group(&queue));
        assert!(matches!(queue.take(NOW), Work::Chore(Chore::ForgetCuts)));
        assert!(matches!(queue.take_chore(), Some(Chore::Release(cut)) if cut == Cut([2; 16])));
        queue.release(Cut([3; 16]));
        queue.release_more(Cut([2; 16]));
        assert!(matches!(queue.take_chore(), Some(Chore::Release(cut)) if cut == Cut([3; 16])));
        assert!(queue.take_chore().is_none());
    }
}
