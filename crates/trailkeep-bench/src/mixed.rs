//! Questions beside a load at half speed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use trailkeep_io::Clock;

use crate::bench::Bench;
use crate::connection::Connection;
use crate::figure::Figure;
use crate::pages::{Probe, QUESTIONS};
use crate::quantity::{mebibytes, per_second};
use crate::report::begin;
use crate::samples::Samples;
use crate::sender::Sender;
use crate::server::Server;
use crate::workload::Workload;

/// Twenty questions a second.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(50);
/// How much is loaded before anything is asked, as a part of the whole.
const LOADED_BEFORE: usize = 3;

/// Loads a part at full speed, then the rest at half of `full_speed` (events a second), with
/// questions beside.
pub(crate) fn measure(bench: &mut Bench, workload: &Workload, full_speed: f64) -> Result<()> {
    begin("Mixed: 20 questions a second while loading at half speed");
    let server = Server::start(&bench.fresh("mixed")?, None)?;
    let n_connections = bench.options.connections;
    let sender = Sender { server: &server, workload, clock: &bench.clock, n_connections };
    let (before, rest) = workload.bodies.split_at(workload.bodies.len() / LOADED_BEFORE);
    sender.send_these(before)?;
    let mut probe = Probe::draw(workload, bench.options.seed)?;
    let mut connection = server.connect()?;
    let stop = AtomicBool::new(false);
    let (sent, asked) = thread::scope(|scope| {
        let questions = scope.spawn(|| ask(bench, &mut probe, &mut connection, &stop));
        let sent = sender.send_paced(rest, full_speed / 2.0);
        stop.store(true, Ordering::Relaxed);
        let asked = questions.join().map_err(|_panic| anyhow!("the questions panicked"))??;
        anyhow::Ok((sent?, asked))
    })?;
    let rss = server.rss_peak_bytes()?;
    server.stop()?;
    let report = &mut bench.report;
    let speed = per_second(sent.n_events, sent.took);
    report.add(Figure::new("load beside the questions", speed, "events/s"));
    let kept = speed / (full_speed / 2.0);
    report.add(Figure::new("of the speed that was asked for", kept, "x").at_least(0.8));
    for (name, samples) in QUESTIONS.iter().zip(&asked).filter(|(_name, it)| it.len() > 0) {
        report.add(Figure::new(format!("{name}, median"), samples.median_ms(), "ms"));
        let p99 = Figure::new(format!("{name}, p99"), samples.p99_ms(), "ms");
        report.add(if *name == "page1_org" { p99.at_most(50.0) } else { p99 });
    }
    report.add(Figure::new("peak RSS", mebibytes(rss), "MiB").at_most(2048.0));
    Ok(())
}

/// Asks one question after the other until it is told to stop. A question that takes longer than
/// its turn delays the next.
fn ask(
    bench: &Bench,
    probe: &mut Probe,
    connection: &mut Connection,
    stop: &AtomicBool,
) -> Result<Vec<Samples>> {
    let mut asked = vec![Samples::default(); QUESTIONS.len()];
    let mut due = bench.clock.monotonic();
    while !stop.load(Ordering::Relaxed) {
        for (name, samples) in QUESTIONS.iter().zip(&mut asked) {
            let Some(target) = probe.target(name) else { continue };
            thread::sleep(due.saturating_sub(bench.clock.monotonic()));
            due = bench.clock.monotonic() + BETWEEN_QUESTIONS;
            let (answer, took) = bench.timed(|| connection.get(&target))?;
            anyhow::ensure!(answer.status == 200, "{target} was {}", answer.describe());
            samples.push(took);
        }
    }
    Ok(asked)
}
