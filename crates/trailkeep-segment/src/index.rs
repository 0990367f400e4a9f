//! The index of a segment: made with it, read when a query can use it, made again where it is
//! lost.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use trailkeep_event::Fields;
use trailkeep_index::{IndexBuilder, IndexReader};

use crate::cursor::EntryCursor;
use crate::layout::PAGE_ROWS_MAX;
use crate::meta::sha256_hex;
use crate::values::Values;
use crate::{Error, SegmentReader};

/// Makes the index of the rows of a segment, in their order.
#[derive(Debug)]
pub(crate) struct IndexMaker {
    builder: IndexBuilder,
    /// How many rows the last page has so far.
    n_rows: usize,
}

impl IndexMaker {
    pub(crate) fn new() -> Self {
        Self { builder: IndexBuilder::new(), n_rows: 0 }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, row: &impl Fields) {
        self.builder.row(row);
        self.n_rows = self.n_rows.saturating_add(1);
        if self.n_rows == PAGE_ROWS_MAX {
            self.builder.end_page();
            self.n_rows = 0;
        }
    }

    /// Returns the index's bytes.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.n_rows > 0 {
            self.builder.end_page();
        }
        self.builder.finish()
    }
}

impl SegmentReader {
    /// Returns the index; `None` where it is lost or damaged, which is logged once: then any page
    /// may hold anything.
    pub(crate) fn index(&self) -> Option<Arc<IndexReader>> {
        let key = self.meta().cache_key();
        let cache = &self.store().caches().indexes;
        if let Some(index) = cache.get(&key) {
            return Some(index);
        }
        if self.index_lost().load(Ordering::Relaxed) {
            return None;
        }
        let read = self.read_index();
        if let Some(index) = &read {
            cache.put(key, Arc::clone(index), self.meta().index_bytes);
        } else if !self.index_lost().swap(true, Ordering::Relaxed) {
            let segment = &self.meta().id;
            tracing::warn!(%segment, "the index is lost or damaged: queries read every page");
        }
        read
    }

    fn read_index(&self) -> Option<Arc<IndexReader>> {
        let meta = self.meta();
        let bytes = self.store().get_range(&meta.index_key, 0..meta.index_bytes).ok()?;
        if sha256_hex(&bytes) != meta.index_sha256 {
            return None;
        }
        IndexReader::open(bytes).ok().map(Arc::new)
    }

    /// Tells whether the index was found to be lost or damaged when it was needed.
    pub fn needs_index(&self) -> bool {
        self.index_lost().load(Ordering::Relaxed)
    }

    /// Makes the index again from the rows and replaces the one that is lost or damaged. Queries
    /// may run meanwhile: they read every page. A crash leaves the segment without an index.
    ///
    /// Costs a walk over the whole segment, about 3 us a row.
    ///
    /// # Errors
    /// Where the rows cannot be read, do not make the index that was there before, or the store
    /// refuses.
    pub fn rebuild_index(&self) -> Result<(), Error> {
        let meta = self.meta();
        let mut maker = IndexMaker::new();
        let mut cursor = EntryCursor::open(self.clone())?;
        while let Some(located) = cursor.next()? {
            maker.row(&Values::of(located.entry.row.view()));
        }
        let index = maker.finish();
        if sha256_hex(&index) != meta.index_sha256 {
            let (segment, column) = (meta.id.clone(), "index");
            return Err(Error::Corrupt { segment, column, offset: 0 });
        }
        self.store().delete(&meta.index_key)?;
        self.store().put_new(&meta.index_key, index.into())?;
        self.index_lost().store(false, Ordering::Relaxed);
        tracing::info!(segment = %meta.id, "made an index again");
        Ok(())
    }
}
