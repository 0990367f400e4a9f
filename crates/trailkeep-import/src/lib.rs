//! Turns other systems' records into events by a declarative mapping.
//!
//! Promises: one record gives one event or one [`Unreadable`] with its reason, never neither and
//! never a panic; a member that no field holds whole stays in `metadata` as it was; an integer
//! beyond 2^53 - 1 becomes a string exactly as written.
//!
//! Never does: I/O beyond the reader it is given, time, randomness, sending.
//!
//! The mapping file is described in `docs/reference/import.md`; the built-in mappings are such
//! files, in `mappings/`.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod combined;
mod convert;
mod event_writer;
mod fit;
mod format;
mod json;
mod json_writer;
mod lookup;
mod mapping;
mod native;
mod pointer;
mod records;
mod rule;
mod target;
mod template;
mod time;
mod unreadable;

pub use self::{
    convert::Converter,
    format::{Format, FormatError},
    mapping::{Layout, Mapping, MappingError},
    records::{RECORD_BYTES_MAX, RecordAt, RecordReader},
    unreadable::Unreadable,
};
