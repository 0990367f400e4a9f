//! Counters of an open journal.

/// What an open journal did since it was opened.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct JournalStats {
    /// How many group commits were written.
    pub writes: u64,
    /// How often a file's bytes were made durable.
    pub fsyncs: u64,
    /// How many bytes the writes have, their stamps and padding included.
    pub bytes: u64,
    /// How many files hold frames, spare ones not counted.
    pub files: usize,
}
