//! The audit event: types, identifiers, times, sections, canonical bytes and schema version.
//!
//! Promises: what a producer sent is kept exactly, in one lossless [`Row`]; the same event always
//! has the same canonical section bytes; every rule about what an event may hold is here, and is
//! checked once, by [`read_event`].
//!
//! Never does: I/O, time, randomness, Arrow.
//!
//! The byte tables are in `docs/format/event.md`.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod account;
mod action;
mod batch;
mod body;
mod entry;
mod field;
mod id;
mod json;
mod limits;
mod micros;
mod number;
mod position;
mod presence;
mod push;
mod reader;
mod record;
mod rejection;
mod row;
mod section;
mod sequenced;
mod value;
mod wire;

pub use self::{
    account::{AccountId, AccountIdError, SYSTEM_ACCOUNT},
    action::action_key,
    batch::{Batch, BatchError, BatchRow, BatchWriter},
    body::{BodyError, BodyFormat, split_body},
    entry::{Entry, EntryRef, Stamp},
    field::{CATEGORIES, Field, FieldKind, OUTCOMES, SEVERITIES, Section, SystemCategory},
    id::{EventId, IdKey},
    json::canonical_json,
    limits::EventLimits,
    micros::{Micros, MicrosError},
    position::{Cut, PARTITIONS, Partition, Position},
    reader::read_event,
    record::{RecordError, Recorder},
    rejection::{Rejection, RejectionCode},
    row::{Row, RowBuilder, RowError, RowRef, UnpackedRow},
    section::write_section,
    sequenced::SequencedBatch,
    value::{Fields, ValueRef},
    wire::write_entry_json,
};

/// The schema version that this crate reads and writes.
pub const SCHEMA_VERSION: i64 = 1;
