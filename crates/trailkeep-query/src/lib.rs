//! Lists, counts and finds entries over segments plus tail, only inside a `Scope`.
//!
//! Promises: every answer is computed inside a [`ReadScope`](trailkeep_scope::ReadScope); a walk
//! over pages meets each entry of its first page's moment exactly once, whatever is written
//! meanwhile; an entry is visible as soon as it was acknowledged; no answer holds more entries
//! or bytes than a page may.
//!
//! Never does: write, HTTP.

mod best;
mod count;
mod cursor;
mod engine;
mod error;
mod fetch;
mod get;
mod list;
mod matcher;
mod stretch;
mod windows;

pub use self::{
    engine::{Engine, QueryOptions},
    error::Error,
    list::{ListRequest, Order, Page},
    stretch::Stretch,
};
