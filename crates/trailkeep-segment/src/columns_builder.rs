//! Builds columns from rows.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, FixedSizeBinaryBuilder, Int32Builder, Int64Builder,
    StringBuilder, TimestampMicrosecondBuilder, TimestampMillisecondBuilder,
};
use arrow_array::{Array, ArrayRef, BinaryArray, RecordBatch};
use arrow_schema::{ArrowError, SchemaRef};
use trailkeep_event::{Field, Fields, Stamp, ValueRef};

use crate::compose::{MILLI, PathForm};
use crate::layout::{
    CREATED_AT, ColumnKind, DURATION_MS, N_COLUMNS, N_STORED, OCCURRED_US, PATH_FORM, SECTIONS,
    SHAPE, UUID_BYTES, column_kind, schema, uuid_field,
};
use crate::shape::Shapes;
use crate::values::Values;

#[derive(Debug)]
enum Builder {
    Text(StringBuilder),
    Int(Int64Builder),
    Bool(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
    Millis(TimestampMillisecondBuilder),
    Small(Int32Builder),
    Uuid(FixedSizeBinaryBuilder),
}

/// Builds every stored column but `_sections`, which is only known once the others are built.
#[derive(Debug)]
pub(crate) struct ColumnsBuilder {
    builders: Vec<Builder>,
    shapes: Shapes,
    schema: SchemaRef,
}

impl ColumnsBuilder {
    /// Starts without rows.
    pub(crate) fn new() -> Self {
        let builder = |column| match column_kind(column) {
            ColumnKind::Text | ColumnKind::Bytes | ColumnKind::Shape => {
                Builder::Text(StringBuilder::new())
            }
            ColumnKind::Int => Builder::Int(Int64Builder::new()),
            ColumnKind::Bool => Builder::Bool(BooleanBuilder::new()),
            ColumnKind::Time => {
                Builder::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC"))
            }
            ColumnKind::Millis => {
                Builder::Millis(TimestampMillisecondBuilder::new().with_timezone("UTC"))
            }
            ColumnKind::Small => Builder::Small(Int32Builder::new()),
            ColumnKind::Uuid => Builder::Uuid(FixedSizeBinaryBuilder::new(16)),
        };
        Self {
            builders: (0..N_STORED).map(builder).collect(),
            shapes: Shapes::default(),
            schema: schema(),
        }
    }

    /// Returns the schema of the whole segment.
    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Appends one row.
    pub(crate) fn push(&mut self, values: &Values<'_>, stamp: &Stamp) {
        let mut stored = values.clone();
        let mut parts = [Part::Nothing; SHAPE - N_COLUMNS];
        for (column, part) in (N_COLUMNS..).zip(&mut parts) {
            *part = Part::take(column, &mut stored);
        }
        // The last: what follows from the shape's fields needs them.
        let shape = self.shapes.take(&mut stored).map(ValueRef::Text);
        if let Some(builder) = self.builders.get_mut(SHAPE) {
            builder.push(shape);
        }
        for (builder, value) in self.builders.iter_mut().zip(stored.iter()) {
            builder.push(value);
        }
        let position = stamp.position;
        let long = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        // In the order of the columns after the fields of a row.
        let ours = [
            Part::Value(ValueRef::Time(stamp.created_at)),
            Part::Value(ValueRef::Int(long(stamp.seq))),
            Part::Value(ValueRef::Bool(stamp.clock_skew)),
            Part::Small(i32::from(position.partition.number())),
            Part::Value(ValueRef::Int(long(position.frame))),
            Part::Small(i32::try_from(position.ordinal).unwrap_or(i32::MAX)),
            Part::Nothing,
        ];
        let parts = ours.into_iter().chain(parts);
        for (builder, part) in self.builders.iter_mut().skip(CREATED_AT).zip(parts) {
            builder.push_part(part);
        }
    }

    /// Returns the columns so far, `_sections` without values, and starts again without rows.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let mut arrays: Vec<ArrayRef> = self.builders.iter_mut().map(Builder::finish).collect();
        let n_rows = arrays.first().map_or(0, Array::len);
        if let Some(sections) = arrays.get_mut(SECTIONS) {
            *sections = Arc::new(BinaryArray::new_null(n_rows));
        }
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
    }
}

