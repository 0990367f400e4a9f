//! Files that nothing needs.

/// What a garbage record was.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum GarbageKind {
    /// A segment.
    Segment,
    /// A run of the duplicate index.
    Run,
}

/// A replaced file that can be removed once no reader has it open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GarbageRecord {
    /// The file's name.
    pub id: String,
    /// What it was.
    pub kind: GarbageKind,
    /// Its `meta`, as it was stored.
    pub meta: String,
}
