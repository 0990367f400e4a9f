//! Appends batches durably in one order, with group commit, recovery and tailing readers.
//!
//! Promises: what [`Journal::append`] returned is on the disk, once, and every later
//! [`Journal::open`] finds it. A write that a power cut tore is cleared by itself; a flipped bit
//! in acknowledged bytes never is: it stops the store and is named by file and offset. A reader
//! never skips a frame. Only masked events can be framed.
//!
//! Damage has a way out where one is safe, and its error says which: [`repair_headers`] loses
//! nothing, [`cut_tail`] says what is lost, a backup is the rest.
//!
//! Never does: threads, time, randomness; decide what is a duplicate or when to seal.
//!
//! One file carries all 16 partitions. The byte tables and the rule for a torn end are in
//! `docs/format/journal.md`.
//!
//! What an attacker who can write the files can do: remove or change what is not sealed yet, with
//! right checksums. What is signed already cannot be changed without being noticed: the ledger
//! refuses a journal that ends before it or has other leaves.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod batch;
mod cut_tail;
mod error;
mod file;
mod folder;
mod frame;
mod header;
mod journal;
mod live;
mod note;
mod open;
mod options;
mod preparer;
mod reader;
mod recovery;
mod repair;
mod restore;
mod scan;
mod sector;
mod spares;
mod stats;
mod way_out;
mod write;

pub use self::{
    batch::JournalBatch,
    cut_tail::{CutTail, cut_tail},
    error::{Error, Result},
    frame::Frame,
    journal::Journal,
    note::CutNote,
    options::JournalOptions,
    preparer::JournalPreparer,
    reader::JournalReader,
    recovery::Recovery,
    repair::{HeaderRepair, repair_headers},
    stats::JournalStats,
    way_out::WayOut,
};
