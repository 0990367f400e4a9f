//! Durable acknowledgements of single events from many connections.

use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::figure::Figure;
use crate::fsync;
use crate::quantity::{float, per_second};
use crate::report::begin;
use crate::server::Server;
use crate::single;
use crate::workload::Workload;

const CONNECTIONS: usize = 64;
const LASTS: Duration = Duration::from_secs(10);

pub(crate) fn measure(bench: &mut Bench, workload: &Workload) -> Result<()> {
    begin("Durable acknowledgements of single events, 64 connections, 10 s");
    let disk = fsync::probe(&bench.fresh("fsync")?, &bench.clock)?;
    bench.report.add(Figure::new("disk: 4 KiB write + fdatasync, median", disk.median_ms(), "ms"));
    bench.report.add(Figure::new("disk: 4 KiB write + fdatasync, p99", disk.p99_ms(), "ms"));

    let server = Server::start(&bench.fresh("acks")?, None)?;
    let events = workload.first(CONNECTIONS)?;
    let connections: Result<Vec<_>> =
        events.into_iter().map(|event| Ok((server.connect()?, event))).collect();
    let groups_before = server.metric("trailkeep_group_commits_total")?;
    let answered_before = server.metric("trailkeep_submissions_answered_total")?;
    let (samples, took) = bench.timed(|| single::acknowledge(connections?, LASTS, &bench.clock))?;
    let groups = server.metric("trailkeep_group_commits_total")?.saturating_sub(groups_before);
    let answered =
        server.metric("trailkeep_submissions_answered_total")?.saturating_sub(answered_before);
    server.stop()?;

    let p99_max = (4.0 * disk.p99_ms()).max(25.0);
    let report = &mut bench.report;
    let rate = per_second(samples.len(), took);
    report.add(Figure::new("acknowledgements", rate, "/s").at_least(2000.0));
    report.add(Figure::new("acknowledgement, median", samples.median_ms(), "ms"));
    report.add(Figure::new("acknowledgement, p99", samples.p99_ms(), "ms").at_most(p99_max));
    report.add(Figure::new("group commits, one fsync each", float(groups), ""));
    report.add(Figure::new("submissions answered", float(answered), ""));
    let shared = float(answered) / float(groups.max(1));
    // A group of all connections is the most that one fsync may answer.
    report.add(Figure::new("submissions a group", shared, "").at_most(float(64)));
    Ok(())
}
