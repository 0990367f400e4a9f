//! Builds columns from rows.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Int32Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, SchemaRef};
use trailkeep_event::{Stamp, ValueRef};

use crate::layout::{CREATED_AT, ColumnKind, SECTIONS, column_kind, schema};
use crate::values::Values;

#[derive(Debug)]
enum Builder {
    Text(StringBuilder),
    Int(Int64Builder),
    Bool(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
    Small(Int32Builder),
}

/// Builds every column but `_sections`, which is only known once the others are built.
#[derive(Debug)]
pub(crate) struct ColumnsBuilder {
    builders: Vec<Builder>,
    schema: SchemaRef,
}

impl ColumnsBuilder {
    /// Starts without rows.
    pub(crate) fn new() -> Self {
        let builder = |column| match column_kind(column) {
            ColumnKind::Text | ColumnKind::Bytes => Builder::Text(StringBuilder::new()),
            ColumnKind::Int => Builder::Int(Int64Builder::new()),
            ColumnKind::Bool => Builder::Bool(BooleanBuilder::new()),
            ColumnKind::Time => {
                Builder::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC"))
            }
            ColumnKind::Small => Builder::Small(Int32Builder::new()),
        };
        Self { builders: (0..SECTIONS).map(builder).collect(), schema: schema() }
    }

    /// Returns the schema of the whole segment.
    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Appends one row.
    pub(crate) fn push(&mut self, values: &Values<'_>, stamp: &Stamp) {
        for (builder, value) in self.builders.iter_mut().zip(values.iter()) {
            builder.push(value);
        }
        let position = stamp.position;
        let small = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let long = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        // In the order of the columns after the fields of a row.
        let ours = [
            Our::Value(ValueRef::Time(stamp.created_at)),
            Our::Value(ValueRef::Int(long(stamp.seq))),
            Our::Value(ValueRef::Bool(stamp.clock_skew)),
            Our::Small(i32::from(position.partition.number())),
            Our::Value(ValueRef::Int(long(position.frame))),
            Our::Small(small(position.ordinal)),
        ];
        for (builder, our) in self.builders.iter_mut().skip(CREATED_AT).zip(ours) {
            match (builder, our) {
                (Builder::Small(builder), Our::Small(number)) => builder.append_value(number),
                (builder, Our::Value(value)) => builder.push(Some(value)),
                (_, Our::Small(_)) => {}
            }
        }
    }

    /// Returns the columns so far, without `_sections`, and starts again without rows.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let arrays: Vec<ArrayRef> = self.builders.iter_mut().map(Builder::finish).collect();
        let fields: Vec<_> = self.schema.fields().iter().take(SECTIONS).cloned().collect();
        RecordBatch::try_new(Arc::new(arrow_schema::Schema::new(fields)), arrays)
    }
}

/// Returns columns with `_sections` added.
pub(crate) fn with_sections(
    batch: &RecordBatch,
    schema: SchemaRef,
    sections: &[Option<Box<[u8]>>],
) -> Result<RecordBatch, ArrowError> {
    let mut builder = BinaryBuilder::new();
    for row in sections {
        builder.append_option(row.as_ref());
    }
    let mut arrays = batch.columns().to_vec();
    arrays.push(Arc::new(builder.finish()));
    RecordBatch::try_new(schema, arrays)
}

enum Our {
    Value(ValueRef<'static>),
    Small(i32),
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
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Int(builder), _) => builder.append_null(),
            (Self::Bool(builder), _) => builder.append_null(),
            (Self::Time(builder), _) => builder.append_null(),
            (Self::Small(builder), _) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Small(builder) => Arc::new(builder.finish()),
        }
    }
}
