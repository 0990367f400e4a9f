//! Finds the rows of a page that match a filter, column by column.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch};
use arrow_buffer::{BooleanBuffer, Buffer};
use arrow_select::filter::filter;
use trailkeep_event::{Field, Micros, Position, ValueRef};
use trailkeep_filter::{Bits, Filter, Probe, Select, TermRef};
use trailkeep_index::{Edge, Wanted};

use crate::answers::{Memo, test};
use crate::arrow::{arrow_schema, objects, selected};
use crate::compose::parts_of;
use crate::layout::{CLOCK_SKEW, METADATA, SECTIONS, SHAPE, column_of, shaped, uuid_column};
use crate::numbers::index;
use crate::page::PageReader;
use crate::{Error, PageCandidate, PageOrder, RowHandle, ScanPlan, SegmentReader, SortKey};

/// A filter over the pages of one segment. It asks each term once for each value of a
/// dictionary.
#[derive(Debug)]
pub struct PageQuery<'a> {
    reader: &'a SegmentReader,
    filter: &'a Filter,
    plan: ScanPlan<'a>,
    memo: Memo,
}

impl SegmentReader {
    /// Starts a query over the rows of the plan's accounts and window. The plan's own fields are
    /// not looked at.
    pub fn query<'a>(&'a self, filter: &'a Filter, plan: &ScanPlan<'a>) -> PageQuery<'a> {
        PageQuery { reader: self, filter, plan: *plan, memo: Memo::new() }
    }

    /// Says what the index must have for a filter to match.
    fn wanted(&self, probe: &Probe) -> Wanted {
        let edge = |edge: &trailkeep_filter::Edge| match edge {
            trailkeep_filter::Edge::Open => Edge::Open,
            trailkeep_filter::Edge::Closed => Edge::Closed,
        };
        match probe {
            Probe::Always => Wanted::always(),
            Probe::All(probes) => Wanted::all(probes.iter().map(|probe| self.wanted(probe))),
            Probe::Any(probes) => Wanted::any(probes.iter().map(|probe| self.wanted(probe))),
            Probe::Whole(text) => Wanted::whole(text),
            Probe::Piece { text, left, right } => Wanted::piece(text, edge(left), edge(right)),
            Probe::Id(id) => match self.key().position(*id) {
                Some(position) if self.meta().covers(position) => Wanted::always(),
                _ => Wanted::any([]),
            },
        }
    }
}

impl<'a> PageQuery<'a> {
    /// Returns the pages that may hold matches, in order: see [`SegmentReader::candidates`].
    pub fn candidates(&self, order: PageOrder) -> Vec<PageCandidate> {
        self.reader.candidates(&self.plan, &self.reader.wanted(&self.filter.probe()), order)
    }

    /// Finds the rows of a page that match. Reads only the columns that decide it.
    ///
    /// # Errors
    /// Where the pages are corrupt or do not decode.
    pub fn select(&mut self, candidate: &PageCandidate) -> Result<PageHits<'a>, Error> {
        let mut page = self.reader.page(candidate.page);
        let verbatim = verbatim_rows(self.reader, &mut page)?;
        let among = rows_among(&page, candidate);
        let inside = self.plan.from.is_none_or(|from| candidate.min_sort_at >= from)
            && self.plan.to.is_none_or(|to| candidate.max_sort_at < to);
        let mut hits = PageHits { page, rows: among };
        if !inside {
            hits.keep_window(self.plan.from..self.plan.to)?;
        }
        let PageHits { page, rows } = &mut hits;
        let (memo, verbatim) = (&mut self.memo, &verbatim[..]);
        let mut selection = Selection { page, memo, verbatim, within: rows };
        let found = self.filter.select(&mut selection)?;
        rows.and(&found);
        Ok(hits)
    }
}

