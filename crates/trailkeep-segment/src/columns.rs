//! A run of rows as typed columns, as read from a segment or about to be written to one.

use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, RecordBatch, StringArray,
};
use trailkeep_event::{EventId, Field, FieldKind, IdKey, Micros, Partition, Position, ValueRef};

use crate::layout::{
    CLOCK_SKEW, CREATED_AT, ColumnKind, FRAME, N_COLUMNS, ORDINAL, PARTITION, SECTIONS, SEQ,
    column_kind, column_named, column_of,
};

/// One column, with its type known.
#[derive(Clone, Debug)]
enum Loaded {
    Text(StringArray),
    Int(PrimitiveArray<Int64Type>),
    Bool(BooleanArray),
    Time(PrimitiveArray<TimestampMicrosecondType>),
    Small(PrimitiveArray<Int32Type>),
    Bytes(BinaryArray),
}

/// The columns of a run of rows; those that were not asked for are absent.
#[derive(Debug)]
pub(crate) struct Columns {
    loaded: [Option<Loaded>; N_COLUMNS],
    n_rows: usize,
    key: IdKey,
}

impl Columns {
    /// Takes the columns of a record batch; `None` where one is not of its type.
    pub(crate) fn of(batch: &RecordBatch, key: &IdKey) -> Option<Self> {
        let mut loaded = [const { None }; N_COLUMNS];
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let column = column_named(field.name())?;
            *loaded.get_mut(column)? = Some(load(column_kind(column), array)?);
        }
        Some(Self { loaded, n_rows: batch.num_rows(), key: key.clone() })
    }

    /// Returns how many rows there are.
    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Returns a value of a field that a row holds, as the columns have it.
    pub(crate) fn value(&self, field: Field, row: usize) -> Option<ValueRef<'_>> {
        match self.column(column_of(field)?)? {
            Loaded::Text(array) => {
                let text = array.is_valid(row).then(|| array.value(row))?;
                Some(match field.kind() {
                    FieldKind::Object | FieldKind::Json | FieldKind::Headers => {
                        ValueRef::Json(text)
                    }
                    _ => ValueRef::Text(text),
                })
            }
            Loaded::Int(array) => array.is_valid(row).then(|| array.value(row)).map(ValueRef::Int),
            Loaded::Bool(array) => {
                array.is_valid(row).then(|| array.value(row)).map(ValueRef::Bool)
            }
            Loaded::Time(array) => {
                array.is_valid(row).then(|| ValueRef::Time(Micros(array.value(row))))
            }
            Loaded::Small(_) | Loaded::Bytes(_) => None,
        }
    }

    /// Returns when the entry was admitted.
    pub(crate) fn created_at(&self, row: usize) -> Option<Micros> {
        match self.column(CREATED_AT)? {
            Loaded::Time(array) => Some(Micros(array.value(row))),
            _ => None,
        }
    }

    /// Returns the entry's index in its account's log.
    pub(crate) fn seq(&self, row: usize) -> Option<u64> {
        self.long(SEQ, row)
    }

    /// Tells whether the producer's clock was ahead.
    pub(crate) fn clock_skew(&self, row: usize) -> Option<bool> {
        match self.column(CLOCK_SKEW)? {
            Loaded::Bool(array) => Some(array.value(row)),
            _ => None,
        }
    }

    /// Returns the entry's place in the journal.
    pub(crate) fn position(&self, row: usize) -> Option<Position> {
        let partition = Partition::new(u8::try_from(self.small(PARTITION, row)?).ok()?)?;
        let frame = self.long(FRAME, row).filter(|frame| *frame <= Position::FRAME_MAX)?;
        let ordinal = u32::try_from(self.small(ORDINAL, row)?).ok()?;
        let position = Position { partition, frame, ordinal };
        (ordinal <= Position::ORDINAL_MAX).then_some(position)
    }

    /// Returns the entry's identifier.
    pub(crate) fn id(&self, row: usize) -> Option<EventId> {
        Some(self.key.id(self.created_at(row)?, self.position(row)?))
    }

    /// Returns the section bytes of a row that the columns do not give back.
    pub(crate) fn sections(&self, row: usize) -> Option<&[u8]> {
        match self.column(SECTIONS)? {
            Loaded::Bytes(array) => array.is_valid(row).then(|| array.value(row)),
            _ => None,
        }
    }

    fn long(&self, column: usize, row: usize) -> Option<u64> {
        match self.column(column)? {
            Loaded::Int(array) => u64::try_from(array.value(row)).ok(),
            _ => None,
        }
    }

    fn small(&self, column: usize, row: usize) -> Option<i32> {
        match self.column(column)? {
            Loaded::Small(array) => Some(array.value(row)),
            _ => None,
        }
    }

    fn column(&self, column: usize) -> Option<&Loaded> {
        self.loaded.get(column)?.as_ref()
    }
}

fn load(kind: ColumnKind, array: &ArrayRef) -> Option<Loaded> {
    let any = array.as_any();
    Some(match kind {
        ColumnKind::Text => Loaded::Text(any.downcast_ref::<StringArray>()?.clone()),
        ColumnKind::Int => Loaded::Int(any.downcast_ref::<PrimitiveArray<Int64Type>>()?.clone()),
        ColumnKind::Bool => Loaded::Bool(any.downcast_ref::<BooleanArray>()?.clone()),
        ColumnKind::Time => {
            Loaded::Time(any.downcast_ref::<PrimitiveArray<TimestampMicrosecondType>>()?.clone())
        }
        ColumnKind::Small => {
            Loaded::Small(any.downcast_ref::<PrimitiveArray<Int32Type>>()?.clone())
        }
        ColumnKind::Bytes => Loaded::Bytes(any.downcast_ref::<BinaryArray>()?.clone()),
    })
}
