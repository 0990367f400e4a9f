//! Writes sorted rows into the three objects of a segment.

use arrow_array::{Array, ArrayRef, RecordBatch};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::file::metadata::ParquetMetaData;
use trailkeep_event::{Cut, IdKey, Micros, Row, SectionsDigest, Stamp, sections_digest};

use crate::columns::Columns;
use crate::columns_builder::{ColumnsBuilder, with_sections};
use crate::columns_row::ColumnsRow;
use crate::index::IndexMaker;
use crate::layout::{Effort, PAGE_ROWS_MAX, WRITE_BATCH_ROWS, column_name, properties};
use crate::meta::{hex, sha256_hex};
use crate::numbers::{index, long};
use crate::seal::SealFault;
use crate::trailer::{AccountRun, BLOCK_BYTES_MAX, Block, OUTSIDE, Trailer};
use crate::values::Values;
use crate::verbatim::{read_sections, write_sections};
use crate::{Error, FORMAT_VERSION, SegmentMeta, SegmentStore};

/// How many rows are encoded at once.
const CHUNK_ROWS: usize = 8192;
/// How many bytes of rows are encoded at once.
const CHUNK_BYTES: usize = 8 << 20;

/// A row on its way into a segment.
#[derive(Debug)]
pub(crate) struct SortedRow {
    pub(crate) row: Row,
    pub(crate) stamp: Stamp,
    /// The digest of the row's sections, as it was when the row was admitted.
    pub(crate) digest: SectionsDigest,
    /// The row's section bytes, where it was stored with them before.
    pub(crate) verbatim: Option<Box<[u8]>>,
}

/// What a segment covers, which its rows alone do not say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coverage {
    pub(crate) from: Cut,
    pub(crate) to: Cut,
    pub(crate) level: u8,
}

/// Writes one segment. Memory: the encoded file, and the pages of one row group.
pub(crate) struct SegmentWriter {
    id: String,
    key: IdKey,
    fault: Option<SealFault>,
    arrow: ArrowWriter<Vec<u8>>,
    /// The stored columns that the file has, ascending.
    stored: Box<[usize]>,
    /// Whether a row has a value in a column that the file lacks.
    misses_columns: bool,
    builder: ColumnsBuilder,
    pending: Vec<SortedRow>,
    pending_bytes: usize,
    index: IndexMaker,
    accounts: Vec<AccountRun>,
    marks: Vec<Micros>,
    rows: u32,
    verbatim: u32,
    last: Option<(Micros, u64)>,
}

impl SegmentWriter {
    /// Starts a segment whose file has some of the stored columns, ascending. Where a row has a
    /// value in another, the segment has to be begun again with all of them.
    pub(crate) fn new(
        id: [u8; 16],
        key: &IdKey,
        stored: &[usize],
        effort: Effort,
        fault: Option<SealFault>,
    ) -> Result<Self, Error> {
        let id = hex(&id);
        let builder = ColumnsBuilder::new();
        let options = ArrowWriterOptions::new()
            .with_properties(properties(effort))
            .with_skip_arrow_metadata(true);
        let schema = builder
            .schema()
            .project(stored)
            .map_err(|source| Error::Columns { segment: id.clone(), source })?;
        let arrow = ArrowWriter::try_new_with_options(Vec::new(), schema.into(), options)
            .map_err(|source| Error::Encode { segment: id.clone(), source })?;
        Ok(Self {
            id,
            key: key.clone(),
            fault,
            arrow,
            stored: stored.into(),
            misses_columns: false,
            builder,
            pending: Vec::new(),
            pending_bytes: 0,
            index: IndexMaker::new(),
            accounts: Vec::new(),
            marks: Vec::new(),
            rows: 0,
            verbatim: 0,
            last: None,
        })
    }

    /// Appends a row.
    ///
    /// # Panics
    /// Where the rows do not come in order: every look-up would be wrong.
    pub(crate) fn push(&mut self, row: SortedRow) -> Result<(), Error> {
        let sort_at = row.stamp.sort_at(row.row.view().occurred_at());
        self.place(row.row.view().account_id(), sort_at, row.stamp.seq)?;
        self.pending_bytes = self.pending_bytes.saturating_add(row.row.as_bytes().len());
        self.pending.push(row);
        // Pages end where they should only if what is encoded at once is whole counts of rows.
        let whole = self.pending.len().is_multiple_of(WRITE_BATCH_ROWS);
        let full = self.pending.len() >= CHUNK_ROWS || self.pending_bytes >= CHUNK_BYTES;
        if whole && full {
            self.flush()?;
        }
        Ok(())
    }

