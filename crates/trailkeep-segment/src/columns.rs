//! A run of rows as typed columns, as read from a segment or about to be written to one.

use arrow_array::RecordBatch;
use trailkeep_event::{EventId, Field, IdKey, Micros, Partition, Position, ValueRef};

use crate::column::Column;
use crate::compose::{compose, parts_of};
use crate::layout::{
    CLOCK_SKEW, CREATED_AT, FRAME, MEMBERS, N_COLUMNS, N_STORED, ORDINAL, PARTITION, SECTIONS, SEQ,
    SHAPE, column_kind, column_of,
};
use crate::members::Members;
use crate::shape;

/// The columns of a run of rows; those that were not asked for are absent.
#[derive(Debug)]
pub(crate) struct Columns {
    loaded: [Option<Column>; N_COLUMNS],
    n_rows: usize,
    key: IdKey,
}

impl Columns {
    /// Starts without columns.
    pub(crate) fn empty(n_rows: usize, key: &IdKey) -> Self {
        Self { loaded: [const { None }; N_COLUMNS], n_rows, key: key.clone() }
    }

    /// Takes the columns of a record batch, and others that have no values; `None` where one is
    /// not of its type.
    pub(crate) fn of(
        batch: &RecordBatch,
        lacking: &[usize],
        members: &Members,
        key: &IdKey,
    ) -> Option<Self> {
        let mut stored = Stored::of(batch, members, None)?;
        for column in lacking {
            *stored.0.get_mut(*column)? = Some(Column::Absent(batch.num_rows()));
        }
        stored.compose(batch.num_rows(), members, key)
    }

    /// Takes all columns that a file will have for some rows, the shapes as codes.
    pub(crate) fn of_file(
        batch: &RecordBatch,
        shapes: &Column,
        members: &Members,
        key: &IdKey,
    ) -> Option<Self> {
        let mut stored = Stored::of(batch, members, Some(shapes))?;
        for column in &mut stored.0 {
            column.get_or_insert(Column::Absent(batch.num_rows()));
        }
        stored.compose(batch.num_rows(), members, key)
    }

    /// Returns how many rows there are.
    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Adds a column.
    pub(crate) fn set(&mut self, column: usize, values: Column) {
        if let Some(slot) = self.loaded.get_mut(column) {
            *slot = Some(values);
        }
    }

    /// Returns a column, where it was asked for.
    pub(crate) fn column(&self, column: usize) -> Option<&Column> {
        self.loaded.get(column)?.as_ref()
    }

    /// Returns the column of a field, where it has one that was asked for.
    pub(crate) fn of_field(&self, field: Field) -> Option<&Column> {
        self.column(column_of(field)?)
    }

    /// Returns a value of a field that a row holds, as the columns have it.
    pub(crate) fn value(&self, field: Field, row: usize) -> Option<ValueRef<'_>> {
        self.column(column_of(field)?)?.value(field, row)
    }

    /// Returns when the entry was admitted.
    pub(crate) fn created_at(&self, row: usize) -> Option<Micros> {
        self.column(CREATED_AT)?.int(row).map(Micros)
    }

    /// Returns the entry's index in its account's log.
    pub(crate) fn seq(&self, row: usize) -> Option<u64> {
        u64::try_from(self.column(SEQ)?.int(row)?).ok()
    }

    /// Tells whether the producer's clock was ahead.
    pub(crate) fn clock_skew(&self, row: usize) -> Option<bool> {
        self.column(CLOCK_SKEW)?.truth(row)
    }

    /// Returns the entry's place in the journal.
    pub(crate) fn position(&self, row: usize) -> Option<Position> {
        let number = |column| self.column(column)?.int(row);
        let partition = Partition::new(u8::try_from(number(PARTITION)?).ok()?)?;
        let frame = u64::try_from(number(FRAME)?).ok()?;
        let ordinal = u32::try_from(number(ORDINAL)?).ok()?;
        let position = Position { partition, frame, ordinal };
        let fits = frame <= Position::FRAME_MAX && ordinal <= Position::ORDINAL_MAX;
        fits.then_some(position)
    }

    /// Returns the entry's identifier.
    pub(crate) fn id(&self, row: usize) -> Option<EventId> {
        Some(self.key.id(self.created_at(row)?, self.position(row)?))
    }

    /// Returns the section bytes of a row that the columns do not give back.
    pub(crate) fn sections(&self, row: usize) -> Option<&[u8]> {
        self.column(SECTIONS)?.bytes(row)
    }
}

/// The stored columns of a run of rows, as far as they were read.
struct Stored([Option<Column>; N_STORED]);

impl Stored {
    fn of(batch: &RecordBatch, members: &Members, shapes: Option<&Column>) -> Option<Self> {
        let mut stored = Self([const { None }; N_STORED]);
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let column = members.column_named(field.name())?;
            let values = match Column::of(column_kind(column), array)? {
                Column::Text(texts) if column == SHAPE => match shapes {
                    Some(shapes) => shapes.clone(),
                    None => shape::coded(&texts)?,
                },
                values => values,
            };
            *stored.0.get_mut(column)? = Some(values);
        }
        Some(stored)
    }

    fn compose(self, n_rows: usize, members: &Members, key: &IdKey) -> Option<Columns> {
        let mut columns = Columns::empty(n_rows, key);
        for column in 0..N_COLUMNS {
            let unused = |part: usize| part >= MEMBERS && members.column_name(part).is_none();
            let read = |part: &usize| unused(*part) || matches!(self.0.get(*part), Some(Some(_)));
            if !parts_of(column).iter().all(read) {
                continue;
            }
            let part = |part: usize| self.0.get(part).cloned().flatten().ok_or(());
            columns.set(column, compose(column, members, part).ok()?);
        }
        Some(columns)
    }
}
