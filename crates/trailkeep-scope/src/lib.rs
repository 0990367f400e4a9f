//! Turns a principal and its roles into a `Scope`, the only key that opens a read or a write.
//!
//! Promises: no read and no write of the store happens without one of these types.
//!
//! Never does: I/O, authentication.

mod allow;
mod read;
mod write;

pub use self::{
    allow::Allow,
    read::ReadScope,
    write::{Denial, WriteScope},
};
