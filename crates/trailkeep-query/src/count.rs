//! Counts everything that matches.

use trailkeep_segment::ShelfView;

use crate::engine::Engine;
use crate::error::Error;
use crate::matcher::Matcher;
use crate::pages::Pages;

impl Engine {
    /// Counts exactly. Costs a look at the columns that the filter names, of the pages that may
    /// hold matches; by accounts and time alone only pages at the window's ends are read.
    pub(crate) fn count(&self, view: &ShelfView, matcher: &Matcher) -> Result<u64, Error> {
        let mut deadline = self.deadline();
        let mut total = 0_usize;
        self.each_of_tail(view, matcher, &mut deadline, |_row| total = total.saturating_add(1))?;
        for segment in view.sealed.iter().filter(|segment| matcher.may_hold(segment.meta())) {
            let reader = segment.reader().map_err(Error::segment)?;
            let mut pages = Pages::new(&reader, matcher);
            for candidate in pages.as_stored() {
                deadline.look()?;
                total = total.saturating_add(pages.count(&candidate)?);
            }
        }
        Ok(u64::try_from(total).unwrap_or(u64::MAX))
    }
}
