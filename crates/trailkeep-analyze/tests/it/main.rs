//! Histograms, aggregates and SQL over segments and tail, through the public interface.
//!
//! The writer is another crate of this layer: entries are put on a shelf here as it does it.
#![cfg(test)]

mod aggregates;
mod bounds;
mod histograms;
mod naive;
mod scoping;
mod statements;
mod world;
