//! Reads single pages of a segment's Parquet object: their headers, levels and values.
//!
//! Bytes that are no page give an error of their column, never a panic.

mod delta;
mod dictionary;
mod header;
mod hybrid;
mod levels;
mod picks;
mod plain;
mod reader;
mod source;
mod values;

pub use self::{dictionary::Dictionary, reader::PageReader};
pub(crate) use self::{picks::Picks, reader::rows_of_page, source::PageSource, values::NO_CODE};
