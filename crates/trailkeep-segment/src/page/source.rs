//! Finds and reads the pages of a segment.

use std::ops::Range;
use std::sync::Arc;

use arrow_buffer::BooleanBuffer;
use bytes::Bytes;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::PageLocation;
use parquet::file::statistics::Statistics;

use super::dictionary::Dictionary;
use super::header::{PageEncoding, PageHeader, PageKind};
use super::levels::Levels;
use super::picks::Picks;
use super::values::{Body, Values};
use crate::Error;
use crate::caches::Caches;
use crate::column::Column;
use crate::layout::{N_STORED, column_kind, column_name, is_nullable};
use crate::numbers::long;
use crate::verified::VerifiedFile;

/// The longest page that is decompressed.
const PAGE_BYTES_MAX: usize = 256 << 20;
/// What follows the values of a page in memory, so that a number is read by one load.
const PADDING: usize = 16;

/// Reads pages of an open segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageSource<'a> {
    pub(crate) file: &'a VerifiedFile,
    pub(crate) metadata: &'a ParquetMetaData,
    /// For each stored column its place in the file, where the file has it.
    pub(crate) places: &'a [Option<usize>; N_STORED],
    pub(crate) caches: &'a Caches,
    pub(crate) segment: &'a str,
    pub(crate) cache_key: u128,
}

