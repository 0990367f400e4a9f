//! Turns the journal's order into per-account Merkle logs: functions over values.
//!
//! An entry's way: [`sequence`] gives it its index; [`Logs`] makes its leaf of its sections and its
//! secret and appends it to its account's tree; [`Logs::take_unsigned`] hands out heads for checkpoints,
//! [`Logs::mark`] what a seal commits beside the rows.
//!
//! Promises: all of it is deterministic, so that recovery and a second node make the same leaves and
//! roots of the same journal and secrets.
//!
//! Never does: I/O, time, randomness.
//!
//! The byte tables are in `docs/format/ledger.md`.

mod entry_leaf;
mod heads;
mod leaf_batch;
mod logs;
mod sequence;
mod tree_store;

pub use self::{
    entry_leaf::{OpenSection, entry_leaf, leaf_kind, open_sections},
    heads::{Head, Heads},
    leaf_batch::LeafBatch,
    logs::{BlockId, GrowError, Growth, LogHead, Logs, TileHash},
    sequence::sequence,
    tree_store::{SignedHead, TreeStore, TreeStoreError},
};
