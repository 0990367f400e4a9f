//! What the disk itself needs to make 4 KiB durable.

use std::path::Path;

use anyhow::{Context, Result};
use trailkeep_io::{Clock, Disk, OpenMode, RealDisk, SystemClock};

use crate::samples::Samples;

const BLOCK_BYTES: u32 = 4096;
const WRITES: u32 = 2000;
const NAME: &str = "fsync-probe";

/// Writes 4 KiB and calls fdatasync 2,000 times, one after the other, in a preallocated file.
pub(crate) fn probe(dir: &Path, clock: &SystemClock) -> Result<Samples> {
    let disk = RealDisk::open(dir).context("could not open the disk")?;
    let file = disk.open(NAME, OpenMode::CreateNew).context("could not make the probe's file")?;
    let block = vec![7; usize::try_from(BLOCK_BYTES).unwrap_or(4096)];
    let mut samples = Samples::default();
    for n in 0..WRITES {
        file.write_all_at(&vec![0; block.len()], u64::from(n) * u64::from(BLOCK_BYTES))?;
    }
    file.sync()?;
    for n in 0..WRITES {
        let begun = clock.monotonic();
        file.write_all_at(&block, u64::from(n) * u64::from(BLOCK_BYTES))?;
        file.sync()?;
        samples.push(clock.monotonic().saturating_sub(begun));
    }
    disk.remove(NAME).context("could not remove the probe's file")?;
    Ok(samples)
}
