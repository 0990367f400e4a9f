//! Decides what of an exchange may be stored; only what passed it can be framed.
//!
//! Promises: a [`Masked`] event and a [`MaskedBatch`] can only be made here, so "redact before
//! store" is checked by the compiler. Today's policy passes everything through.
//!
//! Never does: I/O.

mod batch;
mod masked;

pub use self::{batch::MaskedBatch, masked::Masked};