/// Returns columns with `_sections` replaced.
pub(crate) fn with_sections(
    batch: &RecordBatch,
    sections: &[Option<Box<[u8]>>],
) -> Result<RecordBatch, ArrowError> {
    let mut builder = BinaryBuilder::new();
    for row in sections {
        builder.append_option(row.as_ref());
    }
    let mut arrays = batch.columns().to_vec();
    if let Some(slot) = arrays.get_mut(SECTIONS) {
        *slot = Arc::new(builder.finish());
    }
    RecordBatch::try_new(batch.schema(), arrays)
}

/// A value of a column that no field has for itself.
#[derive(Clone, Copy)]
enum Part {
    Nothing,
    Value(ValueRef<'static>),
    Small(i32),
    Uuid([u8; UUID_BYTES]),
}

impl Part {
    /// Takes what belongs in a stored column out of the values that it follows from.
    fn take(column: usize, values: &mut Values<'_>) -> Self {
        match column {
            PATH_FORM => Self::path(values),
            OCCURRED_US => Self::beyond(values).map_or(Self::Nothing, Self::Small),
            DURATION_MS => Self::millis(values).map_or(Self::Nothing, Self::Value),
            _ => Self::uuid(column, values).map_or(Self::Nothing, Self::Uuid),
        }
    }

    fn path(values: &mut Values<'_>) -> Self {
        let path = values.text_of(Field::Path);
        let (route, id) = (values.text_of(Field::Route), values.text_of(Field::ResourceId));
        let found = path.and_then(|path| PathForm::find(path, route, id));
        let Some((form, text)) = found else { return Self::Nothing };
        values.replace(Field::Path, text.map(ValueRef::Text));
        Self::Small(form.number())
    }

    /// Returns what the producer's time has beyond its milliseconds.
    fn beyond(values: &Values<'_>) -> Option<i32> {
        let at = values.get(Field::OccurredAt)?.as_time()?;
        i32::try_from(at.0.rem_euclid(MILLI)).ok().filter(|micros| *micros != 0)
    }

    fn millis(values: &mut Values<'_>) -> Option<ValueRef<'static>> {
        let micros = values.get(Field::DurationUs)?.as_int()?;
        let millis = micros.checked_div(MILLI).filter(|_| micros % MILLI == 0)?;
        values.replace(Field::DurationUs, None);
        Some(ValueRef::Int(millis))
    }

    fn uuid(column: usize, values: &mut Values<'_>) -> Option<[u8; UUID_BYTES]> {
        let (field, form) = uuid_field(column)?;
        let uuid = form.read(values.text_of(field)?)?;
        values.replace(field, None);
        Some(uuid)
    }
}

impl Builder {
    /// Appends a value; one of another type than the column's is left out, and found out when the
    /// row is compared with its digest.
    fn push(&mut self, value: Option<ValueRef<'_>>) {
        match (self, value) {
            (Self::Text(builder), Some(ValueRef::Text(text) | ValueRef::Json(text))) => {
                builder.append_value(text);
            }
            (Self::Int(builder), Some(ValueRef::Int(int))) => builder.append_value(int),
            (Self::Bool(builder), Some(ValueRef::Bool(truth))) => builder.append_value(truth),
            (Self::Time(builder), Some(ValueRef::Time(at))) => builder.append_value(at.0),
            (Self::Millis(builder), Some(ValueRef::Time(at))) => {
                builder.append_value(at.0.div_euclid(MILLI));
            }
            (Self::Millis(builder), _) => builder.append_null(),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Int(builder), _) => builder.append_null(),
            (Self::Bool(builder), _) => builder.append_null(),
            (Self::Time(builder), _) => builder.append_null(),
            (Self::Small(builder), _) => builder.append_null(),
            (Self::Uuid(builder), _) => builder.append_null(),
        }
    }

    fn push_part(&mut self, part: Part) {
        match (self, part) {
            (Self::Small(builder), Part::Small(number)) => builder.append_value(number),
            (Self::Uuid(builder), Part::Uuid(uuid)) => {
                // Of the builder's width: it cannot fail.
                let _appended = builder.append_value(uuid);
            }
            (builder, Part::Value(value)) => builder.push(Some(value)),
            (builder, _) => builder.push(None),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Millis(builder) => Arc::new(builder.finish()),
            Self::Small(builder) => Arc::new(builder.finish()),
            Self::Uuid(builder) => Arc::new(builder.finish()),
        }
    }
}
