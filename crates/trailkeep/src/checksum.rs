//! Copies and checks files, chunk by chunk.

use std::fmt::Write;
use std::io;

use sha2::{Digest, Sha256};
use trailkeep_io::{Disk, OpenMode};

/// How much of a file is in memory at once.
pub(crate) const CHUNK_BYTES: usize = 4 << 20;

/// The length and the SHA-256 of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Checksum {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// Gathers the checksum of bytes that come one after the other.
#[derive(Debug, Default)]
pub(crate) struct Summing {
    hash: Sha256,
    bytes: u64,
}

impl Summing {
    /// Takes the next bytes in.
    pub(crate) fn update(&mut self, chunk: &[u8]) {
        self.hash.update(chunk);
        self.bytes = self.bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
    }

    /// Returns the checksum.
    pub(crate) fn finish(self) -> Checksum {
        let mut sha256 = String::with_capacity(64);
        for byte in self.hash.finalize() {
            // Writing to a String cannot fail.
            let _written = write!(sha256, "{byte:02x}");
        }
        Checksum { bytes: self.bytes, sha256 }
    }
}

/// Returns the checksum of a file.
pub(crate) fn of_file(disk: &dyn Disk, path: &str) -> io::Result<Checksum> {
    each_chunk(disk, path, &mut |_chunk, _offset| Ok(()))
}

/// Copies a file from one disk to another, durably except for its name, and returns its checksum.
pub(crate) fn copy(from: &dyn Disk, to: &dyn Disk, path: &str) -> io::Result<Checksum> {
    let target = to.open(path, OpenMode::CreateNew)?;
    let checksum = each_chunk(from, path, &mut |chunk, offset| target.write_all_at(chunk, offset))?;
    target.sync()?;
    Ok(checksum)
}

fn each_chunk(
    disk: &dyn Disk,
    path: &str,
    visit: &mut dyn FnMut(&[u8], u64) -> io::Result<()>,
) -> io::Result<Checksum> {
    let file = disk.open(path, OpenMode::Read)?;
    let len = file.len()?;
    let mut sum = Summing::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    while sum.bytes < len {
        let left = usize::try_from(len.saturating_sub(sum.bytes)).unwrap_or(usize::MAX);
        chunk.resize(left.min(CHUNK_BYTES), 0);
        file.read_exact_at(&mut chunk, sum.bytes)?;
        visit(&chunk, sum.bytes)?;
        sum.update(&chunk);
    }
    Ok(sum.finish())
}
