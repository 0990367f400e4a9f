//! A sealed segment, open for reading.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;
use trailkeep_event::{Entry, IdKey, Position, RowBuilder};

use crate::batches::{Batches, NARROW_ROWS, WIDE_ROWS, Wanted};
use crate::columns_row::ColumnsRow;
use crate::cursor::EntryCursor;
use crate::layout::{FRAME, N_COLUMNS, ORDINAL, PARTITION};
use crate::meta::sha256_hex;
use crate::numbers::long;
use crate::trailer::{Trailer, TrailerError};
use crate::verified::VerifiedFile;
use crate::{Error, SegmentMeta, SegmentStore};

/// A sealed segment, open for reading: its trailer and the footer of its Parquet object are in
/// memory, and both were checked. Cloning shares them.
#[derive(Clone, Debug)]
pub struct SegmentReader {
    store: Arc<SegmentStore>,
    meta: Arc<SegmentMeta>,
    key: IdKey,
    trailer: Arc<Trailer>,
    parquet: ArrowReaderMetadata,
}

impl SegmentReader {
    /// Opens a segment: two or three small reads.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where the trailer or the footer is not what was written.
    pub fn open(
        store: Arc<SegmentStore>,
        meta: Arc<SegmentMeta>,
        key: IdKey,
    ) -> Result<Self, Error> {
        let trailer = Arc::new(read_trailer(&store, &meta)?);
        let file = VerifiedFile::new(Arc::clone(&store), Arc::clone(&meta), Arc::clone(&trailer));
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_offset_index_policy(PageIndexPolicy::Required)
            .with_column_index_policy(PageIndexPolicy::Skip);
        let parquet =
            ArrowReaderMetadata::load(&file, options).map_err(|source| file.failure(source))?;
        let n_rows = parquet.metadata().file_metadata().num_rows();
        if n_rows != i64::from(trailer.rows) || parquet.schema().fields().len() != N_COLUMNS {
            let source = ParquetError::General("the rows or columns are not as many".to_owned());
            return Err(Error::Decode { segment: meta.id.clone(), source });
        }
        Ok(Self { store, meta, key, trailer, parquet })
    }

    /// Returns the segment's description.
    pub fn meta(&self) -> &Arc<SegmentMeta> {
        &self.meta
    }

    /// Reads whole entries by row number, in the order asked for.
    ///
    /// Costs about 75 pages for each row that stands alone; neighbours share them.
    pub fn fetch(&self, rows: &[u32]) -> Result<Vec<Entry>, Error> {
        let mut sorted = rows.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        if let Some(row) = sorted.last().copied().filter(|row| *row >= self.trailer.rows) {
            return Err(Error::NoSuchRow { segment: self.meta.id.clone(), row });
        }
        let ranges: Vec<Range<u32>> = sorted.iter().map(|row| *row..row + 1).collect();
        let wanted = Wanted { columns: None, rows: Some(&ranges), batch_rows: WIDE_ROWS };
        let mut batches = self.batches(&wanted)?;
        let mut builder = RowBuilder::default();
        let mut entries = Vec::with_capacity(sorted.len());
        while let Some(columns) = batches.next()? {
            for at in 0..columns.n_rows() {
                let row = sorted.get(entries.len()).copied().unwrap_or(0);
                let entry = ColumnsRow::of(&columns, at).and_then(|row| row.entry(&mut builder));
                entries.push(entry.ok_or_else(|| self.malformed(row))?);
            }
        }
        let in_order = |row: &u32| {
            let found = sorted.binary_search(row).ok().and_then(|at| entries.get(at)).cloned();
            found.ok_or_else(|| self.malformed(*row))
        };
        rows.iter().map(in_order).collect()
    }

    /// Finds the entry at a position.
    ///
    /// Costs a scan of three small columns, then one look-up; nothing where the segment does not
    /// cover the position.
    pub fn find(&self, position: Position) -> Result<Option<Entry>, Error> {
        if !self.meta.covers(position) {
            return Ok(None);
        }
        let columns = [PARTITION, FRAME, ORDINAL];
        let wanted = Wanted { columns: Some(&columns), rows: None, batch_rows: NARROW_ROWS };
        let mut batches = self.batches(&wanted)?;
        let mut first = 0_u32;
        while let Some(columns) = batches.next()? {
            for (row, at) in (first..).zip(0..columns.n_rows()) {
                if columns.position(at) == Some(position) {
                    return Ok(self.fetch(&[row])?.pop());
                }
            }
            first = first.saturating_add(u32::try_from(columns.n_rows()).unwrap_or(u32::MAX));
        }
        Ok(None)
    }

    /// Calls `visit` with every entry, in the order they are stored in: by account, then time.
    /// Memory is bounded by one run of rows.
    pub fn for_each_entry(
        &self,
        visit: &mut dyn FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut cursor = EntryCursor::open(self.clone())?;
        while let Some(located) = cursor.next()? {
            if visit(located.entry).is_break() {
                break;
            }
        }
        Ok(())
    }

    pub(crate) fn trailer(&self) -> &Trailer {
        &self.trailer
    }

    pub(crate) fn store(&self) -> &SegmentStore {
        &self.store
    }

    pub(crate) fn file(&self) -> VerifiedFile {
        let (store, meta) = (Arc::clone(&self.store), Arc::clone(&self.meta));
        VerifiedFile::new(store, meta, Arc::clone(&self.trailer))
    }

    pub(crate) fn batches(&self, wanted: &Wanted<'_>) -> Result<Batches, Error> {
        Batches::open(self.file(), self.parquet.clone(), self.key.clone(), wanted)
    }

    pub(crate) fn malformed(&self, row: u32) -> Error {
        Error::Malformed { segment: self.meta.id.clone(), row: u64::from(row) }
    }
}

/// Reads the trailer and checks it against its digest in the description.
pub(crate) fn read_trailer(store: &SegmentStore, meta: &SegmentMeta) -> Result<Trailer, Error> {
    let bytes = store.get_range(&meta.trailer_key, 0..meta.trailer_bytes)?;
    let corrupt = || Error::Corrupt { segment: meta.id.clone(), column: "trailer", offset: 0 };
    if long(bytes.len()) != meta.trailer_bytes || sha256_hex(&bytes) != meta.trailer_sha256 {
        return Err(corrupt());
    }
    Trailer::decode(&bytes).map_err(|error| match error {
        TrailerError::Format(format) => Error::Format { segment: meta.id.clone(), format },
        TrailerError::Malformed => corrupt(),
    })
}
