//! Finds the first matches in list order, over segments and tail as one.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::RangeInclusive;
use std::vec;

use trailkeep_event::{IdKey, Micros, SequencedBatch};
use trailkeep_segment::{
    PageCandidate, PageOrder, RowHandle, SegmentMeta, SegmentReader, ShelfView, ShelvedSegment,
    SortKey,
};

use crate::best::{Best, Place};
use crate::engine::Engine;
use crate::error::Error;
use crate::fetch::Source;
use crate::list::Order;
use crate::matcher::Matcher;
use crate::pages::{Pages, rows_of};
use crate::tail_row::TailRow;

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
    /// opens no segment that lies behind.
    pub(crate) fn first<'v>(
        &'v self,
        view: &'v ShelfView,
        matcher: &Matcher,
        walk: &Walk<'_>,
    ) -> Result<Vec<(SortKey, Source<'v>)>, Error> {
        let mut deadline = self.deadline();
        let readers: Vec<OnceCell<SegmentReader>> =
            view.sealed.iter().map(|_segment| OnceCell::new()).collect();
        let best = Best::new(walk.order, walk.limit);
        let mut search = Search { matcher, walk, key: self.shelf.key(), best };
        let mut queue = search.start(view);
        while let Some(Waiting { first, part, .. }) = queue.pop() {
            if !search.best.reaches(first) {
                break;
            }
            deadline.look()?;
            match part {
                Part::Chunk(number) => queue.extend(search.batches(view, number)),
                Part::Batch(batch) => search.batch(batch),
                Part::Segment(number) => {
                    let slot = view.sealed.get(number).zip(readers.get(number));
                    let Some((segment, slot)) = slot else { continue };
                    let pages = Pages::new(open(segment, slot)?, matcher);
                    let candidates = pages.in_order(walk.order.pages()).into_iter();
                    queue.extend(search.next(Opened { number, pages, candidates }));
                }
                Part::Page(mut next) => {
                    let (candidate, opened) = &mut *next;
                    search.page(candidate, opened)?;
                    queue.extend(search.next(next.1));
                }
            }
            search.best.settle();
        }
        Ok(search.best.finish())
    }
}

fn open<'r>(
    segment: &ShelvedSegment,
    slot: &'r OnceCell<SegmentReader>,
) -> Result<&'r SegmentReader, Error> {
    let reader = segment.reader().map_err(Error::segment)?;
    Ok(slot.get_or_init(|| reader))
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

struct Search<'s, 'v> {
    matcher: &'s Matcher,
    walk: &'s Walk<'s>,
    key: &'v IdKey,
    best: Best<Source<'v>>,
}

impl<'v> Search<'_, 'v> {
    /// Returns everything that may hold matches.
    fn start<'r>(&self, view: &'v ShelfView) -> BinaryHeap<Waiting<'r, 'v>> {
        let chunks = view
            .tail
            .chunks()
            .map(RangeInclusive::into_inner)
            .enumerate()
            .filter(|(_number, times)| self.matcher.overlaps(*times))
            .map(|(number, times)| (times, Part::Chunk(number)));
        let span = |meta: &SegmentMeta| (Micros(meta.min_sort_at), Micros(meta.max_sort_at));
        let segments = view
            .sealed
            .iter()
            .enumerate()
            .filter(|(_number, segment)| self.matcher.may_hold(segment.meta()))
            .map(|(number, segment)| (span(segment.meta()), Part::Segment(number)));
        chunks.chain(segments).map(|(span, part)| self.waiting(span, part)).collect()
    }

    /// Returns the batches of a chunk of the tail.
    fn batches<'r>(
        &self,
        view: &'v ShelfView,
        chunk: usize,
    ) -> impl Iterator<Item = Waiting<'r, 'v>> {
        let batches = view.tail.candidates_in(chunk, &self.matcher.plan());
        batches
            .filter(|(batch, _times)| self.matcher.covers_batch(batch))
            .map(|(batch, times)| self.waiting(times.into_inner(), Part::Batch(batch)))
    }

    /// Takes the next page of a segment.
    fn next<'r>(&self, mut opened: Opened<'r>) -> Option<Waiting<'r, 'v>> {
        let candidate = opened.candidates.next()?;
        let span = (candidate.min_sort_at, candidate.max_sort_at);
        Some(self.waiting(span, Part::Page(Box::new((candidate, opened)))))
    }

    fn waiting<'r>(&self, span: (Micros, Micros), part: Part<'r, 'v>) -> Waiting<'r, 'v> {
        let order = self.walk.order;
        Waiting { first: order.first_of(span), order, part }
    }

    fn batch(&mut self, batch: &'v SequencedBatch) {
        for row in TailRow::all(batch, self.key) {
            let place = Place { sort_at: row.sort_at(), account: row.account(), seq: row.seq() };
            if self.admits(place)
                && self.matcher.lets_through(&row)
                && let Some(entry) = row.entry()
            {
                self.best.offer(place, Source::Tail(entry));
            }
        }
    }

    fn page(&mut self, candidate: &PageCandidate, opened: &mut Opened<'_>) -> Result<(), Error> {
        let mut hits = opened.pages.select(candidate)?;
        if hits.count() <= FEW {
            for handle in hits.handles().map_err(Error::segment)? {
                self.offer(opened.number, &handle);
            }
            return Ok(());
        }
        let times = opened.pages.times(&mut hits)?;
        let mut rows = rows_of(&hits);
        // The rows of an account ascend: the sooner the bar rises, the fewer are looked at.
        if self.walk.order == Order::Descending {
            rows.reverse();
        }
        for row in rows {
            if times.at(row).is_some_and(|at| !self.best.reaches(at)) {
                continue;
            }
            let handle = hits.handle(row).map_err(Error::segment)?;
            self.offer(opened.number, &handle);
        }
        Ok(())
    }

    fn offer(&mut self, segment: usize, handle: &RowHandle) {
        let place = Place::of(&handle.sort);
        if self.admits(place) {
            self.best.offer(place, Source::Segment(segment, handle.row));
        }
    }

    /// Tells whether a place comes after the last one that was shown and can be among the first.
    fn admits(&self, place: Place<'_>) -> bool {
        let order = self.walk.order;
        let behind =
            self.walk.last.is_none_or(|last| place.compare(last, order) == Ordering::Greater);
        behind && self.best.admits(place)
    }
}

/// A segment of which some pages were looked at.
struct Opened<'r> {
    number: usize,
    pages: Pages<'r>,
    /// The pages after those.
    candidates: vec::IntoIter<PageCandidate>,
}

enum Part<'r, 'v> {
    /// A run of batches of the tail.
    Chunk(usize),
    /// A batch of the tail.
    Batch(&'v SequencedBatch),
    /// A segment of which nothing was read.
    Segment(usize),
    /// The next page of a segment.
    Page(Box<(PageCandidate, Opened<'r>)>),
}

/// What may hold matches; the greatest is to be looked at first.
struct Waiting<'r, 'v> {
    /// The time before which, in list order, nothing of it sorts.
    first: Micros,
    order: Order,
    part: Part<'r, 'v>,
}

impl Ord for Waiting<'_, '_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let ascending = self.first.cmp(&other.first);
        match self.order {
            Order::Ascending => ascending.reverse(),
            Order::Descending => ascending,
        }
    }
}

impl PartialOrd for Waiting<'_, '_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Waiting<'_, '_> {}

impl PartialEq for Waiting<'_, '_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
