//! Lists entries, page by page.

use std::cmp::Ordering;
use std::ops::ControlFlow;
use std::sync::Arc;

use trailkeep_event::{Cut, Entry, Micros};
use trailkeep_filter::Filter;
use trailkeep_scope::ReadScope;
use trailkeep_segment::{ScanPlan, ShelfView, ShelvedSegment, SortKey};

use crate::best::{Best, Place};
use crate::cursor::Cursor;
use crate::engine::{Deadline, Engine};
use crate::error::Error;
use crate::fetch::{Room, Source, fetch};
use crate::matcher::Matcher;
use crate::windows::{reaches, windows};

/// Which entries come first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// The oldest.
    Ascending,
    /// The newest.
    Descending,
}

impl Order {
    fn word(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }
}

/// What to list.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// What entries must match.
    pub filter: Filter,
    /// The earliest time, by which lists sort.
    pub from: Option<Micros>,
    /// The time before which entries must lie.
    pub to: Option<Micros>,
    /// Which entries come first.
    pub order: Order,
    /// How many entries a page has at most; it also ends before [`Page::BYTES_MAX`].
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Whether to count everything that matches, too.
    pub include_total: bool,
}

/// One page.
#[derive(Clone, Debug)]
pub struct Page {
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// Where the next page starts; `None` where this one is the last.
    pub next_cursor: Option<String>,
    /// How many entries match in all, where that was asked for.
    pub total: Option<u64>,
}

impl Page {
    /// How many bytes the entries of a page have together, but for one that is larger by itself:
    /// what one query holds in memory.
    pub const BYTES_MAX: usize = 8 * 1024 * 1024;
}

impl Engine {
    /// Lists one page of entries.
    ///
    /// # Errors
    /// [`Error::Cursor`] where the cursor is not one of this query's.
    pub fn list(&self, scope: &ReadScope, request: &ListRequest) -> Result<Page, Error> {
        let query = self.cursor_key.query(&request.fingerprint());
        let view = self.shelf.view();
        let (cut, last) = self.start(request, query, &view)?;
        let window = (request.from, request.to);
        let matcher = Matcher::new(&request.filter, scope, window, cut);
        let total = if request.include_total { Some(self.count(&view, &matcher)?) } else { None };
        let found = self.page(&view, matcher, request, last.as_ref())?;
        let room = Room { entries: request.limit, bytes: Page::BYTES_MAX };
        let entries = fetch(&view, &found, room)?;
        let last = entries.len().checked_sub(1).and_then(|last| found.get(last));
        let next_cursor = last.filter(|_last| found.len() > entries.len()).map(|(key, _source)| {
            Cursor { query, cut, last: key.clone() }.encode(&self.cursor_key)
        });
        Ok(Page { entries, next_cursor, total })
    }

    fn start(
        &self,
        request: &ListRequest,
        query: u64,
        view: &ShelfView,
    ) -> Result<(Cut, Option<SortKey>), Error> {
        let Some(text) = &request.cursor else { return Ok((view.end(), None)) };
        let cursor = Cursor::decode(text, &self.cursor_key)?;
        if cursor.query != query {
            let what = "belongs to another query; keep the filter, the times and the order";
            return Err(Error::Cursor { what });
        }
        Ok((cursor.cut, Some(cursor.last)))
    }

