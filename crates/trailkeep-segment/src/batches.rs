//! Reads rows of a segment, a run of rows at a time.

use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::errors::ParquetError;
use trailkeep_event::IdKey;

use crate::columns::Columns;
use crate::compose::parts_of;
use crate::layout::N_COLUMNS;
use crate::members::Members;
use crate::numbers::index;
use crate::verified::VerifiedFile;
use crate::{Error, SegmentReader};

/// The rows of one run where few columns are read.
pub(crate) const NARROW_ROWS: usize = 8192;
/// The rows of one run where all columns are read: 64 MiB if every event is as large as it may be.
pub(crate) const WIDE_ROWS: usize = 1024;

/// What to read.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    /// The columns; all where absent.
    pub(crate) columns: Option<&'a [usize]>,
    /// The rows, in order and apart; all where absent.
    pub(crate) rows: Option<&'a [Range<u32>]>,
    /// How many rows to read at a time.
    pub(crate) batch_rows: usize,
}

/// The runs of rows of one read, in order.
pub(crate) struct Batches {
    reader: ParquetRecordBatchReader,
    file: VerifiedFile,
    key: IdKey,
    members: Members,
    /// Stored columns that were asked for and that the file lacks: no row has a value in them.
    lacking: Vec<usize>,
}

impl Batches {
    /// Starts to read.
    pub(crate) fn open(segment: &SegmentReader, wanted: &Wanted<'_>) -> Result<Self, Error> {
        let (file, metadata) = (segment.walked(), segment.parquet().clone());
        let n_rows = index(segment.meta().rows);
        let mut builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata)
                .with_batch_size(wanted.batch_rows);
        let columns = match wanted.columns {
            Some(columns) => columns.to_vec(),
            None => (0..N_COLUMNS).collect(),
        };
        let parts: Vec<usize> = columns.iter().flat_map(|column| parts_of(*column)).collect();
        let places = parts.iter().filter_map(|part| segment.place(*part));
        let mask = ProjectionMask::roots(builder.parquet_schema(), places);
        builder = builder.with_projection(mask);
        let lacking = parts.into_iter().filter(|part| segment.place(*part).is_none()).collect();
        if let Some(rows) = wanted.rows {
            let rows = rows.iter().map(|rows| index(rows.start)..index(rows.end));
            let selection = RowSelection::from_consecutive_ranges(rows, n_rows);
            builder = builder.with_row_selection(selection);
        }
        let reader = builder.build().map_err(|source| file.failure(source))?;
        let (key, members) = (segment.key().clone(), segment.members().clone());
        Ok(Self { reader, file, key, members, lacking })
    }

    /// Returns the next run of rows.
    pub(crate) fn next(&mut self) -> Result<Option<Columns>, Error> {
        match self.reader.next() {
            None => Ok(None),
            Some(batch) => self.columns(batch).map(Some).map_err(|error| self.file.failure(error)),
        }
    }

    fn columns(&self, batch: Result<RecordBatch, ArrowError>) -> Result<Columns, ParquetError> {
        Columns::of(&batch?, &self.lacking, &self.members, &self.key)
            .ok_or_else(|| ParquetError::General("a column is not of its type".to_owned()))
    }
}

impl std::fmt::Debug for Batches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches").field("file", &self.file).finish_non_exhaustive()
    }
}
