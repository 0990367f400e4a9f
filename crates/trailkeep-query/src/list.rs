//! Lists entries, page by page.

use std::cmp::Ordering;
use std::collections::BTreeMap;
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
use crate::matcher::Matcher;

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
    /// How many entries a page has.
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

/// Where a listed entry is.
enum Source {
    Tail(Box<Entry>),
    Segment(usize, u32),
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
        let mut entries = self.page(&view, matcher, request, last.as_ref())?;
        let more = entries.len() > request.limit;
        entries.truncate(request.limit);
        let next_cursor = entries
            .last()
            .filter(|_last| more)
            .map(|(key, _entry)| Cursor { query, cut, last: key.clone() }.encode(&self.cursor_key));
        let entries = entries.into_iter().map(|(_key, entry)| entry).collect();
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

    /// Returns one entry more than the page has, where there is one.
    fn page(
        &self,
        view: &ShelfView,
        mut matcher: Matcher<'_>,
        request: &ListRequest,
        last: Option<&SortKey>,
    ) -> Result<Vec<(SortKey, Entry)>, Error> {
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
        Self::fetch(view, best.finish())
    }

    fn tail(
        &self,
        view: &ShelfView,
        matcher: &Matcher<'_>,
        walk: &Walk<'_>,
        (best, deadline): (&mut Best<Source>, &mut Deadline<'_>),
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
                best.offer(place, Source::Tail(Box::new(entry.to_entry())));
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
        (best, deadline): (&mut Best<Source>, &mut Deadline<'_>),
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

    /// Reads whole entries, segment by segment, and puts them back in order.
    fn fetch(
        view: &ShelfView,
        found: Vec<(SortKey, Source)>,
    ) -> Result<Vec<(SortKey, Entry)>, Error> {
        let mut rows: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for (_key, source) in &found {
            if let Source::Segment(number, row) = source {
                rows.entry(*number).or_default().push(*row);
            }
        }
        let mut fetched: BTreeMap<usize, std::vec::IntoIter<Entry>> = BTreeMap::new();
        for (number, rows) in rows {
            let Some(segment) = view.sealed.get(number) else { continue };
            let reader = segment.reader().map_err(Error::segment)?;
            let entries = reader.fetch(&rows).map_err(Error::segment)?;
            fetched.insert(number, entries.into_iter());
        }
        let mut entries = Vec::with_capacity(found.len());
        for (key, source) in found {
            let entry = match source {
                Source::Tail(entry) => Some(*entry),
                Source::Segment(number, _row) => fetched.get_mut(&number).and_then(Iterator::next),
            };
            entries.extend(entry.map(|entry| (key, entry)));
        }
        Ok(entries)
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

/// How many rows the first window has; each further one has eight times as many.
const WINDOW_ROWS: u64 = 4096;

type Window = (Option<Micros>, Option<Micros>);

/// Divides a window of time into ones to be scanned in list order.
fn windows(points: &[(Micros, u32)], whole: Window, order: Order) -> Vec<Window> {
    let mut windows = Vec::new();
    let mut rest = whole;
    let (mut n_rows, mut enough) = (0_u64, WINDOW_ROWS);
    let n_points = points.len();
    for number in 0..n_points {
        let number = match order {
            Order::Ascending => number,
            Order::Descending => n_points.saturating_sub(number).saturating_sub(1),
        };
        let Some((at, rows)) = points.get(number).copied() else { break };
        // A point's rows lie behind it in time: going back they are met before it.
        if order == Order::Descending {
            n_rows = n_rows.saturating_add(u64::from(rows));
        }
        let inside = rest.0.is_none_or(|from| at > from) && rest.1.is_none_or(|to| at < to);
        if n_rows >= enough && inside {
            match order {
                Order::Descending => windows.push((Some(at), rest.1.replace(at))),
                Order::Ascending => windows.push((rest.0.replace(at), Some(at))),
            }
            n_rows = 0;
            enough = enough.saturating_mul(8);
        }
        if order == Order::Ascending {
            n_rows = n_rows.saturating_add(u64::from(rows));
        }
    }
    windows.push(rest);
    windows
}

/// Tells whether a window can hold what is among the first.
fn reaches(bar: Option<Micros>, (from, to): Window, order: Order) -> bool {
    bar.is_none_or(|bar| match order {
        Order::Descending => to.is_none_or(|to| bar < to),
        Order::Ascending => from.is_none_or(|from| from <= bar),
    })
}

/// Cuts the window to what can still be among the first.
fn narrow(matcher: &mut Matcher<'_>, best: &Best<Source>, order: Order) {
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
