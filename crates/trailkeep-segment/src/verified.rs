//! The Parquet object, every range of it checked before it is believed.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::layout::column_name;
use crate::numbers::{index, long};
use crate::trailer::{Block, Trailer};
use crate::{Error, SegmentMeta, SegmentStore};

/// How many bytes a walk over a whole column reads ahead.
const AHEAD_BYTES: u64 = 64 * 1024;

/// The Parquet object of a segment. Cloning shares what is held.
#[derive(Clone, Debug)]
pub(crate) struct VerifiedFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<SegmentStore>,
    meta: Arc<SegmentMeta>,
    trailer: Arc<Trailer>,
    /// Names the segment in the shared cache; absent for a walk over the whole, which would only
    /// drive out what queries need.
    cached_as: Option<u128>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// For each column where the bytes read last start, and they: a walk reads each column in
    /// order.
    ahead: BTreeMap<u16, (u64, Bytes)>,
    /// The first failure. The parquet crate turns errors into text on their way out.
    failure: Option<Error>,
}

impl VerifiedFile {
    /// Opens the object for reads here and there; blocks are kept in the store's cache.
    pub(crate) fn shared(
        store: Arc<SegmentStore>,
        meta: Arc<SegmentMeta>,
        trailer: Arc<Trailer>,
    ) -> Self {
        let cached_as = Some(meta.cache_key());
        Self(Arc::new(Inner { store, meta, trailer, cached_as, state: Mutex::default() }))
    }

    /// Opens the object for a walk over the whole, past the store's cache.
    pub(crate) fn walked(
        store: Arc<SegmentStore>,
        meta: Arc<SegmentMeta>,
        trailer: Arc<Trailer>,
    ) -> Self {
        Self(Arc::new(Inner { store, meta, trailer, cached_as: None, state: Mutex::default() }))
    }

    /// Returns the failure that made the parquet crate fail, or what it says itself.
    pub(crate) fn failure(&self, source: ParquetError) -> Error {
        let failure = self.0.state.lock().failure.take();
        failure.unwrap_or_else(|| Error::Decode { segment: self.0.meta.id.clone(), source })
    }

    /// Reads a range of bytes.
    pub(crate) fn read(&self, range: Range<u64>) -> Result<Bytes, Error> {
        let inner = &*self.0;
        let numbers = inner.trailer.blocks_of(range.clone());
        let blocks = inner.trailer.blocks.get(numbers.clone()).unwrap_or(&[]);
        let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else {
            return Ok(Bytes::new());
        };
        if range.end > inner.trailer.file_bytes {
            return Err(inner.corrupt(last));
        }
        let (start, bytes) = match inner.cached_as {
            Some(segment) => inner.read_cached(segment, numbers.start, blocks)?,
            None => inner.read_ahead(&numbers, first)?,
        };
        part(&bytes, start, range).ok_or_else(|| inner.corrupt(first))
    }

    /// Reads a range of bytes that are asked for once: what is made of them is kept instead.
    pub(crate) fn read_once(&self, range: Range<u64>) -> Result<Bytes, Error> {
        let inner = &*self.0;
        let blocks = inner.trailer.blocks.get(inner.trailer.blocks_of(range.clone()));
        let blocks = blocks.unwrap_or(&[]);
        let start = blocks.first().map_or(0, |block| block.offset);
        let bytes = inner.read_blocks(blocks)?;
        Ok(part(&bytes, start, range).unwrap_or_default())
    }

    fn read_for_parquet(&self, range: Range<u64>) -> Result<Bytes, ParquetError> {
        self.read(range).map_err(|error| {
            let told = ParquetError::General(error.to_string());
            self.0.state.lock().failure.get_or_insert(error);
            told
        })
    }
}

/// Returns a range of the object out of bytes that start at `start`.
fn part(bytes: &Bytes, start: u64, range: Range<u64>) -> Option<Bytes> {
    let from = usize::try_from(range.start.checked_sub(start)?).ok()?;
    let to = usize::try_from(range.end.checked_sub(start)?).ok()?;
    (from <= to && to <= bytes.len()).then(|| bytes.slice(from..to))
}

