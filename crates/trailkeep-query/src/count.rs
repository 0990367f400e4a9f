//! Counts everything that matches.

use std::ops::ControlFlow;

use trailkeep_segment::{ShelfView, ShelvedSegment};

use crate::engine::{Deadline, Engine};
use crate::error::Error;
use crate::matcher::Matcher;

impl Engine {
    /// Counts exactly. Costs a scan of the columns that the filter names.
    pub(crate) fn count(&self, view: &ShelfView, matcher: &Matcher<'_>) -> Result<u64, Error> {
        let mut deadline = self.deadline();
        let mut total = 0_u64;
        for entry in view.tail.entries(self.shelf.key()) {
            deadline.row()?;
            let counts = matcher.in_window(entry.sort_at())
                && matcher.before_cut(entry.stamp.position)
                && matcher.lets_through(&entry);
            total = total.saturating_add(u64::from(counts));
        }
        for segment in view.sealed.iter().filter(|segment| matcher.may_hold(segment.meta())) {
            let counted = self.count_segment(segment, matcher, &mut deadline)?;
            total = total.saturating_add(counted);
        }
        Ok(total)
    }

    fn count_segment(
        &self,
        segment: &ShelvedSegment,
        matcher: &Matcher<'_>,
        deadline: &mut Deadline<'_>,
    ) -> Result<u64, Error> {
        let reader = segment.reader().map_err(Error::segment)?;
        let fields = matcher.fields_of(segment.meta());
        let covered = matcher.covers(segment.meta());
        let mut total = 0_u64;
        let mut late = Ok(());
        reader
            .scan(&matcher.plan(&fields), &mut |_handle, row| {
                late = deadline.row();
                if late.is_err() {
                    return ControlFlow::Break(());
                }
                let counts = matcher.lets_through(row)
                    && (covered || matcher.row_before_cut(row, self.shelf.key()));
                total = total.saturating_add(u64::from(counts));
                ControlFlow::Continue(())
            })
            .map_err(Error::segment)?;
        late.map(|()| total)
    }
}
