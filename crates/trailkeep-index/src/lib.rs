//! Remembers for each page of a segment which values and words its rows hold, in one filter a
//! page, so that a search reads only pages that may hold a match.
//!
//! Promises: a page that holds what is [`Wanted`] is never left out; one that does not is left
//! out but for one in 256 an item. Damaged bytes are an error, never a wrong answer. An index
//! can always be made again from its segment, with the same bytes.
//!
//! Never does: I/O, time, randomness, knowledge of the query language.
//!
//! The byte table and the rules for items are in `docs/format/index.md`.

#![warn(clippy::indexing_slicing)]

mod builder;
mod item_set;
mod leaves;
mod recent;

mod fold;
mod item;
mod token;

mod fuse;
mod fuse_maker;
mod layout;

mod reader;
mod wanted;

mod error;

pub use self::{
    builder::IndexBuilder,
    error::Error,
    reader::IndexReader,
    wanted::{Edge, Wanted},
};
