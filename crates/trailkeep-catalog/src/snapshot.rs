//! What a query starts from.

use trailkeep_event::Cut;

use crate::cover::Coverage;
use crate::{Error, Result, RunRecord, SegmentRecord};

/// What was sealed at one instant: all rows before the cut are in the segments, none after it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CatalogSnapshot {
    /// What divides the segments from the tail.
    pub cut: Cut,
    /// The live segments, by range and then by id.
    pub segments: Vec<SegmentRecord>,
    /// The live runs, by id.
    pub runs: Vec<RunRecord>,
}

impl CatalogSnapshot {
    pub(crate) fn ordered(
        cut: Cut,
        mut segments: Vec<SegmentRecord>,
        mut runs: Vec<RunRecord>,
    ) -> Self {
        segments.sort_by(|a, b| (&a.from.0, &a.to.0, &a.id).cmp(&(&b.from.0, &b.to.0, &b.id)));
        runs.sort_by(|a, b| a.id.cmp(&b.id));
        Self { cut, segments, runs }
    }

    /// Checks the promise that every read relies on.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(detail) = self.segments.iter().find_map(SegmentRecord::fault) {
            return Err(Error::damaged(detail));
        }
        let covered = Coverage::of(self.segments.iter().map(|segment| (segment.from, segment.to)));
        if covered != Coverage::of([(Cut::default(), self.cut)]) {
            return Err(Error::damaged("the segments do not cover the frames before the cut"));
        }
        Ok(())
    }
}
