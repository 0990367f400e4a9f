//! Sends one event at a time and times each acknowledgement.

use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use serde::Deserialize;
use trailkeep_io::{Clock, SystemClock};

use crate::connection::Connection;
use crate::samples::Samples;

#[derive(Debug, Deserialize)]
struct Accepted {
    accepted: u64,
}

/// Sends events one by one for a while, each connection its own one, and returns how long each
/// acknowledgement took.
pub(crate) fn acknowledge(
    connections: Vec<(Connection, Vec<u8>)>,
    lasts: Duration,
    clock: &SystemClock,
) -> Result<Samples> {
    let mut all = Samples::default();
    thread::scope(|scope| {
        let end = clock.monotonic() + lasts;
        let workers: Vec<_> = connections
            .into_iter()
            .map(|(connection, event)| scope.spawn(move || one(connection, &event, end, clock)))
            .collect();
        for worker in workers {
            all.extend(worker.join().map_err(|_panic| anyhow!("a sender panicked"))??);
        }
        anyhow::Ok(())
    })?;
    Ok(all)
}

fn one(
    mut connection: Connection,
    event: &[u8],
    end: Duration,
    clock: &SystemClock,
) -> Result<Samples> {
    let mut samples = Samples::default();
    let mut begun = clock.monotonic();
    while begun < end {
        let answer = connection.post_json("/api/v1/events", event)?;
        let done = clock.monotonic();
        samples.push(done.saturating_sub(begun));
        let Accepted { accepted } = answer.json()?;
        anyhow::ensure!(accepted == 1, "an event was not accepted: {}", answer.describe());
        begun = clock.monotonic();
    }
    Ok(samples)
}
