//! What one key feels while another sends at full speed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;

use crate::bench::Bench;
use crate::connection::Connection;
use crate::figure::Figure;
use crate::quantity::per_second;
use crate::report::begin;
use crate::samples::Samples;
use crate::sender::{Sender, Sent};
use crate::server::Server;
use crate::single;
use crate::workload::Workload;

const IDLE_LASTS: Duration = Duration::from_secs(10);
const LOADED_LASTS: Duration = Duration::from_secs(15);
/// How long the load runs before anything is measured.
const WARM_UP: Duration = Duration::from_secs(2);

/// A second key, with a turn of its own.
const KEY: &str = r#"{"name":"bench, the quiet one","write":{"accounts":"all",
"applications":"all","categories":"all","accounts_create":true,"sample_rate_max":1,
"events_per_second_max":null}}"#;

#[derive(Debug, Deserialize)]
struct MadeKey {
    token: String,
}

pub(crate) fn measure(bench: &mut Bench, workload: &Workload) -> Result<()> {
    begin("Fairness: single events of one key, 1 connection, beside a loading key");
    let server = Server::start(&bench.fresh("fairness")?, None)?;
    let MadeKey { token } = server.connect()?.post_json("/api/v1/keys", KEY.as_bytes())?.json()?;
    let event = workload.first(1)?.pop().context("there is no event")?;
    let quiet = |lasts| -> Result<Samples> {
        let connection = Connection::open(server.address, &token)?;
        single::acknowledge(vec![(connection, event.clone())], lasts, &bench.clock)
    };
    let idle = quiet(IDLE_LASTS)?;
    let sender = Sender {
        server: &server,
        workload,
        clock: &bench.clock,
        n_connections: bench.options.connections,
    };
    let (loaded, sent) = beside(sender, || {
        thread::sleep(WARM_UP);
        quiet(LOADED_LASTS)
    })?;
    server.stop()?;

    let report = &mut bench.report;
    let load = per_second(sent.n_events, sent.took);
    report.add(Figure::new("the other key's load", load, "events/s"));
    report.add(Figure::new("acknowledgement alone, median", idle.median_ms(), "ms"));
    report.add(Figure::new("acknowledgement alone, p99", idle.p99_ms(), "ms"));
    report.add(Figure::new("acknowledgement beside the load, median", loaded.median_ms(), "ms"));
    report.add(Figure::new("acknowledgement beside the load, p99", loaded.p99_ms(), "ms"));
    let ratio = loaded.p99_ms() / idle.p99_ms();
    report.add(Figure::new("p99 beside the load / p99 alone", ratio, "x").at_most(3.0));
    Ok(())
}

/// Does a thing while the sender sends.
fn beside<T>(sender: Sender<'_>, work: impl FnOnce() -> Result<T>) -> Result<(T, Sent)> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let load = scope.spawn(|| sender.send_until(&stop));
        let done = work();
        stop.store(true, Ordering::Relaxed);
        let sent = load.join().map_err(|_panic| anyhow!("the load panicked"))??;
        Ok((done?, sent))
    })
}
