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

/// The Parquet object of a segment. Cloning shares what is cached; each query makes its own.
#[derive(Clone, Debug)]
pub(crate) struct VerifiedFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<SegmentStore>,
    meta: Arc<SegmentMeta>,
    trailer: Arc<Trailer>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// For each column the block read last: pages are read in order and are smaller than blocks,
    /// so at most one block a column is held.
    blocks: BTreeMap<u16, (u64, Bytes)>,
    /// The first failure. The parquet crate turns errors into text on their way out.
    failure: Option<Error>,
}

impl VerifiedFile {
    /// Opens the object; nothing is read yet.
    pub(crate) fn new(
        store: Arc<SegmentStore>,
        meta: Arc<SegmentMeta>,
        trailer: Arc<Trailer>,
    ) -> Self {
        Self(Arc::new(Inner { store, meta, trailer, state: Mutex::default() }))
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
        let blocks = inner.trailer.blocks.get(numbers).unwrap_or(&[]);
        let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else {
            return Ok(Bytes::new());
        };
        if range.end > inner.trailer.file_bytes {
            return Err(inner.corrupt(last));
        }
        let start = first.offset;
        let bytes = match (inner.cached(first), blocks.len()) {
            (Some(bytes), 1) => bytes,
            _ => inner.read_blocks(blocks, start..last.end())?,
        };
        let from = usize::try_from(range.start.saturating_sub(start)).unwrap_or(usize::MAX);
        let to = usize::try_from(range.end.saturating_sub(start)).unwrap_or(usize::MAX);
        if from > to || to > bytes.len() {
            return Err(inner.corrupt(first));
        }
        Ok(bytes.slice(from..to))
    }

    fn read_for_parquet(&self, range: Range<u64>) -> Result<Bytes, ParquetError> {
        self.read(range).map_err(|error| {
            let told = ParquetError::General(error.to_string());
            self.0.state.lock().failure.get_or_insert(error);
            told
        })
    }
}

impl Inner {
    fn cached(&self, block: &Block) -> Option<Bytes> {
        let state = self.state.lock();
        let (offset, bytes) = state.blocks.get(&block.column)?;
        (*offset == block.offset).then(|| bytes.clone())
    }

    /// Reads blocks that stand together in one go and checks each.
    fn read_blocks(&self, blocks: &[Block], range: Range<u64>) -> Result<Bytes, Error> {
        let bytes = self.store.get_range(&self.meta.parquet_key, range)?;
        let mut rest = bytes.clone();
        for block in blocks {
            if rest.len() < index(block.len) {
                return Err(self.corrupt(block));
            }
            let body = rest.split_to(index(block.len));
            if crc32c::crc32c(&body) != block.crc {
                return Err(self.corrupt(block));
            }
            self.state.lock().blocks.insert(block.column, (block.offset, body));
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
        // To the end of the block at most: one that is cached is then enough.
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
