//! One page of a segment: a run of rows over all columns.

use std::ops::Range;

use trailkeep_event::{Entry, Field, Position, RowBuilder};

use super::picks::Picks;
use crate::column::Column;
use crate::columns::Columns;
use crate::columns_row::ColumnsRow;
use crate::compose::compose;
use crate::layout::{
    FRAME, MEMBERS, METADATA, N_COLUMNS, N_STORED, ORDINAL, PAGE_ROWS_MAX, PARTITION,
    ROW_GROUP_ROWS_MAX, SECTIONS, SHAPE, column_of,
};
use crate::numbers::{index, short};
use crate::{Error, SegmentReader};

/// Some rows of one page of a segment: what was asked for of the rows between two numbers that
/// are divisible by 2048. Columns are read and decoded when they are first asked for.
#[derive(Debug)]
pub struct PageReader<'a> {
    reader: &'a SegmentReader,
    /// The rows, by their numbers in the segment.
    rows: Rows,
    group: usize,
    picks: Picks,
    /// What several columns are made of.
    stored: [Option<Column>; N_STORED],
    columns: Columns,
}

#[derive(Clone, Debug)]
enum Rows {
    All(Range<u32>),
    Some(Vec<u32>),
}

/// Returns the rows of a page of a segment of so many rows.
pub(crate) fn rows_of_page(page: u32, n_rows: u32) -> Range<u32> {
    let start = page.saturating_mul(short(PAGE_ROWS_MAX)).min(n_rows);
    start..start.saturating_add(short(PAGE_ROWS_MAX)).min(n_rows)
}

impl<'a> PageReader<'a> {
    /// Opens a whole page.
    pub(crate) fn whole(reader: &'a SegmentReader, page: u32) -> Self {
        Self::run(reader, rows_of_page(page, reader.meta().rows))
    }

    /// Opens neighbouring rows, of several pages too, but all of one row group.
    pub(crate) fn run(reader: &'a SegmentReader, rows: Range<u32>) -> Self {
        let (group, start) = place(rows.start);
        let picks = Picks::Range(start..start.saturating_add(rows.len()));
        let columns = Columns::empty(rows.len(), reader.key());
        Self {
            reader,
            rows: Rows::All(rows),
            group,
            picks,
            stored: [const { None }; N_STORED],
            columns,
        }
    }

    /// Opens some rows, ascending, all of one page.
    pub(crate) fn some(reader: &'a SegmentReader, rows: &[u32]) -> Self {
        let (group, _start) = place(rows.first().copied().unwrap_or(0));
        let picks = Picks::List(rows.iter().map(|row| place(*row).1).collect());
        let columns = Columns::empty(rows.len(), reader.key());
        Self {
            reader,
            rows: Rows::Some(rows.to_vec()),
            group,
            picks,
            stored: [const { None }; N_STORED],
            columns,
        }
    }

    /// Returns how many rows there are.
    pub fn n_rows(&self) -> usize {
        self.picks.len()
    }

    /// Returns a row's number in the segment.
    pub fn number(&self, row: usize) -> Option<u32> {
        match &self.rows {
            Rows::All(rows) => {
                rows.start.checked_add(short(row)).filter(|number| *number < rows.end)
            }
            Rows::Some(rows) => rows.get(row).copied(),
        }
    }

    /// Returns a field's values as the columns have them. A row that is stored with its section
    /// bytes may differ: see [`PageReader::row`]. The field must not be `id`, which is in no
    /// column.
    ///
    /// # Errors
    /// Where the pages are corrupt or do not decode.
    pub fn column(&mut self, field: Field) -> Result<&Column, Error> {
        let column = column_of(field).unwrap_or(SECTIONS);
        self.load(column)?;
        self.columns.column(column).ok_or_else(|| self.malformed())
    }

    /// Reads what [`PageReader::row`] needs to give the fields.
    ///
    /// # Errors
    /// Where the pages are corrupt or do not decode.
    pub fn need(&mut self, fields: &[Field]) -> Result<(), Error> {
        for column in self.reader.columns_of(fields) {
            self.load(column)?;
        }
        Ok(())
    }

    /// Returns a row for reading its fields; those that were not needed before are absent.
    pub fn row(&self, row: usize) -> Result<ColumnsRow<'_>, Error> {
        ColumnsRow::of(&self.columns, row).ok_or_else(|| self.malformed())
    }

    /// Returns the number of the row at a position. Most pages have no row of its frame: then only
    /// one column is read.
    pub(crate) fn find(&mut self, position: Position) -> Result<Option<u32>, Error> {
        self.load(FRAME)?;
        let Some(Column::Int(frames)) = self.columns.column(FRAME) else { return Ok(None) };
        let frame = i64::try_from(position.frame).unwrap_or(i64::MAX);
        let frames = frames.values().iter().enumerate();
        let in_frame = frames.filter(|(_, it)| **it == frame).map(|(row, _)| row);
        let rows: Vec<usize> = in_frame.collect();
        if rows.is_empty() {
            return Ok(None);
        }
        self.load(PARTITION)?;
        self.load(ORDINAL)?;
        let row = rows.into_iter().find(|row| self.columns.position(*row) == Some(position));
        Ok(row.and_then(|row| self.number(row)))
    }

    /// Rebuilds all entries.
    pub(crate) fn entries(mut self, builder: &mut RowBuilder) -> Result<Vec<Entry>, Error> {
        for column in 0..N_COLUMNS {
            self.load(column)?;
        }
        let entry = |row| self.row(row)?.entry(builder).ok_or_else(|| self.malformed());
        (0..self.n_rows()).map(entry).collect()
    }

    /// Reads a column.
    pub(crate) fn load(&mut self, column: usize) -> Result<(), Error> {
        if self.columns.column(column).is_some() {
            return Ok(());
        }
        let (source, stored) = (self.reader.source(), &mut self.stored);
        let loaded = compose(column, self.reader.members(), |part| {
            if let Some(values) = stored.get(part).and_then(Option::as_ref) {
                return Ok(values.clone());
            }
            let values = source.column(self.group, part, &self.picks)?;
            if let Some(slot) = stored.get_mut(part).filter(|_| is_shared(part)) {
                *slot = Some(values.clone());
            }
            Ok(values)
        })?;
        self.columns.set(column, loaded);
        Ok(())
    }

    /// Reads a stored column of which others are made, but not the others.
    pub(crate) fn stored(&mut self, part: usize) -> Result<&Column, Error> {
        if self.stored.get(part).is_some_and(Option::is_none) {
            let values = self.reader.source().column(self.group, part, &self.picks)?;
            if let Some(slot) = self.stored.get_mut(part) {
                *slot = Some(values);
            }
        }
        self.stored.get(part).and_then(Option::as_ref).ok_or_else(|| self.malformed())
    }

    pub(crate) fn reader(&self) -> &'a SegmentReader {
        self.reader
    }

    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    pub(crate) fn group(&self) -> usize {
        self.group
    }

    fn malformed(&self) -> Error {
        self.reader.malformed(self.number(0).unwrap_or(0))
    }
}

/// Tells whether several columns are made of a stored one.
fn is_shared(part: usize) -> bool {
    part == SHAPE
        || part == METADATA
        || part >= MEMBERS
        || column_of(Field::Route) == Some(part)
        || column_of(Field::ResourceId) == Some(part)
}

/// Returns the row group that holds a row, and the row's number in it.
fn place(row: u32) -> (usize, usize) {
    let row = index(row);
    (row / ROW_GROUP_ROWS_MAX, row % ROW_GROUP_ROWS_MAX)
}
