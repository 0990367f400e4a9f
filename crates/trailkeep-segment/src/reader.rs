//! A sealed segment, open for reading.

use std::ops::{ControlFlow, RangeInclusive};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;
use trailkeep_event::{Entry, IdKey, Micros, Position, RowBuilder};

use crate::batches::{Batches, Wanted};
use crate::cursor::EntryCursor;
use crate::layout::{CREATED_AT, N_STORED, PAGE_ROWS_MAX, ROW_GROUP_ROWS_MAX, is_nullable};
use crate::members::{MEMBER_PREFIX, Member, Members};
use crate::meta::sha256_hex;
use crate::numbers::{index, long};
use crate::page::{PageReader, PageSource, rows_of_page};
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
    /// For each page bounds of the times that its rows sort at.
    spans: Arc<[(Micros, Micros)]>,
    /// Whether the index was found to be lost or damaged.
    index_lost: Arc<AtomicBool>,
    file: VerifiedFile,
    parquet: ArrowReaderMetadata,
    /// For each stored column its place in the file, where the file has it.
    places: Arc<[Option<usize>; N_STORED]>,
    /// The members of `metadata` that have columns.
    members: Members,
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
        let file =
            VerifiedFile::walked(Arc::clone(&store), Arc::clone(&meta), Arc::clone(&trailer));
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_offset_index_policy(PageIndexPolicy::Required)
            .with_column_index_policy(PageIndexPolicy::Optional);
        let parquet =
            ArrowReaderMetadata::load(&file, options).map_err(|source| file.failure(source))?;
        let n_rows = parquet.metadata().file_metadata().num_rows();
        let found =
            members(&parquet).and_then(|members| Some((places(&parquet, &members)?, members)));
        let Some((places, members)) = found.filter(|_| n_rows == i64::from(trailer.rows)) else {
            let source = ParquetError::General("the rows or columns are not as told".to_owned());
            return Err(Error::Decode { segment: meta.id.clone(), source });
        };
        let file =
            VerifiedFile::shared(Arc::clone(&store), Arc::clone(&meta), Arc::clone(&trailer));
        let spans = trailer.spans().into();
        let index_lost = Arc::default();
        let places = Arc::new(places);
        Ok(Self { store, meta, key, trailer, spans, index_lost, file, parquet, places, members })
    }

    /// Returns the segment's description.
    pub fn meta(&self) -> &Arc<SegmentMeta> {
        &self.meta
    }

    /// Reads whole entries by row number, in the order asked for.
    ///
    /// Costs about 50 pages for each row that stands alone; neighbours share them.
    pub fn fetch(&self, rows: &[u32]) -> Result<Vec<Entry>, Error> {
        let mut sorted = rows.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        if let Some(row) = sorted.last().copied().filter(|row| *row >= self.trailer.rows) {
            return Err(Error::NoSuchRow { segment: self.meta.id.clone(), row });
        }
        let mut builder = RowBuilder::default();
        let mut entries = Vec::with_capacity(sorted.len());
        for page in sorted.chunk_by(|a, b| page_of(*a) == page_of(*b)) {
            entries.extend(PageReader::some(self, page).entries(&mut builder)?);
        }
        let in_order = |row: &u32| {
            let found = sorted.binary_search(row).ok().and_then(|at| entries.get(at)).cloned();
            found.ok_or_else(|| self.malformed(*row))
        };
        rows.iter().map(in_order).collect()
    }

    /// Returns how many pages the segment has; all but the last have 2048 rows.
    pub fn n_pages(&self) -> u32 {
        crate::numbers::short(index(self.trailer.rows).div_ceil(PAGE_ROWS_MAX))
    }

    /// Opens a page by its number; one that the segment does not have has no rows.
    pub fn page(&self, page: u32) -> PageReader<'_> {
        PageReader::whole(self, page)
    }

    /// Returns between which times the rows of a page were admitted, where the file tells.
    pub fn admitted(&self, page: u32) -> Option<RangeInclusive<Micros>> {
        let rows = rows_of_page(page, self.meta.rows);
        let first = index(rows.start);
        let start = first % ROW_GROUP_ROWS_MAX;
        let rows = start..start.checked_add(rows.len())?;
        let group = first / ROW_GROUP_ROWS_MAX;
        let (least, greatest) = self.source().bounds(group, CREATED_AT, &rows)?;
        Some(Micros(least)..=Micros(greatest))
    }

    /// Finds the entry at a position.
    ///
    /// Costs about 10 us for each page before it, then one look-up; nothing where the segment does
    /// not cover the position.
    pub fn find(&self, position: Position) -> Result<Option<Entry>, Error> {
        if !self.meta.covers(position) {
            return Ok(None);
        }
        for number in 0..self.n_pages() {
            let mut page = self.page(number);
            if let Some(row) = page.find(position)? {
                return Ok(self.fetch(&[row])?.pop());
            }
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

    pub(crate) fn spans(&self) -> &[(Micros, Micros)] {
        &self.spans
    }

    pub(crate) fn index_lost(&self) -> &AtomicBool {
        &self.index_lost
    }

    pub(crate) fn store(&self) -> &SegmentStore {
        &self.store
    }

    pub(crate) fn key(&self) -> &IdKey {
        &self.key
    }

    /// Returns the Parquet object for a walk over much of it.
    pub(crate) fn walked(&self) -> VerifiedFile {
        let (store, meta) = (Arc::clone(&self.store), Arc::clone(&self.meta));
        VerifiedFile::walked(store, meta, Arc::clone(&self.trailer))
    }

    /// Returns what reads single pages.
    pub(crate) fn source(&self) -> PageSource<'_> {
        PageSource {
            file: &self.file,
            metadata: self.parquet.metadata(),
            places: &self.places,
            caches: self.store.caches(),
            segment: &self.meta.id,
            cache_key: self.meta.cache_key(),
        }
    }

    pub(crate) fn batches(&self, wanted: &Wanted<'_>) -> Result<Batches, Error> {
        Batches::open(self, wanted)
    }

    pub(crate) fn parquet(&self) -> &ArrowReaderMetadata {
        &self.parquet
    }

    /// Returns a stored column's place in the file, where the file has it.
    pub(crate) fn place(&self, column: usize) -> Option<usize> {
        self.places.get(column).copied().flatten()
    }

    /// Tells whether a row may have a value in a stored column.
    pub(crate) fn has_values(&self, column: usize) -> bool {
        let groups = 0..self.parquet.metadata().num_row_groups();
        groups.into_iter().any(|group| !self.source().is_absent(group, column))
    }

    /// Returns the members of `metadata` that have columns.
    pub(crate) fn members(&self) -> &Members {
        &self.members
    }

    /// Returns how many rows have a value in a stored column, as the statistics say.
    pub(crate) fn n_values(&self, column: usize) -> u64 {
        let groups = 0..self.parquet.metadata().num_row_groups();
        groups.map(|group| self.source().n_values(group, column)).sum()
    }

    /// Returns how many bytes the pages take without compression.
    pub(crate) fn uncompressed_bytes(&self) -> u64 {
        let groups = self.parquet.metadata().row_groups().iter();
        groups.map(|group| u64::try_from(group.total_byte_size()).unwrap_or(0)).sum()
    }

    pub(crate) fn malformed(&self, row: u32) -> Error {
        Error::Malformed { segment: self.meta.id.clone(), row: u64::from(row) }
    }
}