impl PageSource<'_> {
    /// Reads the picked rows of a column; they are numbered from the start of the row group.
    pub(crate) fn column(
        &self,
        group: usize,
        column: usize,
        picks: &Picks,
    ) -> Result<Column, Error> {
        if self.is_absent(group, column) {
            return Ok(Column::Absent(picks.len()));
        }
        if self.is_all_false(group, column) {
            return Ok(Column::Bool(BooleanBuffer::new_unset(picks.len()).into()));
        }
        let malformed = || self.malformed(column);
        let chunk = self.chunk(group, column).ok_or_else(malformed)?;
        let pages = self.pages(group, column).ok_or_else(malformed)?;
        let n_rows = usize::try_from(chunk.num_values()).unwrap_or(0);
        if picks.end() > n_rows {
            return Err(malformed());
        }
        let mut values = Values::new(column_kind(column));
        let first = page_with(pages, picks.start(), n_rows);
        for (at, page) in pages.iter().enumerate().skip(first) {
            if first_row(page) >= picks.end() {
                break;
            }
            let next = pages.get(at.saturating_add(1)).map(first_row);
            let rows = first_row(page)..next.unwrap_or(n_rows);
            let inside = picks.within(&rows);
            if inside.len() > 0 {
                self.append((group, column), page, &inside, &mut values)?;
            }
        }
        values.finish().filter(|column| column.n_rows() == picks.len()).ok_or_else(malformed)
    }

    /// Returns the statistics' word that a column has a value in all rows of a row group, and that
    /// all are false.
    pub(crate) fn is_all_false(&self, group: usize, column: usize) -> bool {
        match self.chunk(group, column).and_then(ColumnChunkMetaData::statistics) {
            Some(Statistics::Boolean(truths)) => {
                truths.max_opt() == Some(&false) && truths.null_count_opt() == Some(0)
            }
            _ => false,
        }
    }

    /// Tells whether a column has no value in a row group.
    pub(crate) fn is_absent(&self, group: usize, column: usize) -> bool {
        self.place(column).is_none() || self.chunk(group, column).is_some_and(is_absent)
    }

    /// Returns how many rows of a row group have a value in a column, as the statistics say.
    pub(crate) fn n_values(&self, group: usize, column: usize) -> u64 {
        let Some(chunk) = self.chunk(group, column) else { return 0 };
        let nulls = chunk.statistics().and_then(Statistics::null_count_opt).unwrap_or(0);
        u64::try_from(chunk.num_values()).unwrap_or(0).saturating_sub(nulls)
    }

    /// Returns the least and the greatest number in some rows of a column, where they lie in one
    /// page and the file tells.
    pub(crate) fn bounds(
        &self,
        group: usize,
        column: usize,
        rows: &Range<usize>,
    ) -> Option<(i64, i64)> {
        let pages = self.pages(group, column)?;
        let n_rows = usize::try_from(self.chunk(group, column)?.num_values()).ok()?;
        let at = page_with(pages, rows.start, n_rows);
        let next = pages.get(at.checked_add(1)?).map_or(n_rows, first_row);
        if first_row(pages.get(at)?) > rows.start || next < rows.end {
            return None;
        }
        let index = self.metadata.column_index()?.get(group)?.get(self.place(column)?)?;
        match index {
            ColumnIndexMetaData::INT64(index) => {
                Some((*index.min_values().get(at)?, *index.max_values().get(at)?))
            }
            _ => None,
        }
    }

    fn place(&self, column: usize) -> Option<usize> {
        self.places.get(column).copied().flatten()
    }

    fn append(
        &self,
        (group, column): (usize, usize),
        page: &PageLocation,
        picks: &Picks,
        values: &mut Values,
    ) -> Result<(), Error> {
        let malformed = || self.malformed(column);
        let bytes = self.file.read(range_of(page).ok_or_else(malformed)?)?;
        let (header, stored) = PageHeader::read(&bytes).ok_or_else(malformed)?;
        let dictionary = match header.encoding {
            PageEncoding::Codes => Some(self.dictionary(group, column)?),
            _ => None,
        };
        let chunk = self.chunk(group, column).ok_or_else(malformed)?;
        let decoded = self.decode((chunk, column), (header, stored), dictionary, (picks, values));
        decoded.ok_or_else(malformed)
    }

    /// Decodes the picked rows of a page; `None` where its bytes are no page of the column.
    fn decode(
        &self,
        (chunk, column): (&ColumnChunkMetaData, usize),
        (header, stored): (PageHeader, &[u8]),
        dictionary: Option<Arc<Dictionary>>,
        (picks, values): (&Picks, &mut Values),
    ) -> Option<()> {
        let buffer = self.body(chunk.compression(), header, stored)?;
        let body = Body { dictionary, ..body(&buffer, header, column)? };
        values.append(&body, picks)
    }

    /// Returns a dictionary, decoded once for as long as the cache keeps it.
    pub(crate) fn dictionary(&self, group: usize, column: usize) -> Result<Arc<Dictionary>, Error> {
        let key = (self.cache_key, group, column);
        if let Some(dictionary) = self.caches.dictionaries.get(&key) {
            return Ok(dictionary);
        }
        let malformed = || self.malformed(column);
        let chunk = self.chunk(group, column).ok_or_else(malformed)?;
        let range = dictionary_range(chunk).ok_or_else(malformed)?;
        let bytes = self.file.read_once(range)?;
        let dictionary = self.read_dictionary(chunk, column, &bytes).ok_or_else(malformed)?;
        let dictionary = Arc::new(dictionary);
        self.caches.dictionaries.put(key, Arc::clone(&dictionary), dictionary.bytes());
        Ok(dictionary)
    }

    fn read_dictionary(
        &self,
        chunk: &ColumnChunkMetaData,
        column: usize,
        bytes: &Bytes,
    ) -> Option<Dictionary> {
        let (header, stored) = PageHeader::read(bytes)?;
        if header.kind != PageKind::Dictionary {
            return None;
        }
        let buffer = self.body(chunk.compression(), header, stored)?;
        let exact = buffer.get(..header.n_bytes)?;
        Dictionary::read(column_kind(column), exact, header.n_values)
    }

    /// Returns a page's body as it was before compression, and [`PADDING`] other bytes.
    fn body(&self, codec: Compression, header: PageHeader, stored: &[u8]) -> Option<Vec<u8>> {
        let stored = stored.get(..header.n_stored)?;
        if header.n_bytes > PAGE_BYTES_MAX {
            return None;
        }
        let mut buffer = Vec::with_capacity(header.n_bytes.checked_add(PADDING)?);
        match codec {
            Compression::UNCOMPRESSED if header.n_bytes == header.n_stored => {
                buffer.extend_from_slice(stored);
            }
            Compression::ZSTD(_) => {
                self.caches.decompress(stored, header.n_bytes, &mut buffer)?;
            }
            _ => return None,
        }
        buffer.extend_from_slice(&[0; PADDING]);
        Some(buffer)
    }

    fn chunk(&self, group: usize, column: usize) -> Option<&ColumnChunkMetaData> {
        self.metadata.row_groups().get(group)?.columns().get(self.place(column)?)
    }

    fn pages(&self, group: usize, column: usize) -> Option<&[PageLocation]> {
        Some(self.metadata.offset_index()?.get(group)?.get(self.place(column)?)?.page_locations())
    }

    fn malformed(&self, column: usize) -> Error {
        let told = format!("a page of column `{}` is malformed", column_name(column));
        Error::Decode { segment: self.segment.to_owned(), source: ParquetError::General(told) }
    }
}

/// Divides the body of a data page into levels and values.
fn body(buffer: &[u8], header: PageHeader, column: usize) -> Option<Body<'_>> {
    if header.kind != PageKind::Data {
        return None;
    }
    let exact = buffer.get(..header.n_bytes)?;
    let (levels, start) = if is_nullable(column) { Levels::read(exact)? } else { (Levels::All, 0) };
    Some(Body {
        encoding: header.encoding,
        bytes: buffer.get(start..)?,
        exact: exact.get(start..)?,
        levels,
        n_rows: header.n_values,
        dictionary: None,
    })
}

/// Tells whether the statistics say that a column chunk has no value.
fn is_absent(chunk: &ColumnChunkMetaData) -> bool {
    let nulls = chunk.statistics().and_then(Statistics::null_count_opt);
    nulls.is_some_and(|nulls| i64::try_from(nulls) == Ok(chunk.num_values()))
}

