//! The catalog, from outside.
#![cfg(test)]

mod concurrent;
mod fault;
mod file;
mod interleaving;
mod mark;
mod power;
mod suite;
