//! Reads on in the order of the journal: for a reader of the live tail that fell behind.

use std::collections::BTreeMap;

use trailkeep_event::{Cut, Entry, Position};
use trailkeep_filter::Filter;
use trailkeep_scope::ReadScope;
use trailkeep_segment::{PageHits, SegmentMeta, ShelfView};

use crate::engine::{Deadline, Engine};
use crate::error::Error;
use crate::fetch::{Room, Source, fetch};
use crate::matcher::Matcher;
use crate::pages::{Pages, rows_of};
use crate::tail_row::TailRow;

/// How many entries are read at a time, and how many bytes.
const ROOM: Room = Room { entries: 256, bytes: 1024 * 1024 };

/// A stretch of the journal: from one cut to another, behind the last entry that was read.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    from: Cut,
    to: Cut,
    last: Option<Position>,
}

impl Stretch {
    /// Makes the stretch from one cut to another.
    pub fn new(from: Cut, to: Cut) -> Self {
        Self { from, to, last: None }
    }

    /// Tells whether a position lies in what is still to be read.
    fn holds(&self, position: Position) -> bool {
        !self.from.covers(position)
            && self.to.covers(position)
            && self.last.is_none_or(|last| position > last)
    }

    /// Tells whether a segment can hold such a position.
    fn reaches_into(&self, meta: &SegmentMeta) -> bool {
        let frames = meta.from.iter().zip(meta.to).zip(self.from.0.iter().zip(self.to.0));
        frames.into_iter().any(|((from, meta_to), (start, to))| *from.max(start) < meta_to.min(to))
    }
}

impl Engine {
    /// Returns the cut behind the last durable entry.
    pub fn end(&self) -> Cut {
        self.shelf.view().end()
    }

    /// Reads the next few entries of a stretch, by partition and then in the order they became
    /// durable; also returns what is left to read, `None` where that was all.
    ///
    /// Costs a look at every entry that became durable meanwhile and is in a segment or in the
    /// tail: it is for readers that fell behind, not for following.
    ///
    /// # Errors
    /// Where a segment cannot be read or it takes too long.
    pub fn read_on(
        &self,
        scope: &ReadScope,
        filter: &Filter,
        stretch: &Stretch,
    ) -> Result<(Vec<Entry>, Option<Stretch>), Error> {
        let view = self.shelf.view();
        let matcher = Matcher::new(filter, scope, (None, None), stretch.to);
        let mut first = First { stretch, found: BTreeMap::new() };
        let mut deadline = self.deadline();
        for batch in view.tail.candidates(&matcher.plan()) {
            deadline.look()?;
            for row in TailRow::all(batch, self.shelf.key()) {
                if first.admits(row.position())
                    && matcher.lets_through(&row)
                    && let Some(entry) = row.entry()
                {
                    first.offer(row.position(), Source::Tail(entry));
                }
            }
        }
        first.sealed(&view, &matcher, &mut deadline)?;
        let found: Vec<(Position, Source<'_>)> = first.found.into_iter().collect();
        let entries = fetch(&view, &found, ROOM)?;
        let last = entries.last().map(|entry| entry.stamp.position);
        let rest = (found.len() > entries.len()).then_some(Stretch { last, ..*stretch });
        Ok((entries, rest))
    }
}

/// The first entries of a stretch, and one more where there is one.
struct First<'s, 'v> {
    stretch: &'s Stretch,
    found: BTreeMap<Position, Source<'v>>,
}

impl<'v> First<'_, 'v> {
    fn sealed(
        &mut self,
        view: &ShelfView,
        matcher: &Matcher,
        deadline: &mut Deadline<'_>,
    ) -> Result<(), Error> {
        for (number, segment) in view.sealed.iter().enumerate() {
            let meta = segment.meta();
            if !matcher.may_hold(meta) || !self.stretch.reaches_into(meta) {
                continue;
            }
            let reader = segment.reader().map_err(Error::segment)?;
            let mut pages = Pages::new(&reader, matcher);
            for candidate in pages.as_stored() {
                deadline.look()?;
                let mut hits = pages.select(&candidate)?;
                self.page(number, &mut hits).map_err(Error::segment)?;
            }
        }
        Ok(())
    }

    fn admits(&self, position: Position) -> bool {
        let is_full = self.found.len() > ROOM.entries;
        let bar = self.found.last_key_value().filter(|_last| is_full);
        self.stretch.holds(position) && bar.is_none_or(|(bar, _source)| position < *bar)
    }

    fn page(
        &mut self,
        number: usize,
        hits: &mut PageHits<'_>,
    ) -> Result<(), trailkeep_segment::Error> {
        for row in rows_of(hits) {
            let position = hits.position(row)?;
            if self.admits(position) {
                self.offer(position, Source::Segment(number, hits.handle(row)?.row));
            }
        }
        Ok(())
    }

    fn offer(&mut self, position: Position, source: Source<'v>) {
        self.found.insert(position, source);
        if self.found.len() > ROOM.entries.saturating_add(1) {
            self.found.pop_last();
        }
    }
}