    /// Tells whether a row so far has a value in a column that the file lacks.
    pub(crate) fn misses_columns(&mut self) -> Result<bool, Error> {
        self.flush()?;
        Ok(self.misses_columns)
    }

    /// Writes all objects, the trailer last; all are durable when this returns. A crash before
    /// that leaves objects that no catalog names.
    pub(crate) fn finish(
        mut self,
        store: &SegmentStore,
        coverage: &Coverage,
    ) -> Result<SegmentMeta, Error> {
        self.flush()?;
        let (Some(first), Some(last)) = (self.accounts.first(), self.accounts.last()) else {
            return Err(Error::Empty);
        };
        let (first_account, last_account) = (first.account.to_string(), last.account.to_string());
        let min_sort_at = self.accounts.iter().map(|run| run.min_sort_at).min();
        let max_sort_at = self.accounts.iter().map(|run| run.max_sort_at).max();
        let encode = |source| Error::Encode { segment: self.id.clone(), source };
        let metadata = self.arrow.finish().map_err(encode)?;
        let file = Bytes::from(std::mem::take(self.arrow.inner_mut()));
        let trailer = Trailer {
            format: FORMAT_VERSION,
            rows: self.rows,
            verbatim: self.verbatim,
            file_bytes: long(file.len()),
            blocks: blocks(&file, &metadata, &self.stored),
            accounts: self.accounts,
            marks: self.marks,
        };
        let trailer = trailer.encode();
        let index = self.index.finish();
        let meta = SegmentMeta {
            format: FORMAT_VERSION,
            parquet_key: format!("seg/{}.parquet", self.id),
            trailer_key: format!("seg/{}.tks", self.id),
            index_key: format!("seg/{}.tki", self.id),
            id: self.id,
            rows: self.rows,
            bytes: [file.len(), trailer.len(), index.len()].map(long).iter().sum(),
            from: coverage.from.0,
            to: coverage.to.0,
            min_sort_at: min_sort_at.unwrap_or_default().0,
            max_sort_at: max_sort_at.unwrap_or_default().0,
            first_account,
            last_account,
            trailer_sha256: sha256_hex(&trailer),
            trailer_bytes: long(trailer.len()),
            index_sha256: sha256_hex(&index),
            index_bytes: long(index.len()),
            mismatches: self.verbatim,
            level: coverage.level,
        };
        store.put_new(&meta.parquet_key, file)?;
        store.put_new(&meta.index_key, index.into())?;
        store.put_new(&meta.trailer_key, trailer.into())?;
        Ok(meta)
    }

    /// Enters a row into the account table and the marks.
    fn place(&mut self, account: &str, sort_at: Micros, seq: u64) -> Result<(), Error> {
        let row = self.rows;
        let too_many = || Error::TooManyRows { segment: self.id.clone() };
        self.rows = row.checked_add(1).ok_or_else(too_many)?;
        if index(row).is_multiple_of(PAGE_ROWS_MAX) {
            self.marks.push(sort_at);
        }
        match self.accounts.last_mut() {
            Some(run) if &*run.account == account => {
                assert!(self.last <= Some((sort_at, seq)), "rows of an account are not in order");
                run.rows.end = self.rows;
                run.max_sort_at = sort_at;
            }
            last => {
                assert!(last.is_none_or(|run| &*run.account < account), "accounts not in order");
                self.accounts.push(AccountRun {
                    account: account.into(),
                    rows: row..self.rows,
                    min_sort_at: sort_at,
                    max_sort_at: sort_at,
                });
            }
        }
        self.last = Some((sort_at, seq));
        Ok(())
    }

    /// Encodes the rows that wait, and compares each with its digest.
    fn flush(&mut self) -> Result<(), Error> {
        if self.misses_columns {
            self.pending.clear();
        }
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut pending = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        let first = self.rows.saturating_sub(u32::try_from(pending.len()).unwrap_or(u32::MAX));
        for (number, row) in (first..).zip(&pending) {
            let mut values = Values::of(row.row.view());
            self.index.row(&values);
            if let Some(fault) = self.fault.filter(|fault| fault.row == number) {
                fault.apply(&mut values);
            }
            self.builder.push(&values, &row.stamp);
        }
        let columns = |source| Error::Columns { segment: self.id.clone(), source };
        let batch = self.builder.finish().map_err(columns)?;
        let lacks = |(column, array): (usize, &ArrayRef)| {
            array.null_count() < array.len() && self.stored.binary_search(&column).is_err()
        };
        if batch.columns().iter().enumerate().any(lacks) {
            self.misses_columns = true;
            return Ok(());
        }
        let sections = self.compare(&batch, &mut pending, first)?;
        let batch = with_sections(&batch, &sections)
            .and_then(|batch| batch.project(&self.stored))
            .map_err(|source| Error::Columns { segment: self.id.clone(), source })?;
        self.arrow
            .write(&batch)
            .map_err(|source| Error::Encode { segment: self.id.clone(), source })
    }

