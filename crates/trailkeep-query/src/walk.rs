//! Finds the first matches in list order, over segments and tail as one.

use std::cmp::Ordering;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap};
use std::ops::{ControlFlow, RangeInclusive};
use std::sync::OnceLock;

use parking_lot::Mutex;
use trailkeep_event::{IdKey, Micros, SequencedBatch};
use trailkeep_io::share;
use trailkeep_segment::{
    PageCandidate, PageOrder, RowHandle, SegmentMeta, SegmentReader, ShelfView, SortKey,
};

use crate::best::{Best, Place};
use crate::engine::{Deadline, Engine, THREADS};
use crate::error::Error;
use crate::fetch::Source;
use crate::list::Order;
use crate::matcher::Matcher;
use crate::pages::{Pages, rows_of};
use crate::tail_row::TailRow;

/// How many parts one thread looks at before another helps: most lists end sooner, and a thread
/// takes longer to start than a page to read.
const ALONE_TURNS: usize = 8;
/// Up to so many matches of a page are read by themselves, without the page's columns.
const FEW: usize = 16;

/// Which matches are looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk<'w> {
    pub(crate) order: Order,
    /// The last place that was shown.
    pub(crate) last: Option<Place<'w>>,
    pub(crate) limit: usize,
}

impl Engine {
    /// Returns the first matches behind the last place that was shown, in order.
    ///
    /// Costs a look at the pages that come before the last match by the times they state, and
    /// opens no segment that lies behind. Where that takes many pages, several threads share them.
    pub(crate) fn first<'v>(
        &'v self,
        view: &'v ShelfView,
        matcher: &Matcher,
        walk: &Walk<'_>,
    ) -> Result<Vec<(SortKey, Source<'v>)>, Error> {
        let readers: Vec<OnceLock<SegmentReader>> =
            view.sealed.iter().map(|_segment| OnceLock::new()).collect();
        let search = Search { matcher, walk, key: self.shelf.key(), view, readers: &readers };
        let best = Best::new(walk.order, walk.limit);
        let state = Mutex::new(State { queue: search.start(), best, is_given_up: false });
        let mut deadline = self.deadline();
        if search.look(&state, &mut deadline, ALONE_TURNS)?.is_continue() {
            let look = |deadline: &mut Deadline<'_>, _part: &()| {
                let looked = search.look(&state, deadline, usize::MAX);
                looked.map(drop).inspect_err(|_error| state.lock().is_given_up = true)
            };
            share(THREADS, &[(); THREADS], || deadline.clone(), look)?;
        }
        Ok(state.into_inner().best.finish())
    }
}

impl Order {
    fn pages(self) -> PageOrder {
        match self {
            Self::Ascending => PageOrder::Oldest,
            Self::Descending => PageOrder::Newest,
        }
    }

    /// Returns the end of a span of times that comes first.
    fn first_of(self, (earliest, latest): (Micros, Micros)) -> Micros {
        match self {
            Self::Ascending => earliest,
            Self::Descending => latest,
        }
    }
}

/// What the threads of a walk share.
struct State<'v> {
    /// What was not looked at, and can be.
    queue: BinaryHeap<Waiting<'v>>,
    best: Best<Source<'v>>,
    /// Whether a thread failed, so that the others need not go on.
    is_given_up: bool,
}

impl<'v> State<'v> {
    /// Takes what is to be looked at next; `None` where nothing can be among the first any more.
    fn take(&mut self, search: &Search<'_, 'v>) -> Option<Part<'v>> {
        if self.is_given_up {
            return None;
        }
        let Waiting { first, part, .. } = self.queue.pop()?;
        if !self.best.reaches(first) {
            self.queue.clear();
            return None;
        }
        if let Part::Page(segment, candidates) = part {
            let mut rest = candidates;
            let candidate = rest.pop()?;
            self.queue.extend(search.pages(segment, rest));
            return Some(Part::Page(segment, vec![candidate]));
        }
        Some(part)
    }
}

struct Search<'s, 'v> {
    matcher: &'s Matcher,
    walk: &'s Walk<'s>,
    key: &'v IdKey,
    view: &'v ShelfView,
    readers: &'s [OnceLock<SegmentReader>],
}

