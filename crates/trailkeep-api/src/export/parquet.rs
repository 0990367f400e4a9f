//! Entries as a Parquet file: a column a field, as the SQL view names and types them.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use trailkeep_event::{Entry, Field, FieldKind, Fields, ValueRef};

use super::ExportError;

/// The most rows of a row group, which is what the writer holds in memory.
const ROW_GROUP_ROWS_MAX: usize = 64 * 1024;
/// A row group ends where it takes so much memory, however few rows it has.
const ROW_GROUP_BYTES_MAX: usize = 32 * 1024 * 1024;
const ZSTD_LEVEL: i32 = 3;
const UTC: &str = "UTC";

/// A Parquet file under construction. What is written goes out at once, but for the row group
/// that is not full.
#[derive(Debug)]
pub(super) struct ParquetFile {
    fields: Vec<Field>,
    schema: SchemaRef,
    writer: ArrowWriter<Vec<u8>>,
}

impl ParquetFile {
    pub(super) fn new(fields: Vec<Field>) -> Result<Self, ExportError> {
        let column = |field: &Field| ArrowField::new(field.name(), data_type(*field), true);
        let schema = Arc::new(Schema::new(fields.iter().map(column).collect::<Vec<_>>()));
        let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
            // What is told about pages stays in memory to the end; row groups are small enough.
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_created_by("trailkeep".to_owned())
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties));
        Ok(Self { fields, schema, writer: writer.map_err(failed)? })
    }

    /// Takes in entries and returns what is written of the file since the last call.
    pub(super) fn write(&mut self, entries: &[Entry]) -> Result<Vec<u8>, ExportError> {
        if !entries.is_empty() {
            let columns = self.fields.iter().map(|field| column(*field, entries)).collect();
            let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns);
            let batch = batch.map_err(|error| failed(error.into()))?;
            self.writer.write(&batch).map_err(failed)?;
        }
        if self.writer.memory_size() >= ROW_GROUP_BYTES_MAX {
            self.writer.flush().map_err(failed)?;
        }
        Ok(std::mem::take(self.writer.inner_mut()))
    }

    /// Writes the last row group and the footer.
    pub(super) fn finish(&mut self) -> Result<Vec<u8>, ExportError> {
        self.writer.finish().map_err(failed)?;
        Ok(std::mem::take(self.writer.inner_mut()))
    }
}

fn failed(error: ParquetError) -> ExportError {
    ExportError::Parquet(Box::new(error))
}

fn data_type(field: Field) -> DataType {
    match field.kind() {
        FieldKind::Int(..) => DataType::Int64,
        FieldKind::Bool => DataType::Boolean,
        FieldKind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        FieldKind::Id
        | FieldKind::Text
        | FieldKind::Enum(_)
        | FieldKind::Object
        | FieldKind::Json
        | FieldKind::Headers => DataType::Utf8,
    }
}

/// Returns a field of all entries.
fn column(field: Field, entries: &[Entry]) -> ArrayRef {
    let values = entries.iter().map(|entry| entry.get(field));
    match field.kind() {
        FieldKind::Int(..) => {
            let mut column = Int64Builder::with_capacity(entries.len());
            values.for_each(|value| column.append_option(value.and_then(ValueRef::as_int)));
            Arc::new(column.finish())
        }
        FieldKind::Bool => {
            let mut column = BooleanBuilder::with_capacity(entries.len());
            values.for_each(|value| {
                column.append_option(match value {
                    Some(ValueRef::Bool(truth)) => Some(truth),
                    _ => None,
                });
            });
            Arc::new(column.finish())
        }
        FieldKind::Time => {
            let mut column = TimestampMicrosecondBuilder::with_capacity(entries.len());
            values.for_each(|value| {
                column.append_option(value.and_then(ValueRef::as_time).map(|at| at.0));
            });
            Arc::new(column.finish().with_timezone(UTC))
        }
        _ => {
            let mut column = StringBuilder::new();
            values.for_each(|value| match value {
                Some(ValueRef::Text(text) | ValueRef::Json(text)) => column.append_value(text),
                Some(ValueRef::Id(id)) => column.append_value(id.to_string()),
                _ => column.append_null(),
            });
            Arc::new(column.finish())
        }
    }
}
