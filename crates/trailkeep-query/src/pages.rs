//! The pages of one segment under a query.

use trailkeep_event::{Field, Micros};
use trailkeep_filter::Bits;
use trailkeep_segment::{Column, PageCandidate, PageHits, PageOrder, PageQuery, SegmentReader};

use crate::error::Error;
use crate::matcher::Matcher;
use crate::tally::Tally;

/// The pages of one segment under a query.
#[derive(Debug)]
pub(crate) struct Pages<'r> {
    matcher: &'r Matcher,
    reader: &'r SegmentReader,
    query: PageQuery<'r>,
    /// Whether every row lies before the cut.
    covered: bool,
}

impl<'r> Pages<'r> {
    pub(crate) fn new(reader: &'r SegmentReader, matcher: &'r Matcher) -> Self {
        let query = reader.query(matcher.filter(), &matcher.plan());
        Self { matcher, reader, query, covered: matcher.covers(reader.meta()) }
    }

    /// Returns the pages that may hold matches, in list order.
    pub(crate) fn in_order(&self, order: PageOrder) -> Vec<PageCandidate> {
        self.query.candidates(order)
    }

    /// Returns the pages that may hold matches, as they are stored: neighbours share dictionaries.
    pub(crate) fn as_stored(&self) -> Vec<PageCandidate> {
        let mut candidates = self.query.candidates(PageOrder::Oldest);
        candidates.sort_unstable_by_key(|candidate| candidate.page);
        candidates
    }

    /// Finds the rows of a page that are let through.
    pub(crate) fn select(&mut self, candidate: &PageCandidate) -> Result<PageHits<'r>, Error> {
        let mut hits = self.query.select(candidate).map_err(Error::segment)?;
        if !self.covered {
            let mut before = Bits::none(hits.rows().n_rows());
            for row in rows_of(&hits) {
                if self.matcher.before_cut(hits.position(row).map_err(Error::segment)?) {
                    before.insert(row);
                }
            }
            hits.keep(&before);
        }
        Ok(hits)
    }

    /// Counts the rows of a page that are let through. Where all of them are, none is read.
    pub(crate) fn count(&mut self, candidate: &PageCandidate) -> Result<usize, Error> {
        let (first, last) = (candidate.min_sort_at, candidate.max_sort_at);
        if self.covered && self.matcher.lets_all_through(first, last) {
            return Ok(candidate.rows.iter().map(ExactSizeIterator::len).sum());
        }
        self.select(candidate).map(|hits| hits.count())
    }

    /// Counts the values of the rows of a page that are let through, and those rows.
    pub(crate) fn tally(
        &mut self,
        candidate: &PageCandidate,
        tallies: &mut [Tally],
    ) -> Result<usize, Error> {
        let mut hits = self.select(candidate)?;
        if hits.count() == 0 {
            return Ok(0);
        }
        for tally in tallies {
            let counted = if self.has_exact_columns() {
                tally.columns(&mut hits)
            } else {
                tally.rows(&mut hits)
            };
            counted.map_err(Error::segment)?;
        }
        Ok(hits.count())
    }

    /// Reads the times that the rows of a page sort at.
    pub(crate) fn times(&self, hits: &mut PageHits<'r>) -> Result<Times, Error> {
        if !self.has_exact_columns() {
            return Ok(Times::default());
        }
        let sorted = hits.sorts_by_occurrence();
        let mut column = |field| hits.page().column(field).cloned().map_err(Error::segment);
        if sorted {
            return Ok(Times { occurred_at: Some(column(Field::OccurredAt)?), skewed: None });
        }
        let (occurred_at, skewed) = (column(Field::OccurredAt)?, column(Field::ClockSkew)?);
        // Skewed entries are few: a second time is read only for pages that have one.
        let has_skewed = (0..skewed.n_rows()).any(|row| skewed.truth(row) == Some(true));
        let skewed = if has_skewed { Some([skewed, column(Field::CreatedAt)?]) } else { None };
        Ok(Times { occurred_at: Some(occurred_at), skewed })
    }

    /// Tells whether the columns of every row hold what the row holds.
    fn has_exact_columns(&self) -> bool {
        self.reader.meta().mismatches == 0
    }
}

/// Returns the rows of a page that match, in order.
pub(crate) fn rows_of(hits: &PageHits<'_>) -> Vec<usize> {
    hits.rows().iter().collect()
}

/// The times that the rows of a page sort at, where its columns tell.
#[derive(Debug, Default)]
pub(crate) struct Times {
    occurred_at: Option<Column>,
    /// Which rows sort at the time they were admitted at, and that time.
    skewed: Option<[Column; 2]>,
}

impl Times {
    pub(crate) fn at(&self, row: usize) -> Option<Micros> {
        match &self.skewed {
            Some([skewed, created_at]) if skewed.truth(row)? => created_at.int(row),
            _ => self.occurred_at.as_ref()?.int(row),
        }
        .map(Micros)
    }
}
