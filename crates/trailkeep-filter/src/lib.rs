//! Parses the one query language into a typed predicate and evaluates it on an event.
//!
//! Promises: a text is read once, into a [`Filter`] that cannot be wrong; an error names its
//! column and, where it can, what to write instead; [`Filter::canonical`] reads back as the same
//! filter; [`Filter::matches`] reads only [`Filter::fields`], the cheapest first, and takes time
//! linear in what it reads, whatever the filter; [`Filter::select`] says the same of many rows at
//! once, and [`Filter::probe`] never leaves out a match.
//!
//! Never does: I/O, time, knowledge of who asks. The scope is applied beside the filter.
//!
//! The language is described in `docs/reference/filter.md`, which [`reference_page`] writes from
//! the tables that the parser uses.

#![warn(clippy::indexing_slicing)]

mod filter;

mod cursor;
mod parser;

mod name;
mod number;
mod time;
mod value;

mod node;
mod term;

mod eval;
mod fold;
mod glob;
mod json;
mod network;

mod bits;
mod select;

mod canonical;
mod probe;
mod prune;

mod error;
mod reference;

pub use self::{
    bits::Bits,
    error::ParseError,
    filter::Filter,
    probe::{Edge, Probe},
    prune::TimeRange,
    reference::reference_page,
    select::{Select, TermRef},
};
