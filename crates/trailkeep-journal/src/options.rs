//! How large files and writes are.

use crate::header::HEADER_BYTES;
use crate::sector::SECTOR_BYTES;
use crate::write::sectors_bytes;
use crate::{Error, Result};

/// How large files and writes are. May change between two openings.
#[derive(Clone, Copy, Debug)]
pub struct JournalOptions {
    /// The size of a new file: a multiple of 4096.
    pub file_bytes: u64,
    /// The largest payload of one write.
    pub write_bytes_max: usize,
}

impl JournalOptions {
    /// The options of a server whose configuration names none. Small files, because one at least
    /// is kept, however little it holds.
    pub const STANDARD: Self =
        Self { file_bytes: 4 * 1024 * 1024, write_bytes_max: 2 * 1024 * 1024 };

    /// Checks that a file has room for the largest write.
    pub(crate) fn check(self) -> Result<Self> {
        if !self.file_bytes.is_multiple_of(HEADER_BYTES) {
            return Err(Error::Options { what: "file_bytes is not a multiple of 4096" });
        }
        let room = self.file_bytes.saturating_sub(HEADER_BYTES);
        if self.write_bytes_max < SECTOR_BYTES || sectors_bytes(self.write_bytes_max) > room {
            return Err(Error::Options { what: "a file has no room for a write of the limit" });
        }
        if u32::try_from(self.write_bytes_max).is_err() {
            return Err(Error::Options { what: "write_bytes_max is more than 4 GiB" });
        }
        Ok(self)
    }
}