/// Returns a candidate's rows, counted from the page's first.
fn rows_among(page: &PageReader<'_>, candidate: &PageCandidate) -> Bits {
    let n_rows = page.n_rows();
    if candidate.rows.iter().map(ExactSizeIterator::len).sum::<usize>() == n_rows {
        return Bits::all(n_rows);
    }
    let first = page.number(0).unwrap_or(0);
    let offset = |row: u32| index(row.saturating_sub(first));
    let mut among = Bits::none(n_rows);
    for rows in &candidate.rows {
        for row in offset(rows.start)..offset(rows.end) {
            among.insert(row);
        }
    }
    among
}

/// Returns the rows of a page that are stored with their section bytes.
fn verbatim_rows(reader: &SegmentReader, page: &mut PageReader<'_>) -> Result<Vec<usize>, Error> {
    if reader.trailer().verbatim == 0 {
        return Ok(Vec::new());
    }
    page.load(SECTIONS)?;
    let sections = |row: &usize| page.columns().sections(*row).is_some();
    Ok((0..page.n_rows()).filter(sections).collect())
}

/// The rows of a page that match.
#[derive(Debug)]
pub struct PageHits<'a> {
    page: PageReader<'a>,
    rows: Bits,
}

impl<'a> PageHits<'a> {
    /// Returns how many rows match.
    pub fn count(&self) -> usize {
        self.rows.count()
    }

    /// Returns the rows that match, counted from the page's first.
    pub fn rows(&self) -> &Bits {
        &self.rows
    }

    /// Returns a row's number in the segment and its place in lists, which are what
    /// [`SegmentReader::fetch`] takes and what lists sort by.
    ///
    /// # Errors
    /// Where the columns that say it are corrupt or do not decode.
    pub fn handle(&mut self, row: usize) -> Result<RowHandle, Error> {
        let sorted = self.sorts_by_occurrence();
        handle(&mut self.page, row, sorted)
    }

    /// Returns what [`PageHits::handle`] does of all rows that match, in order. Reads no more
    /// than these rows of the columns: right where they are few.
    ///
    /// # Errors
    /// Where the columns that say it are corrupt or do not decode.
    pub fn handles(&self) -> Result<Vec<RowHandle>, Error> {
        let numbers = self.rows.iter().filter_map(|row| self.page.number(row));
        let numbers: Vec<u32> = numbers.collect();
        let mut page = PageReader::some(self.page.reader(), &numbers);
        let sorted = self.sorts_by_occurrence();
        (0..page.n_rows()).map(|row| handle(&mut page, row, sorted)).collect()
    }

    /// Tells whether every row sorts by the producer's time, as its column has it: no clock was
    /// ahead, and no row is stored with its section bytes.
    pub fn sorts_by_occurrence(&self) -> bool {
        let reader = self.page.reader();
        reader.trailer().verbatim == 0
            && reader.source().is_all_false(self.page.group(), CLOCK_SKEW)
    }

    /// Returns a row's place in the journal.
    ///
    /// # Errors
    /// Where the columns that say it are corrupt or do not decode.
    pub fn position(&mut self, row: usize) -> Result<Position, Error> {
        self.page.need(&[Field::Id])?;
        let number = self.page.number(row).unwrap_or(u32::MAX);
        let position = self.page.columns().position(row);
        position.ok_or_else(|| self.page.reader().malformed(number))
    }

    /// Keeps only some of the rows.
    pub fn keep(&mut self, rows: &Bits) {
        self.rows.and(rows);
    }

