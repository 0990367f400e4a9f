//! Data makers and check helpers for tests; development only.
//!
//! Promises: the same seed makes the same events on every machine; [`any_row`] reaches every
//! field and every kind of value that an event may hold.
//!
//! Never does: I/O, time, randomness of its own. Panics freely: it is test code.

mod batch;
mod event;
mod json;
mod maker;
mod random;
mod row;

pub use self::{
    batch::{batch_of, row_of},
    event::{AnyEvent, any_event_json, event_json},
    json::{any_canonical_json, any_json},
    maker::EventMaker,
    random::Random,
    row::{AnyValue, any_account_id, any_row, any_value},
};
