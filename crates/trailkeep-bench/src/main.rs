//! Prints figures: load, durable acks, recovery; development only.
//!
//! The server is the release binary, a child process that is driven over HTTP alone; the stages of
//! its path are also timed one by one, in this process. A figure that misses its bar is said to be
//! short and fails nothing: only errors do. The method is in `docs/benchmarks.md`.

#![expect(clippy::print_stdout, reason = "its output is for people")]

mod options;

mod bench;
mod machine;
mod workload;

mod connection;
mod sender;
mod server;
mod vitals;

mod acks;
mod charts;
mod fairness;
mod fsync;
mod ids;
mod load;
mod micro;
mod mixed;
mod pages;
mod peers;
mod recovery;
mod single;

mod figure;
mod quantity;
mod report;
mod samples;
mod timed_disk;

use anyhow::Result;
use clap::Parser;

use self::bench::Bench;
use self::options::{Options, Subject};
use self::workload::Workload;

fn main() -> Result<()> {
    let mut bench = Bench::new(Options::parse())?;
    bench.report.machine(machine::describe(&bench.dir)?);
    if let Some(workload) = Workload::obtain(&bench)? {
        measure(&mut bench, &workload)?;
    } else {
        let why = "there is no gen.py; name an NDJSON file by --file";
        bench.report.skip("every figure", why);
    }
    bench.report.finish(bench.options.json.as_deref())
}

fn measure(bench: &mut Bench, workload: &Workload) -> Result<()> {
    if bench.options.covers(Subject::Micro) {
        micro::measure(bench, workload)?;
    }
    if bench.options.covers(Subject::Acks) {
        acks::measure(bench, workload)?;
    }
    if bench.options.covers(Subject::Fairness) {
        fairness::measure(bench, workload)?;
    }
    if ON_LOADED.iter().any(|subject| bench.options.covers(*subject)) {
        on_loaded(bench, workload)?;
    }
    Ok(())
}

/// What starts with the plain load.
const ON_LOADED: [Subject; 4] = [Subject::Load, Subject::Recovery, Subject::Mixed, Subject::Ids];

fn on_loaded(bench: &mut Bench, workload: &Workload) -> Result<()> {
    let loaded = load::plain(bench, workload)?;
    if bench.options.covers(Subject::Load) {
        let days = pages::measure(bench, workload, &loaded.server)?;
        charts::measure(bench, &loaded.server, &days)?;
    }
    loaded.server.stop()?;
    if bench.options.covers(Subject::Load) {
        peers::measure(bench, workload, loaded.events_per_second)?;
        load::compressed(bench, workload)?;
    }
    if bench.options.covers(Subject::Mixed) {
        mixed::measure(bench, workload, loaded.events_per_second)?;
    }
    if bench.options.covers(Subject::Recovery) {
        recovery::measure(bench, workload)?;
    }
    if bench.options.covers(Subject::Ids) {
        ids::measure(bench, loaded.events_per_second)?;
    }
    Ok(())
}