/// Returns the place of the page that holds a row. Most pages of a column have as many rows as the
/// others, so that it is where it would be then.
fn page_with(pages: &[PageLocation], row: usize, n_rows: usize) -> usize {
    let holds = |at: usize| {
        let starts = |at: usize| pages.get(at).map(first_row);
        starts(at).is_some_and(|first| first <= row)
            && starts(at.saturating_add(1)).is_none_or(|first| first > row)
    };
    let guess = row.saturating_mul(pages.len()).checked_div(n_rows).unwrap_or(0);
    let near = guess.saturating_sub(1)..=guess.saturating_add(1);
    near.into_iter()
        .find(|at| holds(*at))
        .unwrap_or_else(|| pages.partition_point(|page| first_row(page) <= row).saturating_sub(1))
}

fn first_row(page: &PageLocation) -> usize {
    usize::try_from(page.first_row_index).unwrap_or(usize::MAX)
}

fn range_of(page: &PageLocation) -> Option<Range<u64>> {
    let start = u64::try_from(page.offset).ok()?;
    Some(start..start.checked_add(u64::try_from(page.compressed_page_size).ok()?)?)
}

fn dictionary_range(chunk: &ColumnChunkMetaData) -> Option<Range<u64>> {
    let start = u64::try_from(chunk.dictionary_page_offset()?).ok()?;
    let end = u64::try_from(chunk.data_page_offset()).ok()?;
    (start < end && long(PAGE_BYTES_MAX) > end - start).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::memory::InMemory;
    use trailkeep_event::{BatchWriter, Cut, IdKey, Micros, Partition, SequencedBatch};
    use trailkeep_testkit::{EventMaker, Random, row_of};

    use crate::{SealOptions, SegmentReader, SegmentStore, seal};

    fn segment(n_rows: usize) -> SegmentReader {
        let mut writer = BatchWriter::new();
        for line in EventMaker::new(3).with_source_ids().take(n_rows) {
            writer.push(row_of(&line).view());
        }
        let batch = writer.finish(Micros(0)).unwrap();
        let seqs = (0..u64::try_from(n_rows).unwrap()).collect();
        let partition = Partition::new(0).unwrap();
        let batch = Arc::new(SequencedBatch { partition, frame: 0, batch, seqs });
        let (store, key) = (SegmentStore::new(Arc::new(InMemory::new())), IdKey::new([1; 16]));
        let options = SealOptions { id: [1; 16], from: Cut::default(), fault: None };
        let sealed = seal(&store, &key, &[batch], &options).unwrap();
        SegmentReader::open(Arc::new(store), Arc::new(sealed.meta), key).unwrap()
    }

    /// R382: whatever bytes a page has, reading it ends with values or an error.
    #[test]
    fn changed_pages_never_panic() {
        let reader = segment(5_000);
        let source = reader.source();
        let mut random = Random::new(9);
        let mut n_different = 0_usize;
        for column in 0..N_STORED {
            let Some(chunk) = source.chunk(0, column) else { continue };
            let pages = source.pages(0, column).unwrap();
            let n_rows = first_row(&pages[2]) - first_row(&pages[1]);
            let page = &pages[1];
            let whole = source.file.read(range_of(page).unwrap()).unwrap();
            let coded = PageHeader::read(&whole).unwrap().0.encoding == PageEncoding::Codes;
            let dictionary = coded.then(|| source.dictionary(0, column).unwrap());
            for round in 0..400_usize {
                let mut bytes = whole.to_vec();
                let at =
                    usize::try_from(random.below(u64::try_from(bytes.len()).unwrap())).unwrap();
                // The header and the levels are short; they get more than their share.
                let at = if round % 2 == 0 { at } else { round / 2 % bytes.len() };
                bytes[at] ^= 1 << (round % 8);
                bytes.truncate(if round % 16 == 0 { at } else { bytes.len() });
                let Some(page) = PageHeader::read(&bytes) else {
                    n_different += 1;
                    continue;
                };
                for picks in [Picks::Range(0..n_rows), Picks::List(vec![0, 7, n_rows - 1])] {
                    let mut values = Values::new(column_kind(column));
                    let dictionary = dictionary.clone();
                    let read =
                        source.decode((chunk, column), page, dictionary, (&picks, &mut values));
                    let column = read.and_then(|()| values.finish());
                    n_different += usize::from(column.is_none());
                }
            }
            if let Some(range) = dictionary.and_then(|_| dictionary_range(chunk)) {
                let whole = source.file.read_once(range).unwrap();
                for at in 0..whole.len().min(600) {
                    let mut bytes = whole.to_vec();
                    bytes[at] ^= 1 << (at % 8);
                    let _read = source.read_dictionary(chunk, column, &bytes.into());
                }
            }
        }
        assert!(n_different > 1_000, "{n_different}");
    }
}
