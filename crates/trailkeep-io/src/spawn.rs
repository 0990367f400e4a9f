//! Tasks that have names, are counted and are waited for.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::Error;

/// How much a background thread yields, on the scale of `nice`.
const BACKGROUND_NICE: i32 = 19;
/// How much a thread yields that works on large requests: small ones and the writer go first.
const BULK_NICE: i32 = 19;

/// Makes the calling thread yield to those that answer small requests. Call it on a thread that
/// does bulk work only: it stays so. Costs a system call, about 0.1 us.
pub fn yield_to_small_requests() {
    lower_priority(BULK_NICE);
}

fn lower_priority(nice: i32) {
    // On Linux the calling thread alone is meant. Without the right to it the work is done all
    // the same.
    if let Err(error) = rustix::process::setpriority_process(None, nice) {
        tracing::debug!(nice, %error, "could not lower a thread's priority");
    }
}

/// The tasks of a program. Clones are the same tasks.
///
/// A task ends by itself, when the queue or signal that it was made with tells it to;
/// [`Tasks::join`] only waits. A panic of a task is logged as an ERROR with its name.
#[derive(Clone, Debug)]
pub struct Tasks {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    running: Mutex<Running>,
    ended: Notify,
}

#[derive(Debug, Default)]
struct Running {
    last_number: u64,
    names: BTreeMap<u64, &'static str>,
}

impl Tasks {
    /// Returns no tasks yet.
    #[expect(clippy::new_without_default, reason = "there is one in a program, made by hand")]
    pub fn new() -> Self {
        Self { shared: Arc::new(Shared { running: Mutex::default(), ended: Notify::new() }) }
    }

    /// Starts a task on the runtime that this is called in.
    #[expect(clippy::disallowed_methods, reason = "this is the spawn that others use")]
    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        let counted = self.count(name);
        // The handle is dropped on purpose: the task is waited for by its count.
        drop(tokio::spawn(async move {
            if let Err(panic) = AssertUnwindSafe(future).catch_unwind().await {
                counted.log_panic(&*panic);
            }
            drop(counted);
        }));
    }

    /// Starts a thread, for work that never waits or that must not move.
    pub fn spawn_thread(
        &self,
        name: &'static str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), Error> {
        let counted = self.count(name);
        let run = move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
                counted.log_panic(&*panic);
            }
            drop(counted);
        };
        let started = std::thread::Builder::new().name(name.to_owned()).spawn(run);
        started.map(drop).map_err(|source| Error::SpawnThread { name, source })
    }

    /// Starts a thread for work that nobody waits for: it yields to the others' work.
    pub fn spawn_background_thread(
        &self,
        name: &'static str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), Error> {
        self.spawn_thread(name, move || {
            lower_priority(BACKGROUND_NICE);
            work();
        })
    }

    /// Does work that blocks on a thread of the runtime, and waits for its answer.
    ///
    /// The work goes on to its end also when the waiting is given up.
    pub async fn spawn_blocking<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let counted = self.count(name);
        let run = move || match catch_unwind(AssertUnwindSafe(work)) {
            Ok(answer) => answer,
            Err(panic) => {
                counted.log_panic(&*panic);
                resume_unwind(panic)
            }
        };
        let answer = tokio::task::spawn_blocking(run).await;
        answer.map_err(|source| Error::TaskLost { name, source })
    }

    /// Returns the names of the tasks that have not ended, in the order they were started.
    pub fn running(&self) -> Vec<&'static str> {
        self.shared.running.lock().names.values().copied().collect()
    }

    /// Waits until all tasks have ended.
    ///
    /// # Errors
    /// [`Error::StillRunning`] names those that have not after `timeout`.
    pub async fn join(&self, timeout: Duration) -> Result<(), Error> {
        let all_ended = tokio::time::timeout(timeout, self.all_ended()).await;
        all_ended.or_else(|_| match self.running() {
            names if names.is_empty() => Ok(()),
            names => Err(Error::StillRunning { names }),
        })
    }

    async fn all_ended(&self) {
        loop {
            let ended = self.shared.ended.notified();
            // `notified` counts from its creation, so a task that ends now is not missed.
            if self.running().is_empty() {
                return;
            }
            ended.await;
        }
    }

    fn count(&self, name: &'static str) -> Counted {
        let mut running = self.shared.running.lock();
        running.last_number = running.last_number.saturating_add(1);
        let number = running.last_number;
        running.names.insert(number, name);
        Counted { shared: Arc::clone(&self.shared), number, name }
    }
}

/// One task while it runs, also when it is cancelled or panics.
#[derive(Debug)]
struct Counted {
    shared: Arc<Shared>,
    number: u64,
    name: &'static str,
}

impl Counted {
    fn log_panic(&self, panic: &(dyn Any + Send)) {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        tracing::error!(task = self.name, panic = text.unwrap_or("not a text"), "task panicked");
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.shared.running.lock().names.remove(&self.number);
        self.shared.ended.notify_waiters();
    }
}