impl<'s, 'v> Search<'s, 'v> {
    /// Looks at one part after the other, at most so many; says whether there may be more.
    fn look(
        &self,
        state: &Mutex<State<'v>>,
        deadline: &mut Deadline<'_>,
        turns: usize,
    ) -> Result<ControlFlow<()>, Error> {
        let mut opened: HashMap<usize, Pages<'s>> = HashMap::new();
        for _turn in 0..turns {
            let Some(part) = state.lock().take(self) else { return Ok(ControlFlow::Break(())) };
            deadline.look()?;
            match part {
                Part::Chunk(number) => state.lock().queue.extend(self.batches(number)),
                Part::Batch(batch) => self.batch(batch, &mut state.lock().best),
                Part::Segment(number) => {
                    let mut candidates =
                        self.open(number, &mut opened)?.in_order(self.walk.order.pages());
                    candidates.reverse();
                    state.lock().queue.extend(self.pages(number, candidates));
                }
                Part::Page(number, candidates) => {
                    let pages = self.open(number, &mut opened)?;
                    for candidate in &candidates {
                        self.page(number, pages, candidate, state)?;
                    }
                }
            }
            state.lock().best.settle();
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Returns a segment's pages; each thread has a query of its own.
    fn open<'o>(
        &self,
        number: usize,
        opened: &'o mut HashMap<usize, Pages<'s>>,
    ) -> Result<&'o mut Pages<'s>, Error> {
        Ok(match opened.entry(number) {
            Entry::Occupied(pages) => pages.into_mut(),
            Entry::Vacant(slot) => {
                let missing = || Error::segment(trailkeep_segment::Error::Empty);
                let segment = self.view.sealed.get(number).ok_or_else(missing)?;
                let cell = self.readers.get(number).ok_or_else(missing)?;
                let reader = segment.reader().map_err(Error::segment)?;
                slot.insert(Pages::new(cell.get_or_init(|| reader), self.matcher))
            }
        })
    }

    /// Returns everything that may hold matches.
    fn start(&self) -> BinaryHeap<Waiting<'v>> {
        let chunks = self
            .view
            .tail
            .chunks()
            .map(RangeInclusive::into_inner)
            .enumerate()
            .filter(|(_number, times)| self.matcher.overlaps(*times))
            .map(|(number, times)| (times, Part::Chunk(number)));
        let span = |meta: &SegmentMeta| (Micros(meta.min_sort_at), Micros(meta.max_sort_at));
        let segments = self
            .view
            .sealed
            .iter()
            .enumerate()
            .filter(|(_number, segment)| self.matcher.may_hold(segment.meta()))
            .map(|(number, segment)| (span(segment.meta()), Part::Segment(number)));
        chunks.chain(segments).map(|(span, part)| self.waiting(span, part)).collect()
    }

    /// Returns the batches of a chunk of the tail.
    fn batches(&self, chunk: usize) -> impl Iterator<Item = Waiting<'v>> {
        let batches = self.view.tail.candidates_in(chunk, &self.matcher.plan());
        batches
            .filter(|(batch, _times)| self.matcher.covers_batch(batch))
            .map(|(batch, times)| self.waiting(times.into_inner(), Part::Batch(batch)))
    }

    /// Returns the pages of a segment that are left, the next one last.
    fn pages(&self, segment: usize, candidates: Vec<PageCandidate>) -> Option<Waiting<'v>> {
        let next = candidates.last()?;
        let span = (next.min_sort_at, next.max_sort_at);
        Some(self.waiting(span, Part::Page(segment, candidates)))
    }

    fn waiting(&self, span: (Micros, Micros), part: Part<'v>) -> Waiting<'v> {
        let order = self.walk.order;
        Waiting { first: order.first_of(span), order, part }
    }

    fn batch(&self, batch: &'v SequencedBatch, best: &mut Best<Source<'v>>) {
        for row in TailRow::all(batch, self.key) {
            let place = Place { sort_at: row.sort_at(), account: row.account(), seq: row.seq() };
            if self.admits(place, best)
                && self.matcher.lets_through(&row)
                && let Some(entry) = row.entry()
            {
                best.offer(place, Source::Tail(entry));
            }
        }
    }

    fn page(
        &self,
        segment: usize,
        pages: &mut Pages<'s>,
        candidate: &PageCandidate,
        state: &Mutex<State<'v>>,
    ) -> Result<(), Error> {
        let mut hits = pages.select(candidate)?;
        if hits.count() <= FEW {
            let handles = hits.handles().map_err(Error::segment)?;
            let best = &mut state.lock().best;
            for handle in &handles {
                self.offer(segment, handle, best);
            }
            return Ok(());
        }
        let times = pages.times(&mut hits)?;
        let mut rows = rows_of(&hits);
        // The rows of an account ascend: the sooner the bar rises, the fewer are looked at.
        if self.walk.order == Order::Descending {
            rows.reverse();
        }
        let best = &mut state.lock().best;
        for row in rows {
            if times.at(row).is_some_and(|at| !best.reaches(at)) {
                continue;
            }
            let handle = hits.handle(row).map_err(Error::segment)?;
            self.offer(segment, &handle, best);
        }
        Ok(())
    }

    fn offer(&self, segment: usize, handle: &RowHandle, best: &mut Best<Source<'v>>) {
        let place = Place::of(&handle.sort);
        if self.admits(place, best) {
            best.offer(place, Source::Segment(segment, handle.row));
        }
    }

    /// Tells whether a place comes after the last one that was shown and can be among the first.
    fn admits(&self, place: Place<'_>, best: &Best<Source<'v>>) -> bool {
        let order = self.walk.order;
        let behind =
            self.walk.last.is_none_or(|last| place.compare(last, order) == Ordering::Greater);
        behind && best.admits(place)
    }
}

enum Part<'v> {
    /// A run of batches of the tail.
    Chunk(usize),
    /// A batch of the tail.
    Batch(&'v SequencedBatch),
    /// A segment of which nothing was read.
    Segment(usize),
    /// Pages of a segment, the next one last.
    Page(usize, Vec<PageCandidate>),
}

/// What may hold matches; the greatest is to be looked at first.
struct Waiting<'v> {
    /// The time before which, in list order, nothing of it sorts.
    first: Micros,
    order: Order,
    part: Part<'v>,
}

impl Ord for Waiting<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let ascending = self.first.cmp(&other.first);
        match self.order {
            Order::Ascending => ascending.reverse(),
            Order::Descending => ascending,
        }
    }
}

impl PartialOrd for Waiting<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Waiting<'_> {}

impl PartialEq for Waiting<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
