//! What a process has used.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// How long a tick of `/proc/<pid>/stat` is: `USER_HZ` is 100 on all of today's Linux.
const TICK: Duration = Duration::from_millis(10);

/// Returns the peak of a process's resident memory.
pub(crate) fn rss_peak_bytes(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("could not read {path}"))?;
    rss_peak_of(&text).with_context(|| format!("{path} names no peak"))
}

/// Returns the processor time of a process so far.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("could not read {path}"))?;
    let ticks = ticks_of(&text).with_context(|| format!("{path} has no times"))?;
    Ok(TICK.saturating_mul(ticks))
}

fn rss_peak_of(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Adds user and system time, which stand at 12 and 13 after the name in brackets.
fn ticks_of(stat: &str) -> Option<u32> {
    let (_name, rest) = stat.rsplit_once(") ")?;
    let mut words = rest.split(' ').skip(11);
    let user: u32 = words.next()?.parse().ok()?;
    let system: u32 = words.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_understood() {
        assert_eq!(rss_peak_of("Name:\tx\nVmHWM:\t    1024 kB\n"), Some(1 << 20));
        assert_eq!(ticks_of("7 (a) b) S 1 7 7 0 -1 0 9 0 0 0 250 50 0 0 20"), Some(300));
        let own = std::process::id();
        assert!(rss_peak_bytes(own).unwrap() > 0);
        assert!(cpu(own).is_ok());
    }
}
