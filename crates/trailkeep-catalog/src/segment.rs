//! One sealed file.

use trailkeep_event::{Cut, Micros};

use crate::limits::META_BYTES_MAX;

/// One sealed file of entries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SegmentRecord {
    /// The segment's name, unique for ever; also where the file is found.
    pub id: String,
    /// The first frames whose rows it may hold.
    pub from: Cut,
    /// The first frames whose rows it does not hold. Segments of one seal may share a range.
    pub to: Cut,
    /// How many rows it has.
    pub rows: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// The earliest time of its rows.
    pub min_at: Micros,
    /// The latest time of its rows.
    pub max_at: Micros,
    /// What the segment crate wants to know again: JSON that the catalog does not read.
    pub meta: String,
}

impl SegmentRecord {
    /// Says what cannot be right about the record itself.
    pub(crate) fn fault(&self) -> Option<String> {
        let id = &self.id;
        if id.is_empty() {
            return Some("a segment has no id".to_owned());
        }
        if self.from.0.iter().zip(self.to.0).any(|(from, to)| to < *from) {
            return Some(format!("segment `{id}` ends before it starts"));
        }
        if self.rows > 0 && self.max_at < self.min_at {
            return Some(format!("segment `{id}` has its last time before its first"));
        }
        (self.meta.len() > META_BYTES_MAX).then(|| format!("segment `{id}` has too much meta"))
    }
}
