//! An open run: its filter and fences in memory, its blocks read and checked when asked.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::filter::Filter;
use crate::layout::{BLOCK_BYTES, Entry, Header, fence, read_block};
use crate::write::n_u64;
use crate::{Error, Fingerprint, Known, RunMeta};

const BLOCK: u64 = 4096;

/// An immutable sorted run. Takes about 11.5 bits an entry of memory.
#[derive(Debug)]
pub struct Run {
    store: Arc<dyn ObjectStore>,
    meta: RunMeta,
    filter: Filter,
    fences: Vec<u64>,
}

impl Run {
    /// Reads and checks the header, the filter and the fences.
    ///
    /// # Errors
    /// Where the object is missing, unreadable or not what was written.
    pub fn open(store: Arc<dyn ObjectStore>, meta: RunMeta) -> Result<Self, Error> {
        let header_block = read(store.as_ref(), &meta, 0..BLOCK)?;
        let corrupt = |offset, what| Error::Corrupt { run: meta.id.clone(), offset, what };
        let header = Header::read(&header_block)
            .filter(|_header| crc32c::crc32c(&header_block) == meta.header_crc)
            .filter(|header| header.n_entries == meta.entries)
            .ok_or_else(|| corrupt(0, "the header does not match the catalog"))?;
        let filter_at = header
            .n_blocks
            .checked_add(1)
            .and_then(|n| n.checked_mul(BLOCK))
            .filter(|at| *at <= meta.bytes)
            .ok_or_else(|| corrupt(0, "the header states more blocks than there are"))?;
        let fences_at =
            filter_at
                .checked_add(header.filter_bytes)
                .filter(|at| *at <= meta.bytes)
                .ok_or_else(|| corrupt(0, "the header states a larger filter than there is"))?;
        let filter = read(store.as_ref(), &meta, filter_at..fences_at)?;
        if crc32c::crc32c(&filter) != header.filter_crc {
            return Err(corrupt(filter_at, "the filter's checksum"));
        }
        let fences = read(store.as_ref(), &meta, fences_at..meta.bytes)?;
        if crc32c::crc32c(&fences) != header.fences_crc {
            return Err(corrupt(fences_at, "the fences' checksum"));
        }
        let (fences, _rest) = fences.as_chunks::<8>();
        let fences = fences.iter().map(|fence| u64::from_le_bytes(*fence)).collect();
        let filter = Filter::from_bytes(&filter);
        Ok(Self { store, meta, filter, fences })
    }

    /// Returns what the catalog remembers of the run.
    pub fn meta(&self) -> &RunMeta {
        &self.meta
    }

    /// Looks a fingerprint up: about 50 ns where the filter says no, one block read otherwise.
    ///
    /// # Errors
    /// Where the block cannot be read or is damaged.
    pub fn find(&self, fingerprint: Fingerprint) -> Result<Option<Known>, Error> {
        if self.fences.is_empty() || !self.filter.contains(fingerprint) {
            return Ok(None);
        }
        let wanted = fence(fingerprint);
        // Fences may tie: the first block whose fence is beyond bounds the search.
        let end = self.fences.partition_point(|fence| *fence <= wanted);
        let start = self.fences.partition_point(|fence| *fence < wanted).saturating_sub(1);
        for number in start..end {
            let entries = self.block(n_u64(number))?;
            if let Ok(at) = entries.binary_search_by_key(&fingerprint, |entry| entry.fingerprint) {
                return Ok(entries.get(at).map(|entry| entry.known));
            }
        }
        Ok(None)
    }

    /// Reads and checks one block.
    pub(crate) fn block(&self, number: u64) -> Result<Vec<Entry>, Error> {
        let start = number.saturating_add(1).saturating_mul(BLOCK);
        let block = read(self.store.as_ref(), &self.meta, start..start.saturating_add(BLOCK))?;
        read_block(number, &block).ok_or_else(|| Error::Corrupt {
            run: self.meta.id.clone(),
            offset: start,
            what: "the block's checksum",
        })
    }

    /// Returns how many blocks the run has.
    pub(crate) fn n_blocks(&self) -> u64 {
        n_u64(self.fences.len())
    }

    /// Reads and checks every block.
    ///
    /// # Errors
    /// The first block that cannot be read or is damaged.
    pub fn verify(&self) -> Result<(), Error> {
        (0..self.n_blocks()).try_for_each(|number| self.block(number).map(drop))
    }
}

fn read(store: &dyn ObjectStore, meta: &RunMeta, range: Range<u64>) -> Result<Bytes, Error> {
    if range.is_empty() {
        return Ok(Bytes::new());
    }
    let path = Path::from(meta.key.as_str());
    let get = store.get_range(&path, range);
    futures::executor::block_on(get).map_err(|source| Error::Read { run: meta.id.clone(), source })
}

const _: () = assert!(BLOCK_BYTES == 4096, "BLOCK and BLOCK_BYTES are the same");
