//! Reads on in the order of the journal: for a reader of the live tail that fell behind.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use trailkeep_event::{Cut, Entry, Position};
use trailkeep_filter::Filter;
use trailkeep_scope::ReadScope;
use trailkeep_segment::{SegmentMeta, ShelfView};

use crate::engine::{Deadline, Engine};
use crate::error::Error;
use crate::fetch::{Room, Source, fetch};
use crate::matcher::Matcher;

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
        for entry in view.tail.entries(self.shelf.key()) {
            deadline.row()?;
            let position = entry.stamp.position;
            if first.admits(position) && matcher.lets_through(&entry) {
                first.offer(position, Source::Tail(entry));
            }
        }
        self.sealed(&view, &matcher, (&mut first, &mut deadline))?;
        let found: Vec<(Position, Source<'_>)> = first.found.into_iter().collect();
        let entries = fetch(&view, &found, ROOM)?;
        let last = entries.last().map(|entry| entry.stamp.position);
        let rest = (found.len() > entries.len()).then_some(Stretch { last, ..*stretch });
        Ok((entries, rest))
    }

    fn sealed(
        &self,
        view: &ShelfView,
        matcher: &Matcher<'_>,
        (first, deadline): (&mut First<'_, '_>, &mut Deadline<'_>),
    ) -> Result<(), Error> {
        for (number, segment) in view.sealed.iter().enumerate() {
            let meta = segment.meta();
            if !matcher.may_hold(meta) || !first.stretch.reaches_into(meta) {
                continue;
            }
            let reader = segment.reader().map_err(Error::segment)?;
            let fields = matcher.fields_with_place();
            let mut late = Ok(());
            reader
                .scan(&matcher.plan(&fields), &mut |handle, row| {
                    late = deadline.row();
                    if late.is_err() {
                        return ControlFlow::Break(());
                    }
                    let position = Matcher::position_of(row, self.shelf.key());
                    if let Some(position) = position.filter(|position| first.admits(*position))
                        && matcher.lets_through(row)
                    {
                        first.offer(position, Source::Segment(number, handle.row));
                    }
                    ControlFlow::Continue(())
                })
                .map_err(Error::segment)?;
            late?;
        }
        Ok(())
    }
}

/// The first entries of a stretch, and one more where there is one.
struct First<'s, 'v> {
    stretch: &'s Stretch,
    found: BTreeMap<Position, Source<'v>>,
}

impl<'v> First<'_, 'v> {
    fn admits(&self, position: Position) -> bool {
        let is_full = self.found.len() > ROOM.entries;
        let bar = self.found.last_key_value().filter(|_last| is_full);
        self.stretch.holds(position) && bar.is_none_or(|(bar, _source)| position < *bar)
    }

    fn offer(&mut self, position: Position, source: Source<'v>) {
        self.found.insert(position, source);
        if self.found.len() > ROOM.entries.saturating_add(1) {
            self.found.pop_last();
        }
    }
}
