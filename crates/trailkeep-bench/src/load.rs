//! Load over HTTP with durable acknowledgements.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::bench::Bench;
use crate::figure::Figure;
use crate::quantity::{float, mebibytes, micros_each, per_second};
use crate::report::{begin, note};
use crate::sender::{Sender, Sent};
use crate::server::Server;
use crate::vitals;
use crate::workload::Workload;

/// When the bytes on the disk are counted: sealing and one compaction may end before.
const SETTLE: Duration = Duration::from_mins(1);
const RSS_BYTES_MAX: u64 = 2 << 30;
/// The data directory of the plain load, which recovery goes on with.
pub(crate) const DATA: &str = "load";

/// A server that holds the whole workload.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) server: Server,
    pub(crate) events_per_second: f64,
}

/// Loads the workload, one minute for the disk included.
pub(crate) fn plain(bench: &mut Bench, workload: &Workload) -> Result<Loaded> {
    let n_events = workload.n_events();
    let title = format!(
        "Load over HTTP: {n_events} events, {:.1} bytes an event, bodies of 1 MiB, {} connections",
        float(workload.bytes()) / float(n_events.max(1)),
        bench.options.connections
    );
    begin(&title);
    let data = bench.fresh(DATA)?;
    let server = Server::start(&data, None)?;
    let sent = send(bench, workload, &server, "plain")?;
    let rss = server.rss_peak_bytes()?;
    let figure = Figure::new("peak RSS while loading", mebibytes(rss), "MiB");
    bench.report.add(figure.at_most(mebibytes(RSS_BYTES_MAX)));
    note("waiting 60 s before the disk is counted");
    thread::sleep(SETTLE);
    let rss = server.rss_peak_bytes()?;
    bench.report.add(Figure::new("peak RSS, 60 s of sealing included", mebibytes(rss), "MiB"));
    let bytes = float(folder_bytes(&data)?) / float(n_events.max(1));
    bench.report.add(Figure::new("on disk 60 s after the load", bytes, "bytes/event"));
    let sealed = float(server.metric("trailkeep_sealed_bytes")?) / float(n_events.max(1));
    bench.report.add(Figure::new("of these in sealed segments", sealed, "bytes/event"));
    check_count(&server, n_events)?;
    note("the exact total over HTTP equals what was sent");
    Ok(Loaded { server, events_per_second: per_second(sent.n_events, sent.took) })
}

/// Loads the same bodies compressed, into a store of their own.
pub(crate) fn compressed(bench: &mut Bench, workload: &Workload) -> Result<()> {
    begin("Load over HTTP, the same bodies compressed beforehand (zstd level 3)");
    let packed = workload.compressed()?;
    let data = bench.fresh("load-zstd")?;
    let server = Server::start(&data, None)?;
    send(bench, &packed, &server, "zstd")?;
    check_count(&server, packed.n_events())?;
    server.stop()?;
    bench.fresh("load-zstd")?;
    fs::remove_file(&packed.path).context("could not remove the compressed bodies")
}

/// Fails unless the store holds exactly so many events of producers.
pub(crate) fn check_count(server: &Server, n_events: u64) -> Result<()> {
    let n_entries = server.n_entries()?;
    ensure!(n_entries == n_events, "{n_events} events were sent, {n_entries} are found");
    Ok(())
}

fn send(bench: &mut Bench, workload: &Workload, server: &Server, name: &str) -> Result<Sent> {
    let own = std::process::id();
    let (client_before, server_before) = (vitals::cpu(own)?, server.cpu()?);
    let n_connections = bench.options.connections;
    let sent = Sender { server, workload, clock: &bench.clock, n_connections }.send_all()?;
    let client = vitals::cpu(own)?.saturating_sub(client_before);
    let served = server.cpu()?.saturating_sub(server_before);
    let report = &mut bench.report;
    let rate = per_second(sent.n_events, sent.took);
    report.add(Figure::new(format!("load, {name}"), rate, "events/s"));
    let served = micros_each(sent.n_events, served);
    report.add(Figure::new(format!("server's processor time, {name}"), served, "us/event"));
    let client = micros_each(sent.n_events, client);
    report.add(Figure::new(format!("client's processor time, {name}"), client, "us/event"));
    report.add(Figure::new(format!("bodies refused, {name}"), float(sent.n_refused), ""));
    Ok(sent)
}

/// Adds up the lengths of all files, preallocated ones in full, as `du -b` does for the peers.
fn folder_bytes(folder: &Path) -> Result<u64> {
    let failed = || format!("could not read {}", folder.display());
    let mut bytes = 0;
    for entry in fs::read_dir(folder).with_context(failed)? {
        let path = entry.with_context(failed)?.path();
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => bytes += folder_bytes(&path)?,
            Ok(metadata) => bytes += metadata.len(),
            // Compaction removed it since its name was read.
            Err(_gone) => {}
        }
    }
    Ok(bytes)
}
