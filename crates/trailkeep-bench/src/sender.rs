//! Sends bodies over several connections at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, bail, ensure};
use serde::Deserialize;
use serde::de::IgnoredAny;
use trailkeep_io::{Clock, SystemClock};

use crate::connection::Connection;
use crate::quantity::{float, long};
use crate::server::Server;
use crate::workload::{Body, Workload};

/// How often one body is sent again after the server said that it is busy.
const TRIES_MAX: usize = 100;
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What was sent and acknowledged.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) n_events: u64,
    /// From the first byte to the last acknowledgement.
    pub(crate) took: Duration,
    /// How often the server said that it is busy.
    pub(crate) n_refused: u64,
}

/// Sends bodies over several connections at once, each one's next when its last is acknowledged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender<'a> {
    pub(crate) server: &'a Server,
    pub(crate) workload: &'a Workload,
    pub(crate) clock: &'a SystemClock,
    pub(crate) n_connections: usize,
}

#[derive(Debug, Deserialize)]
struct Accepted {
    accepted: u64,
    #[serde(default)]
    duplicates: Vec<IgnoredAny>,
}

impl Sender<'_> {
    /// Sends every body once.
    pub(crate) fn send_all(self) -> Result<Sent> {
        self.send_these(&self.workload.bodies)
    }

    /// Sends these bodies once.
    pub(crate) fn send_these(self, bodies: &[Body]) -> Result<Sent> {
        let next = AtomicUsize::new(0);
        self.run(&|| bodies.get(next.fetch_add(1, Ordering::Relaxed)).copied())
    }

    /// Sends these bodies once, each when its turn has come at so many events a second.
    pub(crate) fn send_paced(self, bodies: &[Body], events_per_second: f64) -> Result<Sent> {
        let next = AtomicUsize::new(0);
        let begun = self.clock.monotonic();
        let before = |n: usize| bodies.iter().take(n).map(|body| body.n_events).sum();
        self.run(&|| {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let due = begun + Duration::from_secs_f64(float(before(n)) / events_per_second);
            thread::sleep(due.saturating_sub(self.clock.monotonic()));
            bodies.get(n).copied()
        })
    }

    /// Sends bodies round and round until it is told to stop.
    pub(crate) fn send_until(self, stop: &AtomicBool) -> Result<Sent> {
        let next = AtomicUsize::new(0);
        self.run(&|| {
            let index = next.fetch_add(1, Ordering::Relaxed) % self.workload.bodies.len().max(1);
            let goes_on = !stop.load(Ordering::Relaxed);
            self.workload.bodies.get(index).copied().filter(|_body| goes_on)
        })
    }

    fn run(self, take: &(dyn Fn() -> Option<Body> + Sync)) -> Result<Sent> {
        let begun = self.clock.monotonic();
        let mut all = Sent::default();
        thread::scope(|scope| {
            let workers: Vec<_> =
                (0..self.n_connections).map(|_n| scope.spawn(move || self.work(take))).collect();
            for worker in workers {
                let sent = worker.join().map_err(|_panic| anyhow!("a sender panicked"))??;
                all.n_events += sent.n_events;
                all.n_refused += sent.n_refused;
            }
            anyhow::Ok(())
        })?;
        Ok(Sent { took: self.clock.monotonic().saturating_sub(begun), ..all })
    }

    fn work(self, take: &(dyn Fn() -> Option<Body> + Sync)) -> Result<Sent> {
        let (mut connection, mut buffer) = (self.server.connect()?, Vec::new());
        let mut sent = Sent::default();
        while let Some(body) = take() {
            self.workload.read(&body, &mut buffer)?;
            sent.n_refused += self.send(&mut connection, &buffer, body.n_events)?;
            sent.n_events += body.n_events;
        }
        Ok(sent)
    }

    /// Sends one body until it is acknowledged and returns how often it was refused.
    fn send(self, connection: &mut Connection, body: &[u8], n_events: u64) -> Result<u64> {
        for n_refused in (0..).take(TRIES_MAX) {
            let answer = connection.post_events(body, self.workload.encoding)?;
            if matches!(answer.status, 429 | 503) {
                thread::sleep(answer.retry_after.unwrap_or(RETRY_AFTER));
                continue;
            }
            let Accepted { accepted, duplicates } = answer.json()?;
            ensure!(
                accepted + long(duplicates.len()) == n_events,
                "not all of {n_events} events: {}",
                answer.describe()
            );
            return Ok(n_refused);
        }
        bail!("the server stayed busy")
    }
}