    /// Returns the page, for reading more of its columns.
    pub fn page(&mut self) -> &mut PageReader<'a> {
        &mut self.page
    }

    /// Returns some fields of the rows as a record batch with [`arrow_schema()`].
    ///
    /// # Errors
    /// Where the columns are corrupt or do not decode.
    pub fn arrow(&mut self, fields: &[Field]) -> Result<RecordBatch, Error> {
        let segment = &self.page.reader().meta().id;
        let built = |source| Error::Columns { segment: segment.clone(), source };
        if self.page.reader().trailer().verbatim == 0 && !fields.contains(&Field::Id) {
            for field in fields {
                self.page.column(*field)?;
            }
        } else {
            self.page.need(fields)?;
        }
        let batch = self.page.batch(fields, &arrow_schema(fields))?.map_err(built)?;
        if self.rows.count() == self.page.n_rows() {
            return Ok(batch);
        }
        selected(&batch, &self.mask()).map_err(built)
    }

    /// Returns for each row an object that has the same as its `metadata` at a path, and maybe
    /// nothing else. Where a member has a column of its own, this is a dictionary with `u32`
    /// codes, else plain strings.
    ///
    /// # Errors
    /// Where the columns are corrupt or do not decode.
    pub fn arrow_metadata(&mut self, path: &[String]) -> Result<ArrayRef, Error> {
        let reader = self.page.reader();
        let segment = &reader.meta().id;
        let Some(column) = self.deciding(path)? else {
            let batch = self.arrow(&[Field::Metadata])?;
            return Ok(Arc::clone(batch.column(0)));
        };
        let array = objects(self.page.stored(column)?);
        filter(&array, &self.mask())
            .map_err(|source| Error::Columns { segment: segment.clone(), source })
    }

    /// Returns the one stored column that decides what `metadata` has at a path.
    fn deciding(&mut self, path: &[String]) -> Result<Option<usize>, Error> {
        if self.page.reader().trailer().verbatim > 0 {
            return Ok(None);
        }
        let mut parts = self.page.reader().members().parts(Some(path));
        if parts.len() > 1 && self.page.stored(METADATA)?.is_absent() {
            parts.retain(|part| *part != METADATA);
        }
        let only = <[usize; 1]>::try_from(parts).ok();
        Ok(only.map(|[column]| column))
    }

    fn mask(&self) -> BooleanArray {
        let words: Vec<u64> = self.rows.words().iter().map(|word| word.to_le()).collect();
        BooleanBuffer::new(Buffer::from_vec(words), 0, self.rows.n_rows()).into()
    }

    /// Keeps the rows that sort in a window.
    fn keep_window(&mut self, window: Range<Option<Micros>>) -> Result<(), Error> {
        let Range { start: from, end: to } = window;
        let inside = |at: Micros| from.is_none_or(|from| at >= from) && to.is_none_or(|to| at < to);
        let plain = self.sorts_by_occurrence();
        let rows = std::mem::replace(&mut self.rows, Bits::none(0));
        let mut kept = Bits::none(rows.n_rows());
        if plain {
            let times = self.page.column(Field::OccurredAt)?;
            for row in rows.iter().filter(|row| times.int(*row).map(Micros).is_some_and(inside)) {
                kept.insert(row);
            }
        } else {
            self.page.need(&[])?;
            for row in rows.iter() {
                if self.page.row(row)?.sort_at().is_some_and(inside) {
                    kept.insert(row);
                }
            }
        }
        self.rows = kept;
        Ok(())
    }
}

/// Returns a row's number and place; `sorted` says that it sorts by the producer's time.
fn handle(page: &mut PageReader<'_>, row: usize, sorted: bool) -> Result<RowHandle, Error> {
    let number = page.number(row).unwrap_or(u32::MAX);
    let (sort_at, seq) = if sorted {
        let at = page.column(Field::OccurredAt)?.int(row).map(Micros);
        let seq = page.column(Field::Seq)?.int(row).and_then(|seq| seq.try_into().ok());
        (at, seq)
    } else {
        page.need(&[])?;
        let view = page.row(row)?;
        (view.sort_at(), view.seq())
    };
    let run = page.reader().trailer().run_of(number);
    let found = sort_at.zip(seq).zip(run);
    let ((sort_at, seq), run) = found.ok_or_else(|| page.reader().malformed(number))?;
    let sort = SortKey { sort_at, account: Arc::clone(&run.account), seq };
    Ok(RowHandle { row: number, sort })
}

/// Answers the terms of a filter on a page.
struct Selection<'s, 'a> {
    page: &'s mut PageReader<'a>,
    memo: &'s mut Memo,
    verbatim: &'s [usize],
    /// The rows of the accounts and the window: of others nothing is read.
    within: &'s Bits,
}

impl Select for Selection<'_, '_> {
    type Error = Error;

    fn n_rows(&self) -> usize {
        self.page.n_rows()
    }

