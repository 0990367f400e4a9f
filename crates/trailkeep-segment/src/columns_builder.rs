//! Builds columns from rows.

use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BinaryBuilder, BooleanBuilder, FixedSizeBinaryBuilder, Int32Builder,
    Int64Builder, StringBuilder, TimestampMicrosecondBuilder, TimestampMillisecondBuilder,
};
use arrow_array::{Array, ArrayRef, BinaryArray, RecordBatch};
use arrow_schema::{ArrowError, SchemaRef};
use trailkeep_event::{Field, Fields, Micros, Position, ValueRef};

use crate::column::Column;
use crate::compose::{MILLI, PathForm};
use crate::expected::FileColumns;
use crate::layout::{
    CREATED_AT, ColumnKind, DURATION_MS, MEMBERS, METADATA, N_COLUMNS, OCCURRED_US, PATH_FORM,
    SECTIONS, SHAPE, UUID_BYTES, column_kind, column_name, uuid_field,
};
use crate::members::{Members, Split};
use crate::page::NO_CODE;
use crate::shape::Shapes;
use crate::values::Values;

/// What a row has beside its fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) created_at: Micros,
    pub(crate) seq: u64,
    pub(crate) clock_skew: bool,
    pub(crate) position: Position,
}

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
    members: Members,
    /// The metadata of the row that is appended.
    split: Split,
    /// The columns that the file has.
    stored: Box<[usize]>,
    schema: SchemaRef,
    n_rows: usize,
}

impl ColumnsBuilder {
    /// Starts without rows.
    pub(crate) fn new(file: &FileColumns, schema: SchemaRef) -> Self {
        let members = &file.members;
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
        let columns = (0..MEMBERS).chain(members.iter().map(|(column, _)| column));
        Self {
            builders: columns.map(builder).collect(),
            shapes: Shapes::default(),
            members: members.clone(),
            split: Split::default(),
            stored: file.stored.clone().into(),
            schema,
            n_rows: 0,
        }
    }

    /// Appends one row; takes out of the values what is stored in another form.
    pub(crate) fn push(&mut self, values: &mut Values<'_>, stamp: &Place) {
        let at = self.n_rows;
        self.n_rows = at.saturating_add(1);
        let mut parts = [Part::Nothing; SHAPE - N_COLUMNS];
        for (column, part) in (N_COLUMNS..).zip(&mut parts) {
            *part = Part::take(column, values);
        }
        // The last: what follows from the shape's fields needs them.
        self.shapes.take(values);
        if let Some(ValueRef::Json(json)) = values.get(Field::Metadata) {
            self.push_metadata(at, json);
            values.replace(Field::Metadata, None);
        }
        for (builder, value) in self.builders.iter_mut().zip(values.iter()) {
            if let Some(value) = value {
                builder.push(at, value);
            }
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
            builder.push_part(at, part);
        }
    }

    fn push_metadata(&mut self, at: usize, json: &str) {
        self.members.split(json, &mut self.split);
        let rest = self.builders.get_mut(METADATA);
        if let Some((builder, rest)) = rest.zip(self.split.rest()) {
            builder.push(at, ValueRef::Json(rest));
        }
        for (place, builder) in self.builders.iter_mut().skip(MEMBERS).enumerate() {
            if let Some(member) = self.split.member(place) {
                builder.push(at, ValueRef::Json(member));
            }
        }
    }

    /// Returns the columns that the file has, `_sections` without values, and the shapes as codes;
    /// starts again without rows. `None` where a row has a value in a column that the file lacks.
    pub(crate) fn finish(&mut self) -> Result<Option<(RecordBatch, Column)>, ArrowError> {
        let n_rows = std::mem::take(&mut self.n_rows);
        let shapes = self.shapes.finish();
        let mut arrays = Vec::with_capacity(self.stored.len());
        let columns = (0..MEMBERS).chain(self.members.iter().map(|(column, _)| column));
        for (column, builder) in columns.zip(&mut self.builders) {
            if self.stored.binary_search(&column).is_err() {
                if builder.len() > 0 {
                    return Ok(None);
                }
                continue;
            }
            arrays.push(match column {
                SECTIONS => Arc::new(BinaryArray::new_null(n_rows)),
                SHAPE => match &shapes {
                    Column::Coded(codes, _) => self.shapes.texts(codes.iter().copied()),
                    _ => self.shapes.texts(std::iter::repeat_n(NO_CODE, n_rows)),
                },
                _ => builder.finish(n_rows),
            });
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)?;
        Ok(Some((batch, shapes)))
    }
}

