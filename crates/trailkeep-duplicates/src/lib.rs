//! Remembers which source ids were admitted, in sorted runs behind an in-memory filter.
//!
//! Promises: a source id that was admitted is found for as long as its run is kept; a damaged
//! run is an error that names its block, never a wrong answer. A run can always be rebuilt from
//! the entries themselves.
//!
//! Never does: decide what a duplicate means; keep the source ids themselves.
//!
//! The byte table is in `docs/format/source-ids.md`.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod error;
mod filter;
mod fingerprint;
mod layout;
mod merge;
mod run;
mod write;

pub use self::{
    error::Error,
    fingerprint::{Fingerprint, Known, SourceKey, SourceRef},
    merge::merge_runs,
    run::Run,
    write::{RUN_ENTRIES_MAX, RunMeta, write_run},
};