    /// Returns for each row the section bytes that it must be stored with, if any.
    fn compare(
        &mut self,
        batch: &RecordBatch,
        pending: &mut [SortedRow],
        first: u32,
    ) -> Result<Vec<Option<Box<[u8]>>>, Error> {
        let malformed = |row| Error::Malformed { segment: self.id.clone(), row: u64::from(row) };
        let columns = Columns::of(batch, &[], &self.key).ok_or_else(|| malformed(first))?;
        let mut scratch = Vec::new();
        let mut sections = Vec::with_capacity(pending.len());
        for (at, row) in pending.iter_mut().enumerate() {
            let verbatim = if let Some(bytes) = row.verbatim.take() {
                Some(bytes)
            } else {
                let view = ColumnsRow::of(&columns, at).ok_or_else(|| malformed(first))?;
                let same = sections_digest(&view, &mut scratch) == row.digest;
                if same { None } else { Some(self.differing(row)?) }
            };
            self.verbatim = self.verbatim.saturating_add(u32::from(verbatim.is_some()));
            sections.push(verbatim);
        }
        Ok(sections)
    }

    /// Reports a row that its columns do not give back, and returns its section bytes.
    fn differing(&self, row: &SortedRow) -> Result<Box<[u8]>, Error> {
        let position = row.stamp.position;
        tracing::error!(
            segment = %self.id,
            %position,
            "columns do not give a row back; its section bytes are stored"
        );
        let mut bytes = Vec::new();
        write_sections(&Values::of(row.row.view()), &mut bytes);
        // The last way to store the row: where it does not give the row back either, sealing
        // must fail while the journal still has it.
        if read_sections(&bytes).as_ref() == Some(&row.row) {
            Ok(bytes.into_boxed_slice())
        } else {
            Err(Error::Unstorable { segment: self.id.clone(), position })
        }
    }
}

impl std::fmt::Debug for SegmentWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SegmentWriter")
            .field("id", &self.id)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

/// Divides the file into the ranges that have a checksum each: none is longer than
/// [`BLOCK_BYTES_MAX`] or crosses the border of a column, and pages that fit together into one
/// are not divided.
fn blocks(file: &[u8], metadata: &ParquetMetaData, stored: &[usize]) -> Vec<Block> {
    let mut chunks = Vec::new();
    for (group, row_group) in metadata.row_groups().iter().enumerate() {
        for (at, (chunk, column)) in row_group.columns().iter().zip(stored).enumerate() {
            debug_assert_eq!(chunk.column_path().string(), column_name(*column));
            let (start, len) = chunk.byte_range();
            let number = u16::try_from(*column).unwrap_or(OUTSIDE);
            let pages = metadata.offset_index().and_then(|index| index.get(group)?.get(at));
            let pages = pages.map_or(&[][..], |pages| pages.page_locations());
            let starts = pages.iter().filter_map(|page| u64::try_from(page.offset).ok());
            let borders: Vec<u64> = starts.chain([start.saturating_add(len)]).collect();
            chunks.push((start, number, borders));
        }
    }
    chunks.sort_unstable();
    chunks.push((long(file.len()), OUTSIDE, Vec::new()));
    let mut blocks = Vec::new();
    let mut at = 0;
    for (start, column, borders) in chunks {
        push_blocks(&mut blocks, file, (at, start), OUTSIDE);
        at = start;
        let mut next = borders.into_iter().peekable();
        while let Some(border) = next.next() {
            let fits = |end: &u64| end.saturating_sub(at) <= u64::from(BLOCK_BYTES_MAX);
            if !next.peek().is_some_and(fits) {
                push_blocks(&mut blocks, file, (at, border), column);
                at = border;
            }
        }
    }
    blocks
}

fn push_blocks(blocks: &mut Vec<Block>, file: &[u8], (start, end): (u64, u64), column: u16) {
    let start_index = usize::try_from(start).unwrap_or(usize::MAX);
    let end_index = usize::try_from(end).unwrap_or(usize::MAX);
    let bytes = file.get(start_index..end_index).unwrap_or(&[]);
    let mut offset = start;
    for block in bytes.chunks(index(BLOCK_BYTES_MAX)) {
        let len = u32::try_from(block.len()).unwrap_or(u32::MAX);
        blocks.push(Block { offset, len, column, crc: crc32c::crc32c(block) });
        offset = offset.saturating_add(u64::from(len));
    }
}