/// Returns columns with `_sections` replaced.
pub(crate) fn with_sections(
    batch: &RecordBatch,
    sections: &[Option<Box<[u8]>>],
) -> Result<RecordBatch, ArrowError> {
    if sections.iter().all(Option::is_none) {
        return Ok(batch.clone());
    }
    let mut builder = BinaryBuilder::new();
    for row in sections {
        builder.append_option(row.as_ref());
    }
    let mut arrays = batch.columns().to_vec();
    let place = batch.schema_ref().index_of(column_name(SECTIONS))?;
    if let Some(slot) = arrays.get_mut(place) {
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
    /// Sets a row's value; rows before it that have none are filled in. A value of another type
    /// than the column's is left out, and found out when the row is compared with its columns.
    fn push(&mut self, at: usize, value: ValueRef<'_>) {
        self.fill(at);
        match (self, value) {
            (Self::Text(builder), ValueRef::Text(text) | ValueRef::Json(text)) => {
                builder.append_value(text);
            }
            (Self::Int(builder), ValueRef::Int(int)) => builder.append_value(int),
            (Self::Bool(builder), ValueRef::Bool(truth)) => builder.append_value(truth),
            (Self::Time(builder), ValueRef::Time(at)) => builder.append_value(at.0),
            (Self::Millis(builder), ValueRef::Time(at)) => {
                builder.append_value(at.0.div_euclid(MILLI));
            }
            _ => {}
        }
    }

    fn push_part(&mut self, at: usize, part: Part) {
        match part {
            Part::Nothing => {}
            Part::Value(value) => self.push(at, value),
            Part::Small(number) => {
                self.fill(at);
                if let Self::Small(builder) = self {
                    builder.append_value(number);
                }
            }
            Part::Uuid(uuid) => {
                self.fill(at);
                if let Self::Uuid(builder) = self {
                    // Of the builder's width: it cannot fail.
                    let _appended = builder.append_value(uuid);
                }
            }
        }
    }

    /// Leaves the rows without a value that come before one.
    fn fill(&mut self, n_rows: usize) {
        let missing = n_rows.saturating_sub(self.len());
        if missing == 0 {
            return;
        }
        match self {
            Self::Text(builder) => builder.append_nulls(missing),
            Self::Int(builder) => builder.append_nulls(missing),
            Self::Bool(builder) => builder.append_nulls(missing),
            Self::Time(builder) => builder.append_nulls(missing),
            Self::Millis(builder) => builder.append_nulls(missing),
            Self::Small(builder) => builder.append_nulls(missing),
            Self::Uuid(builder) => builder.append_nulls(missing),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(builder) => builder.len(),
            Self::Int(builder) => builder.len(),
            Self::Bool(builder) => builder.len(),
            Self::Time(builder) => builder.len(),
            Self::Millis(builder) => builder.len(),
            Self::Small(builder) => builder.len(),
            Self::Uuid(builder) => builder.len(),
        }
    }

    fn finish(&mut self, n_rows: usize) -> ArrayRef {
        self.fill(n_rows);
        match self {
            Self::Text(builder) => {
                let array = builder.finish();
                if array.null_count() < array.len() {
                    // The next rows take about as much.
                    let n_bytes = array.value_data().len();
                    *builder = StringBuilder::with_capacity(array.len(), n_bytes);
                }
                Arc::new(array)
            }
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Millis(builder) => Arc::new(builder.finish()),
            Self::Small(builder) => Arc::new(builder.finish()),
            Self::Uuid(builder) => Arc::new(builder.finish()),
        }
    }
}
