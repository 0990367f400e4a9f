//! What travels between the threads of an import.

use serde::{Deserialize, Serialize};
use trailkeep_import::Unreadable;

use super::quarantine::Quarantined;

/// How many lines a file can have, as the number of a line in its job goes: 2^40.
const LINES_BITS: u32 = 40;

/// A line of a job.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(super) struct LineAt {
    /// The file's number in the job, from 0.
    pub(super) file: u32,
    /// The line in the file, from 1; 0 is before the first.
    pub(super) line: u64,
}

impl LineAt {
    /// Returns the line's number in the whole job: the same whenever the job runs.
    pub(super) fn number(self) -> u64 {
        (u64::from(self.file) << LINES_BITS) | self.line
    }
}

/// One record.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) at: LineAt,
    pub(super) bytes: Vec<u8>,
    /// Why it cannot be read, where it is too large.
    pub(super) oversized: Option<Unreadable>,
}

/// Neighbouring records that are sent together.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The chunk's number, from 0 without gaps.
    pub(super) number: u64,
    pub(super) records: Vec<Record>,
}

/// How many lines there were, and what became of them.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Counts {
    pub(super) lines: u64,
    pub(super) accepted: u64,
    pub(super) duplicates: u64,
    pub(super) quarantined: u64,
}

impl Counts {
    /// Adds another count.
    pub(super) fn add(&mut self, other: Self) {
        self.lines = self.lines.saturating_add(other.lines);
        self.accepted = self.accepted.saturating_add(other.accepted);
        self.duplicates = self.duplicates.saturating_add(other.duplicates);
        self.quarantined = self.quarantined.saturating_add(other.quarantined);
    }

    /// Tells whether something became of every line, once.
    pub(super) fn balanced(self) -> bool {
        let ends = self.accepted.checked_add(self.duplicates);
        ends.and_then(|ends| ends.checked_add(self.quarantined)) == Some(self.lines)
    }
}

/// What became of a chunk: acknowledged by the store, whole.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) number: u64,
    /// The chunk's last line.
    pub(super) last: LineAt,
    pub(super) counts: Counts,
    pub(super) quarantined: Vec<Quarantined>,
}

/// Returns a length as a count.
pub(super) fn n_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
