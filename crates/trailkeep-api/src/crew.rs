//! Threads of their own for work that would stand in the way of small requests.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use trailkeep_io::Tasks;

use crate::{Error, ErrorCode, Problem, Result};

type Job = Box<dyn FnOnce() + Send>;

/// How many jobs wait beside those that wait for a place to wait: what is not yet taken can be
/// given up by whoever asked.
const JOBS_WAITING_MAX: usize = 1;

/// How much a crew's threads yield to others.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manners {
    /// Like everybody.
    Equal,
    /// To everybody. A thread that yields does so for ever: none of the runtime's may.
    Yielding,
}

/// A few threads that do one kind of work, job by job, in the order asked. They end when the last
/// clone is gone.
#[derive(Clone)]
pub(crate) struct Crew {
    jobs: mpsc::Sender<Job>,
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crew").finish_non_exhaustive()
    }
}

impl Crew {
    /// Starts the threads, at least one.
    pub(crate) fn start(
        tasks: &Tasks,
        name: &'static str,
        n_threads: usize,
        manners: Manners,
    ) -> Result<Self> {
        let (jobs, waiting) = mpsc::channel(JOBS_WAITING_MAX);
        let waiting = Arc::new(Mutex::new(waiting));
        for _thread in 0..n_threads.max(1) {
            let waiting = Arc::clone(&waiting);
            let work = move || work(name, &waiting);
            let started = match manners {
                Manners::Equal => tasks.spawn_thread(name, work),
                Manners::Yielding => tasks.spawn_background_thread(name, work),
            };
            started.map_err(|source| Error::StartThread { source })?;
        }
        Ok(Self { jobs })
    }

    /// Does a job on one of the threads when its turn comes, and waits for its answer. Once begun
    /// it goes on to its end, also when the waiting is given up.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> std::result::Result<T, Problem> {
        let (answer, answered) = oneshot::channel();
        // Where nobody waits any more the answer is of no use.
        let job: Job = Box::new(move || drop(answer.send(job())));
        self.jobs.send(job).await.map_err(|error| lost(&error))?;
        answered.await.map_err(|error| lost(&error))
    }
}

fn lost(error: &dyn std::error::Error) -> Problem {
    Problem::new(ErrorCode::Internal, "the work was lost").caused_by(error)
}

fn work(name: &'static str, waiting: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let job = waiting.lock().blocking_recv();
        let Some(job) = job else { return };
        // A panic ends its job only; who waits for it is told by the answer that never comes.
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!(crew = name, "a job panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn jobs_are_done_and_a_panic_ends_one_only() {
        let tasks = Tasks::new();
        for manners in [Manners::Equal, Manners::Yielding] {
            let crew = Crew::start(&tasks, "crew", 2, manners).unwrap();
            let name = || std::thread::current().name().map(str::to_owned);
            assert_eq!(crew.run(name).await.unwrap().as_deref(), Some("crew"));
            for _ in 0..3 {
                let lost = crew.run(|| panic!("on purpose")).await;
                assert_eq!(lost.unwrap_err().code, ErrorCode::Internal);
            }
            let jobs = (0..20).map(|n| crew.run(move || n));
            let done: Vec<i32> = futures::future::try_join_all(jobs).await.unwrap();
            assert_eq!(done, (0..20).collect::<Vec<_>>());
        }
        // Both crews are gone, and with them their threads.
        tasks.join(LONG).await.unwrap();
    }
}
