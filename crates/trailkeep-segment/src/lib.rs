//! The tail, sealed checksummed Parquet, and compaction.
//!
//! Promises: a sealed segment gives back exactly the rows that were put in it; every byte that is
//! read is checked first, and a byte that changed is [`Error::Corrupt`], naming segment, column
//! and offset; a segment is durable in all its objects before its description is returned.
//!
//! Never does: decide what is sealed or when, remember which segments exist, or delete one by
//! itself. All calls block: they belong on threads that may wait.
//!
//! The byte tables are in `docs/format/segment.md`.

mod answers;
mod arrow;
mod batches;
mod cache;
mod caches;
mod candidates;
mod column;
mod columns;
mod columns_builder;
mod columns_row;
mod compose;
mod cursor;
mod encoder;
mod error;
mod expected;
mod given_back;
mod index;
mod layout;
mod members;
mod merge;
mod meta;
mod numbers;
mod page;
mod pick;
mod reader;
mod row_writer;
mod scan;
mod seal;
mod select;
mod shape;
mod shelf;
mod sort_key;
mod store;
mod tail;
mod trailer;
mod values;
mod verbatim;
mod verified;
mod verify;
mod writer;

pub use self::{
    arrow::{ArrowBatches, arrow_schema},
    candidates::{PageCandidate, PageOrder},
    column::Column,
    columns_row::ColumnsRow,
    error::Error,
    merge::merge,
    meta::{FORMAT_VERSION, SegmentMeta},
    page::{Dictionary, PageReader},
    pick::Compaction,
    reader::{SegmentReader, page_of},
    scan::{RowHandle, ScanPlan},
    seal::{SealFault, SealOptions, SealedSegment, seal},
    select::{PageHits, PageQuery},
    shelf::{Shelf, ShelfView, ShelvedSegment},
    sort_key::SortKey,
    store::{SegmentStore, StoredObject},
    tail::{OpenSegment, TailView},
    verbatim::{read_sections, write_sections},
    verify::VerifyReport,
};
