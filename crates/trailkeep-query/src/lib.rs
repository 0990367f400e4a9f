//! Lists, counts and finds entries, and counts their values, over segments plus tail, only inside a
//! `Scope`.
//!
//! Promises: every answer is computed inside a [`ReadScope`](trailkeep_scope::ReadScope); a walk
//! over pages meets each entry of its first page's moment exactly once, whatever is written
//! meanwhile; an entry is visible as soon as it was acknowledged; no answer holds more entries
//! or bytes than a page may.
//!
//! Never does: write, HTTP.

mod engine;

mod complete;
mod count;
mod facets;
mod get;
mod list;
mod stretch;

mod best;
mod walk;

mod fetch;
mod matcher;
mod pages;
mod tail_row;

mod field_path;
mod leaves;
mod tally;

mod cursor;
mod error;

pub use self::{
    complete::CompleteRequest,
    engine::{Engine, QueryOptions},
    error::Error,
    facets::{Distinct, Facet, FacetRequest, FacetValue, Facets},
    field_path::FieldPath,
    list::{ListRequest, Order, Page},
    stretch::Stretch,
};
