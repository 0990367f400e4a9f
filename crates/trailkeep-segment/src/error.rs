//! What can go wrong with a segment.

use arrow_schema::ArrowError;
use parquet::errors::ParquetError;
use trailkeep_event::Position;

/// What can go wrong with a segment.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object store refused.
    #[error("could not {doing} object `{key}`")]
    Store {
        /// What was being tried.
        doing: &'static str,
        /// The object's key.
        key: String,
        /// Why.
        source: object_store::Error,
    },
    /// Bytes of a segment are not the ones that were written.
    #[error("segment `{segment}` is corrupt: column `{column}`, byte {offset}")]
    Corrupt {
        /// The segment's id.
        segment: String,
        /// The column whose bytes changed; `footer` and `trailer` are the parts outside columns.
        column: &'static str,
        /// Where the damaged range of bytes starts.
        offset: u64,
    },
    /// A row does not decode, although its bytes are the ones that were written.
    #[error("row {row} of segment `{segment}` is malformed")]
    Malformed {
        /// The segment's id.
        segment: String,
        /// The row's number.
        row: u64,
    },
    /// The segment was written by a newer program.
    #[error("segment `{segment}` has format {format}, which this program does not read")]
    Format {
        /// The segment's id.
        segment: String,
        /// Its format version.
        format: u16,
    },
    /// The description of a segment is not readable.
    #[error("could not read the description of a segment")]
    Meta {
        /// Why.
        source: serde_json::Error,
    },
    /// Rows could not be turned into columns.
    #[error("could not build the columns of segment `{segment}`")]
    Columns {
        /// The segment's id.
        segment: String,
        /// Why.
        source: ArrowError,
    },
    /// The Parquet file could not be written.
    #[error("could not encode segment `{segment}`")]
    Encode {
        /// The segment's id.
        segment: String,
        /// Why.
        source: ParquetError,
    },
    /// The Parquet file could not be read, although its bytes are the ones that were written.
    #[error("could not decode segment `{segment}`")]
    Decode {
        /// The segment's id.
        segment: String,
        /// Why.
        source: ParquetError,
    },
    /// Neither columns nor section bytes give a row back.
    #[error("could not store the entry at {position} in segment `{segment}`")]
    Unstorable {
        /// The segment's id.
        segment: String,
        /// The entry's place in the journal.
        position: Position,
    },
    /// A row in memory is not the one that was admitted.
    #[error(
        "the entry at {position} changed in memory before it was sealed in segment `{segment}`; \
         a restart reads it from the journal again"
    )]
    RowChanged {
        /// The segment's id.
        segment: String,
        /// The entry's place in the journal.
        position: Position,
    },
    /// A merge did not give its inputs' rows back.
    #[error("segment `{segment}` has other values than the segments that it was merged from")]
    Changed {
        /// The id that the new segment would have had.
        segment: String,
    },
    /// A merge was told to stop.
    #[error("the merge into segment `{segment}` was told to stop")]
    Stopped {
        /// The id that the new segment would have had.
        segment: String,
    },
    /// There is nothing to put in a segment.
    #[error("a segment has at least one row")]
    Empty,
    /// A segment would have more rows than a row number can count.
    #[error("segment `{segment}` would have too many rows")]
    TooManyRows {
        /// The segment's id.
        segment: String,
    },
    /// A row was asked for that the segment does not have.
    #[error("segment `{segment}` has no row {row}")]
    NoSuchRow {
        /// The segment's id.
        segment: String,
        /// The row's number.
        row: u32,
    },
}
