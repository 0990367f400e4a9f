//! What all open segments of a store share: bounded caches and spare decoders.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use trailkeep_index::IndexReader;
use zstd::bulk::Decompressor;

use crate::cache::Cache;
use crate::page::Dictionary;

/// How many decoders are kept for the next page: one for each thread that may read at a time.
const DECODERS_MAX: usize = 64;

/// Names a block of a segment's Parquet object: the segment and the block's number.
pub(crate) type BlockKey = (u128, usize);
/// Names a dictionary: the segment, the row group and the column.
pub(crate) type DictionaryKey = (u128, usize, usize);

/// How many threads may look for blocks at a time.
const BLOCK_SHARDS: usize = 16;

/// What all open segments of a store share. Half of the bytes is for verified blocks, a quarter
/// for decoded dictionaries, a quarter for indexes.
pub(crate) struct Caches {
    pub(crate) blocks: Cache<BlockKey, Bytes>,
    pub(crate) dictionaries: Cache<DictionaryKey, Arc<Dictionary>>,
    pub(crate) indexes: Cache<u128, Arc<IndexReader>>,
    decoders: Mutex<Vec<Decompressor<'static>>>,
}

impl Caches {
    /// Starts empty.
    pub(crate) fn new(bytes_max: u64) -> Self {
        let quarter = bytes_max / 4;
        Self {
            blocks: Cache::new(BLOCK_SHARDS, bytes_max / 2),
            // One part each: a single value may be large.
            dictionaries: Cache::new(1, quarter),
            indexes: Cache::new(1, quarter),
            decoders: Mutex::new(Vec::new()),
        }
    }

    /// Decompresses zstd bytes that make exactly `length` bytes into an empty buffer that has
    /// room for them; `None` where they are not that.
    pub(crate) fn decompress(&self, bytes: &[u8], length: usize, out: &mut Vec<u8>) -> Option<()> {
        let kept = self.decoders.lock().pop();
        let mut decoder = kept.map_or_else(Decompressor::new, Ok).ok()?;
        let written = decoder.decompress_to_buffer(bytes, out);
        let mut decoders = self.decoders.lock();
        if decoders.len() < DECODERS_MAX {
            decoders.push(decoder);
        }
        (written.ok()? == length && out.len() == length).then_some(())
    }
}

impl std::fmt::Debug for Caches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caches").finish_non_exhaustive()
    }
}
