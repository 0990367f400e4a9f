//! Turns the journal's order into per-account logs: pure functions over values.
//!
//! Promises: [`sequence`] is deterministic, so recovery and a second node compute the same
//! indexes from the same journal.
//!
//! Never does: I/O, time, randomness.

mod heads;
mod sequence;

pub use self::{
    heads::{Head, Heads},
    sequence::sequence,
};
