//! The stages of an event's path, one by one, on one core.

mod journal;
mod read;
mod sealing;

use std::time::Duration;

use anyhow::{Context, Result};
use trailkeep_event::Micros;
use trailkeep_io::Clock;

use crate::bench::Bench;
use crate::figure::Figure;
use crate::quantity::{float, long, micros_each};
use crate::report::begin;
use crate::workload::Workload;

const EVENTS_MAX: usize = 100_000;
/// How many events a group commit of 1 MiB holds.
const GROUP_EVENTS: usize = 1400;
/// The median of so many rounds counts.
const ROUNDS: usize = 5;

/// When the measured events are admitted: any moment after they happened.
const ADMITTED_AT: Micros = Micros(1_800_000_000_000_000);

/// Times the stages on the workload's first events.
pub(crate) fn measure(bench: &mut Bench, workload: &Workload) -> Result<()> {
    let lines = workload.first(EVENTS_MAX)?;
    let n_bytes: u64 = lines.iter().map(|line| long(line.len())).sum();
    let title = format!(
        "Stages, one core, median of {ROUNDS} rounds over {} events of {:.0} bytes",
        lines.len(),
        float(n_bytes) / float(long(lines.len()).max(1))
    );
    begin(&title);
    let rows = read::rows(bench, &lines)?;
    drop(lines);
    read::filters(bench, &rows)?;
    let masked = read::mask(bench, &rows)?;
    drop(rows);
    let groups = journal::groups(bench, &masked)?;
    drop(masked);
    journal::append(bench, &groups)?;
    sealing::seal(bench, &groups)
}

/// Times rounds of the same work, adds a figure and returns what the last round made.
fn stage<T>(
    bench: &mut Bench,
    name: &str,
    n_events: usize,
    mut work: impl FnMut() -> Result<T>,
) -> Result<T> {
    let (mut took, mut last) = (Vec::with_capacity(ROUNDS), None);
    for _ in 0..ROUNDS {
        // The round before is freed outside the time.
        drop(last.take());
        let begun = bench.clock.monotonic();
        last = Some(work()?);
        took.push(bench.clock.monotonic().saturating_sub(begun));
    }
    figure(bench, name, n_events, &mut took);
    last.context("there were no rounds")
}

/// Adds the median of some rounds as a figure.
fn figure(bench: &mut Bench, name: &str, n_events: usize, took: &mut [Duration]) {
    took.sort_unstable();
    let median = took.get(took.len() / 2).copied().unwrap_or_default();
    bench.report.add(Figure::new(name, micros_each(long(n_events), median), "us/event"));
}

fn n_rows(groups: &[Group]) -> usize {
    groups.iter().flatten().map(|batch| batch.batch().n_rows()).sum()
}

/// The batches of one group commit.
type Group = Vec<trailkeep_journal::JournalBatch>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use clap::Parser;
    use std::fs::File;
    use std::io::Write;

    #[test]
    fn every_stage_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        let mut text = String::new();
        for n in 0..3000 {
            let event = serde_json::json!({
                "occurred_at": "2026-10-21T17:13:00.000001Z", "account_id": format!("org_{n}"),
                "action": "license.viewed", "status": 200 + n % 400,
                "error": { "code": "E", "message": "Activation limit reached" },
            });
            text += &event.to_string();
            text.push('\n');
        }
        File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        let folder = folder.path().to_str().unwrap();
        let path = path.to_str().unwrap();
        let arguments = ["trailkeep-bench", "micro", "--dir", folder, "--file", path];
        let mut bench = Bench::new(Options::parse_from(arguments)).unwrap();
        let workload = Workload::obtain(&bench).unwrap().unwrap();
        measure(&mut bench, &workload).unwrap();
    }
}
