//! Lists entries, page by page.

use trailkeep_event::{Cut, Entry, Micros};
use trailkeep_filter::Filter;
use trailkeep_scope::ReadScope;
use trailkeep_segment::{ShelfView, SortKey};

use crate::best::Place;
use crate::cursor::Cursor;
use crate::engine::Engine;
use crate::error::Error;
use crate::fetch::{Room, Source, fetch};
use crate::matcher::Matcher;
use crate::walk::Walk;

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
        mut matcher: Matcher,
        request: &ListRequest,
        last: Option<&SortKey>,
    ) -> Result<Vec<(SortKey, Source<'v>)>, Error> {
        match (last, request.order) {
            (None, _) => {}
            (Some(last), Order::Ascending) => matcher.start_at(last.sort_at),
            (Some(last), Order::Descending) => matcher.end_before(Some(last.sort_at.plus(1))),
        }
        let limit = request.limit.saturating_add(1);
        let walk = Walk { order: request.order, last: last.map(Place::of), limit };
        self.first(view, &matcher, &walk)
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
