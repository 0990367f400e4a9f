//! Writes columns of sorted rows into the three objects of a segment.

use arrow_array::{Array, RecordBatch};
use arrow_schema::SchemaRef;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::file::metadata::ParquetMetaData;
use trailkeep_event::{Cut, Micros};

use crate::encoder::Encoder;
use crate::expected::FileColumns;
use crate::index::IndexMaker;
use crate::layout::{Effort, PAGE_ROWS_MAX, SECTIONS, column_name, properties, schema};
use crate::meta::{hex, sha256_hex};
use crate::numbers::{index, long, short};
use crate::trailer::{AccountRun, BLOCK_BYTES_MAX, Block, OUTSIDE, Trailer};
use crate::{Error, FORMAT_VERSION, SegmentMeta, SegmentStore};

/// What a segment covers, which its rows alone do not say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coverage {
    pub(crate) from: Cut,
    pub(crate) to: Cut,
    pub(crate) level: u8,
}

/// Writes one segment. Memory: what its [`Encoder`] takes.
pub(crate) struct SegmentWriter {
    id: String,
    encoder: Encoder,
    schema: SchemaRef,
    /// The stored columns that the file has, ascending.
    stored: Box<[usize]>,
    index: IndexMaker,
    accounts: Vec<AccountRun>,
    marks: Vec<Micros>,
    rows: u32,
    verbatim: u32,
    last: Option<(Micros, u64)>,
}

impl SegmentWriter {
    /// Starts a segment whose file has some of the stored columns.
    pub(crate) fn new(id: [u8; 16], file: &FileColumns, effort: Effort) -> Result<Self, Error> {
        let id = hex(&id);
        let options = ArrowWriterOptions::new()
            .with_properties(properties(effort, &file.members))
            .with_skip_arrow_metadata(true);
        let stored: Box<[usize]> = file.stored.clone().into();
        let all = schema(&file.members);
        let schema = all
            .project(&file.stored)
            .map_err(|source| Error::Columns { segment: id.clone(), source })?;
        let schema = SchemaRef::new(schema);
        let encoder = Encoder::start(SchemaRef::clone(&schema), options)
            .map_err(|source| Error::Encode { segment: id.clone(), source })?;
        Ok(Self {
            id,
            encoder,
            schema,
            stored,
            index: IndexMaker::new(),
            accounts: Vec::new(),
            marks: Vec::new(),
            rows: 0,
            verbatim: 0,
            last: None,
        })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Returns the schema of what is written.
    pub(crate) fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }

    /// Returns how many rows have a place.
    pub(crate) fn n_rows(&self) -> u32 {
        self.rows
    }

    /// Returns what makes the index; without pages, any page may hold anything.
    pub(crate) fn index(&mut self) -> &mut IndexMaker {
        &mut self.index
    }

    /// Writes the columns of rows that have their places; all but the last are a whole count of
    /// [`crate::layout::WRITE_BATCH_ROWS`].
    pub(crate) fn write(&mut self, batch: RecordBatch) -> Result<(), Error> {
        let sections = self.stored.binary_search(&SECTIONS).ok();
        let sections = sections.and_then(|place| batch.columns().get(place));
        let n_verbatim = sections.map_or(0, |them| them.len().saturating_sub(them.null_count()));
        self.verbatim = self.verbatim.saturating_add(short(n_verbatim));
        let encode = |source| Error::Encode { segment: self.id.clone(), source };
        self.encoder.write(batch).map_err(encode)
    }

    /// Writes all objects, the trailer last; all are durable when this returns. A crash before
    /// that leaves objects that no catalog names.
    pub(crate) fn finish(
        self,
        store: &SegmentStore,
        coverage: &Coverage,
    ) -> Result<SegmentMeta, Error> {
        let (Some(first), Some(last)) = (self.accounts.first(), self.accounts.last()) else {
            return Err(Error::Empty);
        };
        let (first_account, last_account) = (first.account.to_string(), last.account.to_string());
        let min_sort_at = self.accounts.iter().map(|run| run.min_sort_at).min();
        let max_sort_at = self.accounts.iter().map(|run| run.max_sort_at).max();
        let encode = |source| Error::Encode { segment: self.id.clone(), source };
        let (file, metadata) = self.encoder.finish().map_err(encode)?;
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
    ///
    /// # Panics
    /// Where the rows do not come in order: every look-up would be wrong.
    pub(crate) fn place(&mut self, account: &str, sort_at: Micros, seq: u64) -> Result<(), Error> {
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
            debug_assert!(chunk.column_path().string().starts_with(column_name(*column)));
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
