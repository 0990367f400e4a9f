//! What opening found.

use crate::note::CutNote;

/// What [`crate::Journal::open`] found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Recovery {
    /// How many bytes of an unfinished write were cleared. It was never acknowledged.
    pub torn_bytes: u64,
    /// How many writes the files hold.
    pub writes: u64,
    /// How many frames they hold.
    pub frames: u64,
    /// What [`crate::cut_tail`] took away, until [`crate::Journal::forget_cuts`].
    pub cuts: Vec<CutNote>,
}
