//! What the writer, the sealer and the callers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};

use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::broadcast;
use trailkeep_duplicates::SourceKey;
use trailkeep_event::{IdKey, SequencedBatch};
use trailkeep_segment::Shelf;

use crate::accounts::Accounts;
use crate::disk_guard::DiskState;
use crate::env::Env;
use crate::options::StoreOptions;
use crate::queue::Queue;
use crate::quota::Quotas;
use crate::recent::SourceIds;
use crate::stats::Stats;

/// How many batches a live tail may lag behind before it misses some, and is told so.
const TAIL_BATCHES: usize = 256;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) env: Env,
    pub(crate) options: StoreOptions,
    pub(crate) id_key: IdKey,
    pub(crate) source_key: SourceKey,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) queue: Queue,
    pub(crate) accounts: Accounts,
    pub(crate) source_ids: SourceIds,
    pub(crate) key_quotas: Quotas,
    pub(crate) account_quotas: Quotas,
    pub(crate) stats: Stats,
    pub(crate) live: broadcast::Sender<Arc<SequencedBatch>>,
    stopped: AtomicBool,
    /// Bytes of submissions that wait for sealing to catch up.
    parked_bytes: AtomicUsize,
    disk_state: AtomicU8,
    sealer: Mutex<SealerState>,
    /// Wakes the sealer, which alone waits for it. One condition for all would let a wake-up meant
    /// for the sealer end at a thread that waits for it.
    sealer_woken: Condvar,
    /// Wakes those who wait for the sealer's state, each for something else: always all of them.
    state_changed: Condvar,
}

/// What the sealer is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SealerState {
    /// Seal once more and end.
    pub(crate) finish: bool,
    /// How many flushes were asked for; each is a caller that waits for its number.
    pub(crate) asked: u64,
    /// Up to which number they are done.
    pub(crate) flushed: u64,
    /// Up to which number they failed, where that is further.
    pub(crate) failed: u64,
    /// How many segments were sealed.
    pub(crate) seals: u64,
    /// Whether the writer has ended.
    pub(crate) writer_ended: bool,
    /// Whether the sealer has ended.
    pub(crate) ended: bool,
    /// While above zero no replaced file is removed: a backup is copying.
    pub(crate) pins: u32,
}

impl SealerState {
    /// Tells whether somebody waits for a flush.
    pub(crate) fn unanswered(&self) -> bool {
        self.asked > self.flushed.max(self.failed)
    }
}

/// Bytes that wait outside the queue.
#[derive(Debug)]
pub(crate) struct Parked<'a> {
    bytes: usize,
    total: &'a AtomicUsize,
}

impl Drop for Parked<'_> {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The parts that recovery makes.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) env: Env,
    pub(crate) options: StoreOptions,
    pub(crate) id_key: IdKey,
    pub(crate) source_key: SourceKey,
    pub(crate) shelf: Arc<Shelf>,
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { env, options, id_key, source_key, shelf } = parts;
        let queue = Queue::new(options.queue);
        Self {
            env,
            options,
            id_key,
            source_key,
            shelf,
            queue,
            accounts: Accounts::default(),
            source_ids: SourceIds::default(),
            key_quotas: Quotas::default(),
            account_quotas: Quotas::default(),
            stats: Stats::default(),
            live: broadcast::channel(TAIL_BATCHES).0,
            stopped: AtomicBool::new(false),
            parked_bytes: AtomicUsize::new(0),
            disk_state: AtomicU8::new(0),
            sealer: Mutex::default(),
            sealer_woken: Condvar::new(),
            state_changed: Condvar::new(),
        }
    }

    /// Lets a submission wait outside the queue, as long as what it returns lives; `None` where too
    /// much waits already.
    pub(crate) fn park(&self, bytes: usize) -> Option<Parked<'_>> {
        let before = self.parked_bytes.fetch_add(bytes, Ordering::Relaxed);
        let parked = Parked { bytes, total: &self.parked_bytes };
        (before < self.options.queue.bytes_max).then_some(parked)
    }

    /// Refuses everything from now on: only a restart finds out what is on the disk.
    pub(crate) fn stop(&self) {
        if !self.stopped.swap(true, Ordering::SeqCst) {
            tracing::error!("the store has stopped; reads go on, restart the server to write");
        }
        self.queue.close();
        self.wake_all(self.sealer.lock());
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    pub(crate) fn disk_state(&self) -> DiskState {
        DiskState::from_number(self.disk_state.load(Ordering::Relaxed))
    }

    /// Notes a new state and returns the one before.
    pub(crate) fn set_disk_state(&self, state: DiskState) -> DiskState {
        DiskState::from_number(self.disk_state.swap(state.number(), Ordering::Relaxed))
    }

    /// Shows a batch to live tails; nobody listening is fine.
    pub(crate) fn announce(&self, batch: &Arc<SequencedBatch>) {
        if self.live.receiver_count() > 0 {
            drop(self.live.send(Arc::clone(batch)));
        }
    }

    /// Wakes the sealer where the tail is large enough.
    pub(crate) fn appended(&self) {
        if self.shelf.tail_bytes() >= self.options.seal_bytes {
            // The lock is taken although nothing under it changes: a sealer that has just found the
            // tail small either waits already or will look again.
            drop(self.sealer.lock());
            self.sealer_woken.notify_one();
        }
    }

    /// Wakes everybody once the lock is free. It was held after whatever they wait for became true:
    /// nobody is between looking and waiting.
    fn wake_all(&self, state: MutexGuard<'_, SealerState>) {
        drop(state);
        self.sealer_woken.notify_one();
        self.state_changed.notify_all();
    }

    /// Changes what the sealer is asked for and wakes it and those who wait for it.
    pub(crate) fn tell_sealer<T>(&self, change: impl FnOnce(&mut SealerState) -> T) -> T {
        let mut state = self.sealer.lock();
        let answer = change(&mut state);
        self.wake_all(state);
        answer
    }

    /// Waits until `done` holds, at most `patience`; returns whether it holds.
    pub(crate) fn wait_sealer(
        &self,
        patience: std::time::Duration,
        done: impl Fn(&SealerState) -> bool,
    ) -> bool {
        let mut state = self.sealer.lock();
        if !done(&state) {
            let _timeout =
                self.state_changed.wait_while_for(&mut state, |state| !done(state), patience);
        }
        done(&state)
    }

    /// Waits to be woken, at most `patience`, and returns what is asked for.
    pub(crate) fn sealer_turn(&self, patience: std::time::Duration) -> SealerState {
        let mut state = self.sealer.lock();
        let large = self.shelf.tail_bytes() >= self.options.seal_bytes;
        if !state.unanswered() && !state.finish && !large && !self.stopped() {
            let _timeout = self.sealer_woken.wait_for(&mut state, patience);
        }
        *state
    }
}
