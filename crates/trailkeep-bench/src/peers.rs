//! What other engines need for the same file, in the same run.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::bench::Bench;
use crate::charts::CHARTS;
use crate::figure::Figure;
use crate::pages::QUESTIONS;
use crate::report::begin;
use crate::workload::Workload;

/// The engine that the bar is measured by, and how much of its speed is asked for.
const BAR: (&str, f64) = ("clickhouse", 0.5);
/// How much of a failed peer's messages is shown.
const MESSAGE_CHARS_MAX: usize = 300;

pub(crate) fn measure(bench: &mut Bench, workload: &Workload, ours: f64) -> Result<()> {
    for engine in bench.options.peers.clone() {
        if engine.is_empty() {
            continue;
        }
        begin(&format!("{engine}, in its own process, without HTTP"));
        match run(bench, workload, &engine)? {
            Ok(answer) => compare(bench, &engine, answer, ours),
            Err(why) => bench.report.skip(&engine, &why),
        }
    }
    Ok(())
}

/// Runs the peers' script. What keeps a peer from running is no error of ours: it is the inner
/// result's.
fn run(bench: &Bench, workload: &Workload, engine: &str) -> Result<Result<Value, String>> {
    let Some(script) = bench.yardstick("peers.py") else {
        return Ok(Err("there is no peers.py".to_owned()));
    };
    let python = bench.dir.join("venv/bin/python3");
    if !python.is_file() {
        return Ok(Err("there is no Python environment: scripts/bench-peers makes it".to_owned()));
    }
    let dir = bench.fresh("peers")?;
    fs::create_dir_all(&dir).with_context(|| format!("could not make {}", dir.display()))?;
    let output = command(&python, &script)
        .arg(engine)
        .arg(&workload.path)
        .arg("--dir")
        .arg(&dir)
        .args(["--seed", &bench.options.seed.to_string()])
        .output()
        .context("could not run the peers' script")?;
    bench.fresh("peers")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let answer = text.lines().last().and_then(|line| serde_json::from_str(line).ok());
    Ok(answer.filter(|_answer| output.status.success()).ok_or_else(|| {
        let message = String::from_utf8_lossy(&output.stderr);
        let last = message.lines().last().unwrap_or_default();
        let last: String = last.chars().take(MESSAGE_CHARS_MAX).collect();
        format!("the peers' script ended with {}: {last}", output.status)
    }))
}

fn command(python: &Path, script: &Path) -> Command {
    let mut command = Command::new(python);
    command.args(["-W", "ignore"]).arg(script);
    command
}

fn compare(bench: &mut Bench, engine: &str, answer: Value, ours: f64) {
    let number = |pointer: &str| answer.pointer(pointer).and_then(Value::as_f64);
    let report = &mut bench.report;
    if let Some(theirs) = number("/events_per_s") {
        report.add(Figure::new(format!("load, {engine}"), theirs, "events/s"));
        let ratio = Figure::new(format!("our load / {engine}'s"), ours / theirs, "x");
        report.add(if engine == BAR.0 { ratio.at_least(BAR.1) } else { ratio });
    }
    if let Some(bytes) = number("/bytes_per_event") {
        report.add(Figure::new(format!("on disk, {engine}"), bytes, "bytes/event"));
    }
    for name in QUESTIONS.iter().chain(&CHARTS) {
        for (index, which) in ["median", "p99"].iter().enumerate() {
            if let Some(ms) = number(&format!("/ms_median_p99/{name}/{index}")) {
                report.add(Figure::new(format!("{name}, {which}, {engine}"), ms, "ms"));
            }
        }
    }
    report.add_peer(answer);
}