/// Returns the members of `metadata` that a file has columns for.
fn members(parquet: &ArrowReaderMetadata) -> Option<Members> {
    let fields = parquet.schema().fields().iter().enumerate();
    let member = |(place, field): (usize, &arrow_schema::FieldRef)| {
        let key = field.name().strip_prefix(MEMBER_PREFIX)?.into();
        let groups = parquet.metadata().row_groups().iter();
        let mut chunks = groups.filter_map(|group| group.columns().get(place));
        let coded = chunks.any(|chunk| chunk.dictionary_page_offset().is_some());
        Some(Member { key, coded })
    };
    Members::new(fields.filter_map(member).collect())
}

/// Returns for each stored column its place in a file; `None` where the file has others.
fn places(parquet: &ArrowReaderMetadata, members: &Members) -> Option<[Option<usize>; N_STORED]> {
    let mut places = [None; N_STORED];
    for (place, field) in parquet.schema().fields().iter().enumerate() {
        *places.get_mut(members.column_named(field.name())?)? = Some(place);
    }
    let required = (0..N_STORED).filter(|column| !is_nullable(*column));
    required
        .into_iter()
        .all(|column| places.get(column).copied().flatten().is_some())
        .then_some(places)
}

/// Returns the number of the page that holds a row of a segment.
pub fn page_of(row: u32) -> usize {
    index(row) / PAGE_ROWS_MAX
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
