//! The filter language from outside: what it finds, what it refuses, and what holds for any text.
#![cfg(test)]

mod errors;
mod found;
mod probing;
mod properties;
mod pruning;
mod reference;
mod rows;
mod selecting;
