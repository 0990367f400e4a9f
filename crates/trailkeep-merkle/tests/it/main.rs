//! The formats that others specified, against what others made.

#![cfg(test)]
#![expect(clippy::print_stdout, reason = "a test that proved nothing says so")]

mod golden;
mod notes;
mod policies;
mod proofs;
mod vectors;