    fn is_nowhere(&self, term: TermRef<'_>) -> bool {
        let is_absent = |field: Field| {
            let parts = match column_of(field) {
                None => return false,
                Some(METADATA) => {
                    self.page.reader().members().parts(term.member().map(|(_, path)| path))
                }
                Some(column) => parts_of(column),
            };
            parts.into_iter().all(|part| self.is_absent(field, part))
        };
        self.verbatim.is_empty() && term.fields().into_iter().all(is_absent)
    }

    fn term(&mut self, term: TermRef<'_>, among: &Bits) -> Result<Bits, Error> {
        let mut among = among.clone();
        among.and(self.within);
        let mut found = Bits::none(among.n_rows());
        let mut open = among.clone();
        for field in term.fields() {
            if open.is_empty() {
                break;
            }
            let passed = self.field(term, field, &open)?;
            found.or(&passed);
            open.and_not(&passed);
        }
        if self.verbatim.iter().any(|row| among.has(*row)) {
            self.page.need(&term.fields())?;
            let mut others = found.clone();
            for row in self.verbatim {
                let mut one = Bits::none(among.n_rows());
                one.insert(*row);
                others.and_not(&one);
                if term.matches(&self.page.row(*row)?) {
                    others.or(&one);
                }
            }
            found = others;
        }
        Ok(found)
    }
}

impl Selection<'_, '_> {
    /// Tells whether it is known that a part of a field's column has no value in the row group.
    fn is_absent(&self, field: Field, part: usize) -> bool {
        let (source, group) = (self.page.reader().source(), self.page.group());
        if source.is_absent(group, part) {
            return true;
        }
        let place = column_of(field).and_then(shaped).filter(|_| part == SHAPE);
        place.is_some_and(|place| {
            let shapes = source.dictionary(group, SHAPE).ok();
            let member = shapes.as_ref().and_then(|shapes| shapes.member(place));
            member.is_some_and(|member| member.has_no_value())
        })
    }

    /// Returns the rows of which one field's column passes.
    fn field(&mut self, term: TermRef<'_>, field: Field, open: &Bits) -> Result<Bits, Error> {
        let mut passed = Bits::none(open.n_rows());
        if field == Field::Id {
            self.page.need(&[Field::Id])?;
            let id = |row: &usize| self.page.columns().id(*row).map(ValueRef::Id);
            for row in open.iter().filter(|row| id(row).is_some_and(|id| term.holds(id))) {
                passed.insert(row);
            }
            return Ok(passed);
        }
        if field == Field::Metadata {
            return self.metadata(term, open);
        }
        let number = usize::from(field.number());
        if let Some((uuids, form)) = uuid_column(number)
            && let Some(wanted) = term.exact_texts()
        {
            let wanted: Vec<_> = wanted.into_iter().filter_map(|text| form.read(text)).collect();
            let uuids = self.page.stored(uuids)?;
            let passes = |row: &usize| uuids.uuid(*row).is_some_and(|uuid| wanted.contains(&uuid));
            open.iter().filter(passes).for_each(|row| passed.insert(row));
            let memo = (&mut *self.memo, (term.number(), number, self.page.group()));
            test(term, (field, self.page.stored(number)?), open, memo, &mut passed);
            return Ok(passed);
        }
        let memo = (&mut *self.memo, (term.number(), number, self.page.group()));
        test(term, (field, self.page.column(field)?), open, memo, &mut passed);
        Ok(passed)
    }

    /// Returns the rows whose metadata passes. An object passes where one of its members alone
    /// does, so that the parts are never put together.
    fn metadata(&mut self, term: TermRef<'_>, open: &Bits) -> Result<Bits, Error> {
        let mut passed = Bits::none(open.n_rows());
        let mut open = open.clone();
        let group = self.page.group();
        for column in self.page.reader().members().parts(term.member().map(|(_, path)| path)) {
            if open.is_empty() {
                break;
            }
            let memo = (&mut *self.memo, (term.number(), column, group));
            let values = (Field::Metadata, self.page.stored(column)?);
            test(term, values, &open, memo, &mut passed);
            open.and_not(&passed);
        }
        Ok(passed)
    }
}