impl Inner {
    /// Returns blocks that stand together, and where they start. Each is in the cache after.
    fn read_cached(
        &self,
        segment: u128,
        first: usize,
        blocks: &[Block],
    ) -> Result<(u64, Bytes), Error> {
        let start = blocks.first().map_or(0, |block| block.offset);
        let cache = &self.store.caches().blocks;
        let numbers = first..first.saturating_add(blocks.len());
        let kept: Option<Vec<Bytes>> =
            numbers.map(|number| cache.get(&(segment, number))).collect();
        match kept.map(<[Bytes; 1]>::try_from) {
            Some(Ok([only])) => return Ok((start, only)),
            Some(Err(parts)) => return Ok((start, parts.concat().into())),
            None => {}
        }
        let bytes = self.read_blocks(blocks)?;
        let mut rest = bytes.clone();
        for (number, block) in (first..).zip(blocks) {
            let body = rest.split_to(index(block.len).min(rest.len()));
            // A copy: a part would keep the whole in memory for as long as it is in the cache.
            let body = if blocks.len() == 1 { body } else { Bytes::copy_from_slice(&body) };
            cache.put((segment, number), body, u64::from(block.len));
        }
        Ok((start, bytes))
    }

    /// Returns at least the numbered blocks, and where what is returned starts. Reads on from
    /// there within the column.
    fn read_ahead(&self, numbers: &Range<usize>, first: &Block) -> Result<(u64, Bytes), Error> {
        let blocks = &self.trailer.blocks;
        let end = blocks.get(numbers.clone()).and_then(<[Block]>::last).map_or(0, Block::end);
        if let Some((start, bytes)) = self.state.lock().ahead.get(&first.column)
            && *start <= first.offset
            && start.saturating_add(long(bytes.len())) >= end
        {
            return Ok((*start, bytes.clone()));
        }
        let more = |block: &&Block| {
            block.column == first.column && block.end().saturating_sub(first.offset) <= AHEAD_BYTES
        };
        let rest = blocks.get(numbers.end..).unwrap_or(&[]);
        let n_more = rest.iter().take_while(more).count();
        let wanted = numbers.start..numbers.end.saturating_add(n_more);
        let bytes = self.read_blocks(blocks.get(wanted).unwrap_or(&[]))?;
        self.state.lock().ahead.insert(first.column, (first.offset, bytes.clone()));
        Ok((first.offset, bytes))
    }

    /// Reads blocks that stand together in one go and checks each.
    fn read_blocks(&self, blocks: &[Block]) -> Result<Bytes, Error> {
        let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else {
            return Ok(Bytes::new());
        };
        let bytes = self.store.get_range(&self.meta.parquet_key, first.offset..last.end())?;
        let mut rest = bytes.clone();
        for block in blocks {
            if rest.len() < index(block.len) {
                return Err(self.corrupt(block));
            }
            let body = rest.split_to(index(block.len));
            if crc32c::crc32c(&body) != block.crc {
                return Err(self.corrupt(block));
            }
        }
        Ok(bytes)
    }

    fn corrupt(&self, block: &Block) -> Error {
        Error::Corrupt {
            segment: self.meta.id.clone(),
            column: column_name(usize::from(block.column)),
            offset: block.offset,
        }
    }
}

impl Length for VerifiedFile {
    fn len(&self) -> u64 {
        self.0.trailer.file_bytes
    }
}

impl ChunkReader for VerifiedFile {
    type T = VerifiedRead;

    fn get_read(&self, start: u64) -> Result<VerifiedRead, ParquetError> {
        Ok(VerifiedRead { file: self.clone(), at: start })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.read_for_parquet(start..start.saturating_add(long(length)))
    }
}

/// Reads on from one place of the object.
#[derive(Debug)]
pub(crate) struct VerifiedRead {
    file: VerifiedFile,
    at: u64,
}

impl Read for VerifiedRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // To the end of the block at most: one that is held is then enough.
        let numbers = self.file.0.trailer.blocks_of(self.at..self.at.saturating_add(1));
        let Some(block) = self.file.0.trailer.blocks.get(numbers.start) else { return Ok(0) };
        let end = self.at.saturating_add(long(buffer.len())).min(block.end());
        let bytes = self.file.read_for_parquet(self.at..end).map_err(io::Error::other)?;
        for (slot, byte) in buffer.iter_mut().zip(&bytes) {
            *slot = *byte;
        }
        self.at = end;
        Ok(bytes.len())
    }
}
