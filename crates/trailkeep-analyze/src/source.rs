//! The rows that an answer is made of, as batches of the columns that it needs.

use std::ops::ControlFlow;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use trailkeep_event::{Field, IdKey};
use trailkeep_segment::{PageCandidate, PageHits, PageOrder, SegmentReader, ShelfView};

use crate::Error;
use crate::bounds::Bounds;
use crate::columns::{Batch, Wanted, sort_times};
use crate::row_batch::RowBatch;
use crate::selection::Selection;

/// The most rows of a batch of the tail.
const TAIL_ROWS: usize = 8192;
/// The pages of one part: so few that threads end at about the same time, so many that what was
/// found out about a dictionary is used often.
const PART_PAGES: usize = 64;

/// Where rows are.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Tail,
    Pages(SegmentReader, Vec<PageCandidate>),
}

/// What is read: some columns of the selected rows of one moment.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) view: ShelfView,
    pub(crate) key: IdKey,
    pub(crate) selection: Selection,
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) bounds: Bounds,
}

/// Takes a batch; breaks where no more are needed.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(Batch) -> Result<ControlFlow<()>, Error>;

impl Source {
    /// Returns the parts that can hold selected rows.
    pub(crate) fn parts(&self) -> Result<Vec<Part>, Error> {
        let mut parts = Vec::new();
        if self.view.tail.rows() > 0 {
            parts.push(Part::Tail);
        }
        for segment in self.view.sealed.iter() {
            if !self.selection.may_hold(segment.meta()) {
                continue;
            }
            self.bounds.check_time()?;
            let reader = segment.reader().map_err(Error::segment)?;
            let query = reader.query(self.selection.filter(), &self.selection.plan());
            let mut pages = query.candidates(PageOrder::Oldest);
            // Neighbours share a row group and its dictionaries.
            pages.sort_unstable_by_key(|candidate| candidate.page);
            let part = |pages: &[PageCandidate]| Part::Pages(reader.clone(), pages.to_vec());
            parts.extend(pages.chunks(PART_PAGES).map(part));
        }
        Ok(parts)
    }

    /// Calls `visit` with batches of the selected rows of a part.
    pub(crate) fn read(&self, part: &Part, visit: Visit<'_>) -> Result<(), Error> {
        match part {
            Part::Tail => self.read_tail(visit),
            Part::Pages(reader, pages) => self.read_pages(reader, pages, visit),
        }
    }

    fn read_tail(&self, visit: Visit<'_>) -> Result<(), Error> {
        let mut rows = RowBatch::new(&self.wanted);
        for (n_seen, entry) in self.view.tail.entries(&self.key).enumerate() {
            if n_seen.is_multiple_of(TAIL_ROWS) {
                self.bounds.check_time()?;
            }
            let sort_at = entry.sort_at();
            if !self.selection.in_window(sort_at) || !self.selection.lets_through(&entry) {
                continue;
            }
            rows.push(&entry, sort_at);
            if rows.n_rows() == TAIL_ROWS && visit(rows.finish())?.is_break() {
                return Ok(());
            }
        }
        if rows.n_rows() > 0 { visit(rows.finish()).map(drop) } else { Ok(()) }
    }

    fn read_pages(
        &self,
        reader: &SegmentReader,
        pages: &[PageCandidate],
        visit: Visit<'_>,
    ) -> Result<(), Error> {
        let plan = self.selection.plan();
        let mut query = reader.query(self.selection.filter(), &plan);
        for page in pages {
            self.bounds.check_time()?;
            let mut hits = query.select(page).map_err(Error::segment)?;
            if hits.count() == 0 {
                continue;
            }
            if visit(self.batch(&mut hits)?)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn batch(&self, hits: &mut PageHits<'_>) -> Result<Batch, Error> {
        let mut fields: Vec<Field> = Vec::new();
        for wanted in &self.wanted {
            match wanted {
                Wanted::Field(field) => fields.push(*field),
                Wanted::SortAt => fields.extend([Field::OccurredAt, Field::ClockSkew]),
                Wanted::Metadata(_) => {}
            }
        }
        let read = hits.arrow(&fields).map_err(Error::segment)?;
        let mut arrays = read.columns().iter();
        let mut columns = Vec::with_capacity(self.wanted.len());
        for wanted in &self.wanted {
            columns.push(match wanted {
                Wanted::Metadata(path) => hits.arrow_metadata(path).map_err(Error::segment)?,
                Wanted::Field(_) => match arrays.next() {
                    Some(array) => ArrayRef::clone(array),
                    None => break,
                },
                Wanted::SortAt => match (arrays.next(), arrays.next()) {
                    (Some(occurred), Some(skewed)) => sort_at(hits, occurred, skewed)?,
                    _ => break,
                },
            });
        }
        Ok(Batch { columns, n_rows: read.num_rows() })
    }
}

/// Makes the times that lists sort by. Skewed entries are few: a second time is read only for
/// pages that have one.
fn sort_at(
    hits: &mut PageHits<'_>,
    occurred: &ArrayRef,
    skewed: &ArrayRef,
) -> Result<ArrayRef, Error> {
    if skewed.as_boolean_opt().is_none_or(|skewed| skewed.true_count() == 0) {
        return Ok(ArrayRef::clone(occurred));
    }
    let created = hits.arrow(&[Field::CreatedAt]).map_err(Error::segment)?;
    Ok(sort_times(occurred.as_primitive(), created.column(0).as_primitive(), skewed))
}
