//! Queries over segments and tail, through the public interface.
//!
//! The writer is another crate of this layer: entries are put on a shelf here as it does it.
#![cfg(test)]

mod agreeing;
mod cursors;
mod damage;
mod finding;
mod paging;
mod reading_on;
mod scoping;
mod world;
