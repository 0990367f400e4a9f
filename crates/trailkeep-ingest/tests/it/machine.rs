//! A machine that a store runs on, and the store that runs there.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use trailkeep_catalog::MemoryCatalog;
use trailkeep_event::{BodyFormat, EventLimits};
use trailkeep_ingest::{
    Admitted, Answer, DiskMarks, Env, Error, QueueLimits, Store, StoreOptions, Submitter,
    Unavailable, admit, open,
};
use trailkeep_io::{
    Clock, DiskStore, Fault, FaultKind, FaultOp, SimClock, SimDisk, SimEntropy, SystemClock, Tasks,
};
use trailkeep_journal::JournalOptions;
use trailkeep_scope::WriteScope;
use trailkeep_segment::Compaction;

/// 2026-01-01T00:00:00Z
pub(crate) const START: i64 = 1_767_225_600_000_000;
/// The longest that a test waits for a thread of the store.
const PATIENCE: Duration = Duration::from_secs(20);
const LANES: usize = 8;

/// What outlives a store: its disk, its catalog, time and randomness.
pub(crate) struct Machine {
    pub(crate) disk: SimDisk,
    pub(crate) catalog: MemoryCatalog,
    pub(crate) clock: SimClock,
    entropy: SimEntropy,
    runtime: Arc<Runtime>,
}

impl Machine {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            disk: SimDisk::new(seed),
            catalog: MemoryCatalog::new(),
            clock: SimClock::new(START),
            entropy: SimEntropy::new(seed),
            runtime: runtime(),
        }
    }

    /// Returns the machine after a power cut now. A commit of the catalog is durable at once.
    pub(crate) fn power_cut(&self) -> Self {
        self.with_disk(self.disk.power_cut())
    }

    /// Returns the machine after the store's process was killed now.
    pub(crate) fn killed(&self) -> Self {
        self.with_disk(self.disk.clone())
    }

    fn with_disk(&self, disk: SimDisk) -> Self {
        Self {
            disk,
            catalog: self.catalog.reopen(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            runtime: Arc::clone(&self.runtime),
        }
    }

    pub(crate) fn open(&self) -> Result<Running, Error> {
        self.open_with(small())
    }

    pub(crate) fn open_with(&self, options: StoreOptions) -> Result<Running, Error> {
        let objects = DiskStore::new(Arc::new(self.disk.clone()), "objects");
        objects.remove_leftovers().map_err(|source| {
            let doing = "remove leftovers";
            Error::Disk { doing, source }
        })?;
        let env = Env {
            clock: Arc::new(self.clock.clone()),
            entropy: Arc::new(self.entropy.clone()),
            disk: Arc::new(self.disk.clone()),
            objects: Arc::new(objects),
            catalog: Arc::new(self.catalog.clone()),
            runtime: self.runtime.handle().clone(),
        };
        Running::open(env, options, Arc::clone(&self.runtime))
    }
}

/// A runtime that drives the store's futures. Nothing here waits for a network.
pub(crate) fn runtime() -> Arc<Runtime> {
    Arc::new(Builder::new_current_thread().enable_all().build().unwrap())
}

/// Files and limits so small that a few events seal, compact and rotate everything.
pub(crate) fn small() -> StoreOptions {
    let compaction = Compaction { inputs_min: 2, inputs_max: 8, ..Compaction::STANDARD };
    StoreOptions {
        queue: QueueLimits { bytes_max: 1 << 20, key_bytes_max: 1 << 20 },
        seal_bytes: 1 << 20,
        seal_interval: Duration::from_hours(24),
        journal: JournalOptions { file_bytes: 8 << 10, write_bytes_max: 3 << 10 },
        compaction,
        garbage_delay: Duration::ZERO,
        disk: DiskMarks { high_bytes: 0, low_bytes: 0, reserve_bytes: 0 },
        ..StoreOptions::standard()
    }
}

/// Like [`small`], but nothing is merged, so that a test knows what the segments are.
pub(crate) fn unmerged() -> StoreOptions {
    let compaction = Compaction { inputs_min: usize::MAX, ..Compaction::STANDARD };
    StoreOptions { compaction, garbage_delay: Duration::from_hours(24), ..small() }
}

/// An open store with its threads.
pub(crate) struct Running {
    pub(crate) store: Store,
    tasks: Tasks,
    runtime: Arc<Runtime>,
}

impl Running {
    pub(crate) fn open(
        env: Env,
        options: StoreOptions,
        runtime: Arc<Runtime>,
    ) -> Result<Self, Error> {
        let tasks = Tasks::new();
        let store = open(env, options, &tasks)?;
        Ok(Self { store, tasks, runtime })
    }

    pub(crate) fn submit(&self, events: &[String]) -> Result<Answer, Unavailable> {
        self.submit_as(&everything("k"), events)
    }

    pub(crate) fn submit_as(
        &self,
        submitter: &Submitter,
        events: &[String],
    ) -> Result<Answer, Unavailable> {
        let events = admitted(events, &submitter.scope);
        self.runtime.handle().block_on(self.store.submit(submitter, events))
    }

    /// Waits until the store's threads bring about what is asked for; `false` where they do not.
    pub(crate) fn wait_for(&self, done: impl Fn(&Store) -> bool) -> bool {
        let clock = SystemClock::new();
        while !done(&self.store) {
            if self.store.gauges().stopped || clock.monotonic() > PATIENCE {
                return false;
            }
            // A look now and then: no answer depends on how often.
            thread::park_timeout(Duration::from_millis(1));
        }
        true
    }

    /// Ends the store without sealing its tail, as a crash would. Its disk is of no use afterwards.
    pub(crate) fn crash(self, disk: &SimDisk) {
        for op in [FaultOp::Write, FaultOp::Open] {
            disk.arm(Fault { op, nth: 1, kind: FaultKind::PowerOff });
        }
        drop(self.close());
    }

    /// Closes the store and waits for its threads.
    pub(crate) fn close(self) -> Result<(), Error> {
        let closed = self.store.close();
        self.runtime.block_on(self.tasks.join(PATIENCE)).unwrap();
        closed
    }
}

pub(crate) fn everything(key_id: &str) -> Submitter {
    Submitter { key_id: key_id.into(), scope: Arc::new(WriteScope::everything()) }
}

pub(crate) fn admitted(events: &[String], scope: &WriteScope) -> Vec<Admitted> {
    let body = events.join("\n");
    let n_max = events.len().max(1);
    admit(body.as_bytes(), BodyFormat::Lines, &EventLimits::STANDARD, n_max, scope).unwrap()
}

/// Checks many cases, a few at a time: the stores' threads wait for each other more than they
/// work. The cases are shown where a check fails.
#[expect(clippy::print_stdout, reason = "the runner shows it where a check fails")]
pub(crate) fn in_lanes<T: Debug + Sync>(cases: &[T], check: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _lane in 0..LANES {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    println!("{case:?}");
                    check(case);
                }
            });
        }
    });
}

/// An event of an account, recognized later by its tag.
pub(crate) fn event(account: &str, tag: &str) -> String {
    event_with(account, tag, "")
}

/// An event whose source id is its tag.
pub(crate) fn identified(account: &str, tag: &str) -> String {
    event_with(account, tag, &format!(",\"source_id\":\"{tag}\""))
}

pub(crate) fn event_with(account: &str, tag: &str, members: &str) -> String {
    format!(
        "{{\"account_id\":\"{account}\",\"action\":\"thing.done\",\
         \"occurred_at\":\"2026-01-01T00:00:00Z\",\"resource_id\":\"{tag}\"{members}}}"
    )
}
