//! Which pages of a segment may hold matches, in the order in which lists want them.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use trailkeep_event::Micros;
use trailkeep_index::Wanted;

use crate::layout::PAGE_ROWS_MAX;
use crate::numbers::{index, short};
use crate::page::rows_of_page;
use crate::{ScanPlan, SegmentReader};

/// Which pages come first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PageOrder {
    /// Those with the latest rows.
    Newest,
    /// Those with the earliest rows.
    Oldest,
}

/// A page that may hold matches.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PageCandidate {
    /// The page's number.
    pub page: u32,
    /// The rows of the accounts that are looked for, by their numbers in the segment, in order
    /// and apart.
    pub rows: Vec<Range<u32>>,
    /// No such row sorts before.
    pub min_sort_at: Micros,
    /// No such row sorts after.
    pub max_sort_at: Micros,
}

impl SegmentReader {
    /// Returns the pages that may hold rows of the plan's accounts and window with everything
    /// wanted. What the pages before a candidate held may tell that the rest need not be read.
    ///
    /// Costs some 50 ns for each page and item wanted, and nothing is read but the index.
    pub fn candidates(
        &self,
        plan: &ScanPlan<'_>,
        wanted: &Wanted,
        order: PageOrder,
    ) -> Vec<PageCandidate> {
        // An index takes long to read the first time: not for a filter that it cannot help.
        let held = (*wanted != Wanted::always()).then(|| self.index()).flatten();
        let may_hold = |page: u32, (min_sort_at, max_sort_at): (Micros, Micros)| {
            plan.from.is_none_or(|from| max_sort_at >= from)
                && plan.to.is_none_or(|to| min_sort_at < to)
                && held.as_ref().is_none_or(|held| held.may_hold(index(page), wanted))
        };
        let mut found = match plan.accounts {
            None => self.pages_that(may_hold),
            Some(accounts) => {
                let mut found = self.pages_of(accounts.iter().map(String::as_str), plan);
                found.retain(|it| may_hold(it.page, (it.min_sort_at, it.max_sort_at)));
                found
            }
        };
        match order {
            PageOrder::Newest => found.sort_by_key(|candidate| Reverse(candidate.max_sort_at)),
            PageOrder::Oldest => found.sort_by_key(|candidate| candidate.min_sort_at),
        }
        found
    }

    /// Returns the pages that pass, of all accounts. Most do not, so that nothing is made of them.
    fn pages_that(&self, pass: impl Fn(u32, (Micros, Micros)) -> bool) -> Vec<PageCandidate> {
        let passing = (0..).zip(self.spans()).filter(|(page, span)| pass(*page, **span));
        let candidate = |(page, (min_sort_at, max_sort_at)): (u32, &(Micros, Micros))| {
            let rows = vec![rows_of_page(page, self.meta().rows)];
            PageCandidate { page, rows, min_sort_at: *min_sort_at, max_sort_at: *max_sort_at }
        };
        passing.map(candidate).collect()
    }

    fn pages_of<'a>(
        &self,
        accounts: impl Iterator<Item = &'a str>,
        plan: &ScanPlan<'_>,
    ) -> Vec<PageCandidate> {
        let trailer = self.trailer();
        let page_rows = short(PAGE_ROWS_MAX);
        let mut pages: BTreeMap<u32, PageCandidate> = BTreeMap::new();
        for run in accounts.filter_map(|account| trailer.run_named(account)) {
            let mut rows = trailer.narrow(run, plan.from, plan.to);
            while !rows.is_empty() {
                let page = rows.start.checked_div(page_rows).unwrap_or(0);
                let end = rows_of_page(page, rows.end).end;
                let (min_sort_at, max_sort_at) = trailer.span(run, page);
                let candidate = pages.entry(page).or_insert(PageCandidate {
                    page,
                    rows: Vec::new(),
                    min_sort_at,
                    max_sort_at,
                });
                candidate.rows.push(rows.start..end);
                candidate.min_sort_at = candidate.min_sort_at.min(min_sort_at);
                candidate.max_sort_at = candidate.max_sort_at.max(max_sort_at);
                rows.start = end;
            }
        }
        pages.into_values().collect()
    }
}
