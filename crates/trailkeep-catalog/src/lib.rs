//! Remembers accounts, keys, segments, runs, leases, log heads and the cut in one transactional
//! store: the only commit point of a Trailkeep store, and its only fence.
//!
//! Promises: a seal moves its segments, runs, heads and cut together or not at all; a writer that
//! lost its lease changes nothing; the live segments cover exactly the frames before the cut; a file
//! that lost a commit is not opened.
//!
//! Never does: read or write a segment, know the time, decide who may do what.
//!
//! The tables, and what a crash leaves, are in `docs/format/catalog.md`.

mod catalog;
mod error;
mod limits;

mod account;
mod garbage;
mod identity;
mod key;
mod lease;
mod run;
mod seal;
mod segment;
mod snapshot;

mod cover;
mod text;

mod memory;
mod sqlite;

#[doc(hidden)]
pub mod conformance;

pub use self::{
    account::AccountRecord,
    catalog::Catalog,
    error::{Cause, Error, Result},
    garbage::{GarbageKind, GarbageRecord},
    identity::StoreIdentity,
    key::KeyRecord,
    lease::Lease,
    limits::{GARBAGE_PAGE_MAX, META_BYTES_MAX, SETTING_BYTES_MAX},
    memory::{FaultOutcome, MemoryCatalog, MemoryFault},
    run::RunRecord,
    seal::{CommitOutcome, HeadRecord, SealCommit},
    segment::SegmentRecord,
    snapshot::CatalogSnapshot,
    sqlite::SqliteCatalog,
};
