//! What the figures were measured on.

use std::fs;
use std::path::Path;
use std::thread;

use anyhow::{Context, Result};
use trailkeep_event::Micros;
use trailkeep_io::{Clock, SystemClock};

/// Returns the machine's properties, each with its name.
pub(crate) fn describe(dir: &Path) -> Result<Vec<(&'static str, String)>> {
    let cores = thread::available_parallelism().context("could not count the cores")?;
    Ok(vec![
        ("date", Micros(SystemClock::new().now_micros()).to_string()),
        ("processor", format!("{cores} x {}", value_of("/proc/cpuinfo", "model name"))),
        ("memory", value_of("/proc/meminfo", "MemTotal")),
        ("kernel", first_line("/proc/sys/kernel/osrelease")),
        ("load before", first_line("/proc/loadavg")),
        ("file system", file_system(dir)),
    ])
}

fn value_of(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':'));
    line.map_or_else(unknown, |(_blank, value)| value.trim().to_owned())
}

fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().map_or_else(unknown, str::to_owned)
}

/// Returns the type of the file system that holds a folder: that of the longest mount above it.
fn file_system(dir: &Path) -> String {
    let Ok(dir) = dir.canonicalize() else { return unknown() };
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let above = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (mount, kind) = (words.next()?, words.next()?);
        dir.starts_with(mount).then_some((mount.len(), kind))
    });
    above.max_by_key(|(len, _kind)| *len).map_or_else(unknown, |(_len, kind)| kind.to_owned())
}

fn unknown() -> String {
    "unknown".to_owned()
}