    /// Returns where the page's entries are, and one more where there is one.
    fn page<'v>(
        &'v self,
        view: &'v ShelfView,
        mut matcher: Matcher<'_>,
        request: &ListRequest,
        last: Option<&SortKey>,
    ) -> Result<Vec<(SortKey, Source<'v>)>, Error> {
        if let Some(last) = last {
            match request.order {
                Order::Descending => {
                    let to = last.sort_at.plus(1);
                    matcher.to = Some(matcher.to.map_or(to, |before| before.min(to)));
                }
                Order::Ascending => {
                    let from = last.sort_at;
                    matcher.from = Some(matcher.from.map_or(from, |before| before.max(from)));
                }
            }
        }
        let walk = Walk { order: request.order, last: last.map(Place::of) };
        let mut best = Best::new(request.order, request.limit.saturating_add(1));
        let mut deadline = self.deadline();
        self.tail(view, &matcher, &walk, (&mut best, &mut deadline))?;
        let mut segments: Vec<(usize, &Arc<ShelvedSegment>)> =
            view.sealed.iter().enumerate().filter(|(_, s)| matcher.may_hold(s.meta())).collect();
        segments.sort_by_key(|(_, segment)| match request.order {
            Order::Descending => segment.meta().max_sort_at.saturating_neg(),
            Order::Ascending => segment.meta().min_sort_at,
        });
        for (number, segment) in segments {
            best.settle();
            narrow(&mut matcher, &best, request.order);
            if matcher.may_hold(segment.meta()) {
                let found = (&mut best, &mut deadline);
                self.segment(&matcher, &walk, (number, segment), found)?;
            }
        }
        Ok(best.finish())
    }

    fn tail<'v>(
        &'v self,
        view: &'v ShelfView,
        matcher: &Matcher<'_>,
        walk: &Walk<'_>,
        (best, deadline): (&mut Best<Source<'v>>, &mut Deadline<'_>),
    ) -> Result<(), Error> {
        for entry in view.tail.entries(self.shelf.key()) {
            deadline.row()?;
            let sort_at = entry.sort_at();
            let place = Place { sort_at, account: entry.row.account_id(), seq: entry.stamp.seq };
            if matcher.in_window(sort_at)
                && walk.behind(place)
                && best.admits(place)
                && matcher.before_cut(entry.stamp.position)
                && matcher.lets_through(&entry)
            {
                best.offer(place, Source::Tail(entry));
            }
        }
        Ok(())
    }

    /// Scans a segment window by window from the end that comes first, until what is left cannot
    /// be among the first.
    fn segment(
        &self,
        matcher: &Matcher<'_>,
        walk: &Walk<'_>,
        (number, segment): (usize, &ShelvedSegment),
        (best, deadline): (&mut Best<Source<'_>>, &mut Deadline<'_>),
    ) -> Result<(), Error> {
        let reader = segment.reader().map_err(Error::segment)?;
        let fields = matcher.fields_of(segment.meta());
        let covered = matcher.covers(segment.meta());
        let whole = matcher.plan(&fields);
        for (from, to) in windows(&reader.points(&whole), (whole.from, whole.to), walk.order) {
            best.settle();
            if !reaches(best.bar(), (from, to), walk.order) {
                break;
            }
            let mut late = Ok(());
            reader
                .scan(&ScanPlan { from, to, ..whole }, &mut |handle, row| {
                    late = deadline.row();
                    if late.is_err() {
                        return ControlFlow::Break(());
                    }
                    let place = Place::of(&handle.sort);
                    if walk.behind(place)
                        && best.admits(place)
                        && matcher.lets_through(row)
                        && (covered || matcher.row_before_cut(row, self.shelf.key()))
                    {
                        best.offer(place, Source::Segment(number, handle.row));
                    }
                    ControlFlow::Continue(())
                })
                .map_err(Error::segment)?;
            late?;
        }
        Ok(())
    }
}

/// Where a walk over pages stands.
struct Walk<'a> {
    order: Order,
    last: Option<Place<'a>>,
}

impl Walk<'_> {
    /// Tells whether a place comes after the last one that was shown.
    fn behind(&self, place: Place<'_>) -> bool {
        self.last.is_none_or(|last| place.compare(last, self.order) == Ordering::Greater)
    }
}

/// Cuts the window to what can still be among the first.
fn narrow(matcher: &mut Matcher<'_>, best: &Best<Source<'_>>, order: Order) {
    let Some(bar) = best.bar() else { return };
    match order {
        Order::Descending => matcher.from = Some(matcher.from.map_or(bar, |from| from.max(bar))),
        Order::Ascending => {
            let to = bar.plus(1);
            matcher.to = Some(matcher.to.map_or(to, |before| before.min(to)));
        }
    }
}

impl ListRequest {
    /// Returns what a cursor is bound to.
    fn fingerprint(&self) -> String {
        let time = |at: Option<Micros>| at.map(|at| at.0.to_string()).unwrap_or_default();
        let (from, to) = (time(self.from), time(self.to));
        format!("{} {from} {to} {}", self.order.word(), self.filter.canonical())
    }
}
