//! Counts everything that matches.

use trailkeep_io::share;
use trailkeep_segment::{PageCandidate, SegmentReader, ShelfView};

use crate::engine::{Deadline, Engine, THREADS};
use crate::error::Error;
use crate::matcher::Matcher;
use crate::pages::Pages;

/// The pages that a thread takes at a time: neighbours share what was found out about their
/// dictionaries.
const RUN_PAGES: usize = 32;

impl Engine {
    /// Counts exactly. Costs a look at the columns that the filter names, of the pages that may
    /// hold matches; by accounts and time alone only pages at the window's ends are read.
    pub(crate) fn count(&self, view: &ShelfView, matcher: &Matcher) -> Result<u64, Error> {
        let mut deadline = self.deadline();
        let mut total = 0_usize;
        self.each_of_tail(view, matcher, &mut deadline, |_row| total = total.saturating_add(1))?;
        for segment in view.sealed.iter().filter(|segment| matcher.may_hold(segment.meta())) {
            let reader = segment.reader().map_err(Error::segment)?;
            let candidates = Pages::new(&reader, matcher).as_stored();
            let counted = count_shared(&reader, matcher, &candidates, &deadline)?;
            total = total.saturating_add(counted);
        }
        Ok(u64::try_from(total).unwrap_or(u64::MAX))
    }
}

/// Counts the matches of some pages. Several threads share many.
fn count_shared(
    reader: &SegmentReader,
    matcher: &Matcher,
    candidates: &[PageCandidate],
    deadline: &Deadline<'_>,
) -> Result<usize, Error> {
    let runs: Vec<&[PageCandidate]> = candidates.chunks(RUN_PAGES).collect();
    let start = || (Pages::new(reader, matcher), deadline.clone(), 0_usize);
    let states = share(THREADS, &runs, start, |(pages, deadline, total), run| {
        for candidate in *run {
            deadline.look()?;
            *total = total.saturating_add(pages.count(candidate)?);
        }
        Ok(())
    })?;
    Ok(states.iter().map(|(_pages, _deadline, total)| *total).sum())
}
