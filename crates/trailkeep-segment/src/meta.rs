//! The description of a sealed segment, which the catalog keeps.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trailkeep_event::{Micros, PARTITIONS, Position};

use crate::Error;

/// The version of the format that this program writes.
pub const FORMAT_VERSION: u16 = 1;

/// The description of a sealed segment. Whoever holds it can tell whether one byte of the
/// segment's three objects has changed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SegmentMeta {
    /// The format version.
    pub format: u16,
    /// 32 hexadecimal digits, never used again.
    pub id: String,
    /// The key of the Parquet object.
    pub parquet_key: String,
    /// The key of the trailer object.
    pub trailer_key: String,
    /// The key of the index object, which can be made again from the Parquet object.
    pub index_key: String,
    /// How many rows the segment has.
    pub rows: u32,
    /// The length of all three objects together.
    pub bytes: u64,
    /// For each partition the first frame that the segment covers.
    pub from: [u64; PARTITIONS],
    /// For each partition the frame after the last that the segment covers.
    pub to: [u64; PARTITIONS],
    /// The earliest time that a row sorts at.
    pub min_sort_at: i64,
    /// The latest time that a row sorts at.
    pub max_sort_at: i64,
    /// The first account, by its bytes.
    pub first_account: String,
    /// The last account, by its bytes.
    pub last_account: String,
    /// The SHA-256 of the trailer, in hexadecimal.
    pub trailer_sha256: String,
    /// The trailer's length.
    pub trailer_bytes: u64,
    /// The SHA-256 of the index, in hexadecimal.
    pub index_sha256: String,
    /// The index's length.
    pub index_bytes: u64,
    /// How many rows are read from their section bytes, because the columns did not give them
    /// back when the segment was written.
    pub mismatches: u32,
    /// How often the rows were compacted.
    pub level: u8,
}

impl SegmentMeta {
    /// Returns the description as one line of JSON.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|source| Error::Meta { source })
    }

    /// Reads what [`SegmentMeta::to_json`] wrote.
    ///
    /// # Errors
    /// Where it is no description, or one of a format that this program does not read.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let meta: Self = serde_json::from_str(text).map_err(|source| Error::Meta { source })?;
        if meta.format != FORMAT_VERSION {
            return Err(Error::Format { segment: meta.id, format: meta.format });
        }
        Ok(meta)
    }

    /// Returns the keys of the segment's objects.
    pub fn keys(&self) -> [&str; 3] {
        [&self.parquet_key, &self.trailer_key, &self.index_key]
    }

    /// Returns the name of the segment's bytes in caches: half of the trailer's digest, which no
    /// two segments share and no bytes that changed have.
    pub(crate) fn cache_key(&self) -> u128 {
        let half = self.trailer_sha256.get(..32).unwrap_or_default();
        u128::from_str_radix(half, 16).unwrap_or_default()
    }

    /// Tells whether the segment covers a position.
    pub fn covers(&self, position: Position) -> bool {
        let index = position.partition.index();
        let from = self.from.get(index).copied().unwrap_or(0);
        let to = self.to.get(index).copied().unwrap_or(0);
        (from..to).contains(&position.frame)
    }

    /// Tells whether a row of the segment can sort in a window; `to` is not part of it.
    pub fn overlaps(&self, from: Option<Micros>, to: Option<Micros>) -> bool {
        from.is_none_or(|from| self.max_sort_at >= from.0)
            && to.is_none_or(|to| self.min_sort_at < to.0)
    }
}

/// Returns the SHA-256 of bytes, in hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Returns bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}
