//! Counts everything that matches.

use trailkeep_segment::{PageCandidate, SegmentReader, ShelfView};

use crate::engine::{Deadline, Engine};
use crate::error::Error;
use crate::matcher::Matcher;
use crate::pages::Pages;

/// How many pages two threads share, at least: a thread costs as much as some pages.
const SHARED_PAGES_MIN: usize = 64;

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

/// Counts the matches of some pages. Two threads share many.
fn count_shared(
    reader: &SegmentReader,
    matcher: &Matcher,
    candidates: &[PageCandidate],
    deadline: &Deadline<'_>,
) -> Result<usize, Error> {
    let count = |candidates: &[PageCandidate]| {
        let (mut pages, mut deadline) = (Pages::new(reader, matcher), deadline.clone());
        let mut total = 0_usize;
        for candidate in candidates {
            deadline.look()?;
            total = total.saturating_add(pages.count(candidate)?);
        }
        Ok(total)
    };
    if candidates.len() < SHARED_PAGES_MIN {
        return count(candidates);
    }
    let (ours, theirs) = candidates.split_at(candidates.len() / 2);
    std::thread::scope(|scope| {
        let theirs = scope.spawn(|| count(theirs));
        let ours: usize = count(ours)?;
        match theirs.join() {
            Ok(theirs) => Ok(ours.saturating_add(theirs?)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
