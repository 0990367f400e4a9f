//! The rows of a segment as Arrow record batches, a column a field.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Int64Builder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Int64Array, RecordBatch, RecordBatchOptions,
    StringArray, UInt32Array,
};
use arrow_schema::{ArrowError, DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};
use arrow_select::filter::filter_record_batch;
use trailkeep_event::{Field, FieldKind, Fields, Micros, ValueRef};

use crate::column::{Column, nulls};
use crate::layout::{SECTIONS, is_coded};
use crate::page::{Dictionary, PageReader};
use crate::{Error, ScanPlan, SegmentReader};

/// The time zone of times.
const UTC: &str = "UTC";

/// Returns the schema of the batches that hold some fields, the same for every segment: texts
/// that repeat are dictionaries with `u32` codes, other texts and JSON are plain strings, times
/// count microseconds.
pub fn arrow_schema(fields: &[Field]) -> SchemaRef {
    let column = |field: &Field| ArrowField::new(field.name(), data_type(*field), true);
    Arc::new(Schema::new(fields.iter().map(column).collect::<Vec<_>>()))
}

fn data_type(field: Field) -> DataType {
    match field.kind() {
        FieldKind::Int(..) => DataType::Int64,
        FieldKind::Bool => DataType::Boolean,
        FieldKind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        _ if is_coded(field) => {
            DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8))
        }
        _ => DataType::Utf8,
    }
}

impl SegmentReader {
    /// Returns the rows of the plan's accounts and window, in the order they are stored in, a
    /// batch of at most `batch_rows` at a time. The plan's own fields are not looked at.
    ///
    /// Reads only pages that can hold such rows. A dictionary is shared by all batches of a row
    /// group; its values may repeat, and those that no code stands for may be null.
    pub fn arrow(
        &self,
        fields: &[Field],
        plan: &ScanPlan<'_>,
        batch_rows: u32,
    ) -> ArrowBatches<'_> {
        let batch_rows = batch_rows.max(1);
        let mut ranges: Vec<Range<u32>> = Vec::new();
        for (rows, _run) in self.ranges(plan) {
            // Accounts that stand together are read together.
            match ranges.last_mut() {
                Some(last) if last.end == rows.start => last.end = rows.end,
                _ => ranges.push(rows),
            }
        }
        let window = (plan.from, plan.to);
        let schema = arrow_schema(fields);
        ArrowBatches { reader: self, fields: fields.into(), schema, window, ranges, batch_rows }
            .reversed()
    }
}

/// The batches of [`SegmentReader::arrow`].
#[derive(Debug)]
pub struct ArrowBatches<'a> {
    reader: &'a SegmentReader,
    fields: Box<[Field]>,
    schema: SchemaRef,
    window: (Option<Micros>, Option<Micros>),
    /// What is left, the first last.
    ranges: Vec<Range<u32>>,
    batch_rows: u32,
}

impl ArrowBatches<'_> {
    fn reversed(mut self) -> Self {
        self.ranges.reverse();
        self
    }

    /// Takes the next rows: at most a batch, all of one row group.
    fn take(&mut self) -> Option<Range<u32>> {
        let rest = self.ranges.last_mut()?;
        let group_rows = u32::try_from(crate::layout::ROW_GROUP_ROWS_MAX).unwrap_or(u32::MAX);
        let group = rest.start.checked_div(group_rows).unwrap_or(0).saturating_add(1);
        let end = rest.start.saturating_add(self.batch_rows);
        let rows = rest.start..end.min(group.saturating_mul(group_rows)).min(rest.end);
        rest.start = rows.end;
        if rest.start >= rest.end {
            self.ranges.pop();
        }
        Some(rows)
    }

    fn batch(&self, rows: Range<u32>) -> Result<RecordBatch, Error> {
        let built = |source| Error::Columns { segment: self.reader.meta().id.clone(), source };
        let mut page = PageReader::run(self.reader, rows);
        page.need(&self.fields)?;
        let batch = page.batch(&self.fields, &self.schema)?.map_err(built)?;
        if self.window == (None, None) {
            return Ok(batch);
        }
        let (from, to) = self.window;
        let inside = |row| {
            let sort_at = page.row(row)?.sort_at();
            let inside = |at| from.is_none_or(|from| at >= from) && to.is_none_or(|to| at < to);
            Ok(sort_at.is_some_and(inside))
        };
        let mask: BooleanArray =
            (0..page.n_rows()).map(inside).collect::<Result<Vec<bool>, Error>>()?.into();
        filter_record_batch(&batch, &mask).map_err(built)
    }
}

impl Iterator for ArrowBatches<'_> {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = self.take()?;
        Some(self.batch(rows))
    }
}

impl PageReader<'_> {
    /// Returns the rows as a record batch of some fields, which [`PageReader::need`] was told of.
    pub(crate) fn batch(
        &self,
        fields: &[Field],
        schema: &SchemaRef,
    ) -> Result<Result<RecordBatch, ArrowError>, Error> {
        // Rows that are stored with their bytes are read one by one.
        let sections = self.columns().column(SECTIONS);
        let by_columns = sections.is_none_or(Column::is_absent);
        let mut arrays = Vec::with_capacity(fields.len());
        for field in fields {
            let array = match self.columns().of_field(*field) {
                Some(column) if by_columns => whole(*field, column),
                _ => self.one_by_one(*field)?,
            };
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.n_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options))
    }

    fn one_by_one(&self, field: Field) -> Result<ArrayRef, Error> {
        let mut texts = StringBuilder::new();
        let mut numbers = Int64Builder::new();
        let mut truths = BooleanBuilder::new();
        for row in 0..self.n_rows() {
            let row = self.row(row)?;
            match (field.kind(), row.get(field)) {
                (_, Some(ValueRef::Text(text) | ValueRef::Json(text))) => texts.append_value(text),
                (_, Some(ValueRef::Id(id))) => texts.append_value(id.to_string()),
                (_, Some(ValueRef::Int(int))) => numbers.append_value(int),
                (_, Some(ValueRef::Time(at))) => numbers.append_value(at.0),
                (_, Some(ValueRef::Bool(truth))) => truths.append_value(truth),
                (FieldKind::Int(..) | FieldKind::Time, None) => numbers.append_null(),
                (FieldKind::Bool, None) => truths.append_null(),
                (_, None) => texts.append_null(),
            }
        }
        Ok(match field.kind() {
            FieldKind::Int(..) => Arc::new(numbers.finish()),
            FieldKind::Time => times(&numbers.finish()),
            FieldKind::Bool => Arc::new(truths.finish()),
            _ => text(field, texts.finish()),
        })
    }
}

/// Returns a column as an array of the field's type.
fn whole(field: Field, column: &Column) -> ArrayRef {
    let rows = || 0..column.n_rows();
    match (field.kind(), column) {
        (FieldKind::Int(..), _) => Arc::new(column.ints()),
        (FieldKind::Time, _) => times(&column.ints()),
        (FieldKind::Bool, Column::Bool(array)) => Arc::new(array.clone()),
        (FieldKind::Bool, _) => {
            Arc::new(rows().map(|row| column.truth(row)).collect::<BooleanArray>())
        }
        (_, Column::Text(array)) => text(field, array.clone()),
        (_, Column::Coded(codes, dictionary)) if is_coded(field) => coded(codes, dictionary),
        _ => text(field, rows().map(|row| column.text(row)).collect()),
    }
}

/// Returns objects as an array: a dictionary where the column has codes.
pub(crate) fn objects(column: &Column) -> ArrayRef {
    match column {
        Column::Coded(codes, dictionary) => coded(codes, dictionary),
        Column::Text(array) => Arc::new(array.clone()),
        _ => Arc::new(StringArray::new_null(column.n_rows())),
    }
}

/// Returns the texts of codes as a dictionary. A row without a text is null by its code, not by
/// its value: that is what most readers look at.
fn coded(codes: &[u32], dictionary: &Dictionary) -> ArrayRef {
    let values = dictionary.array();
    let nulls = nulls(codes, &values);
    // Every code is one of the dictionary, so that an array without its nulls is one, too.
    let code = |code: &u32| if *code == Column::NO_CODE { 0 } else { *code };
    let codes: Vec<u32> = codes.iter().map(code).collect();
    dictionary_of(UInt32Array::new(codes.into(), nulls), values)
}

/// Returns texts as an array of the field's type.
fn text(field: Field, texts: StringArray) -> ArrayRef {
    if !is_coded(field) {
        return Arc::new(texts);
    }
    let n_rows = crate::numbers::short(texts.len());
    let codes: UInt32Array =
        (0..n_rows).zip(texts.iter()).map(|(code, text)| text.map(|_| code)).collect();
    dictionary_of(codes, Arc::new(texts))
}

#[expect(
    clippy::expect_used,
    reason = "the codes were compared with the values when both were read"
)]
fn dictionary_of(codes: UInt32Array, values: ArrayRef) -> ArrayRef {
    Arc::new(DictionaryArray::<UInt32Type>::try_new(codes, values).expect("codes have values"))
}

/// Returns the rows of a batch that a mask selects.
pub(crate) fn selected(
    batch: &RecordBatch,
    mask: &BooleanArray,
) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(|array| without_nulls(array, mask)).collect();
    // A batch may have no columns: rows are counted, too.
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let batch = RecordBatch::try_new_with_options(batch.schema(), columns, &options)?;
    filter_record_batch(&batch, mask)
}

/// Returns an array without its nulls where no selected row is null: nulls cost more to filter
/// than values do.
fn without_nulls(array: &ArrayRef, mask: &BooleanArray) -> ArrayRef {
    let n_selected = mask.true_count();
    let all_there = array.nulls().is_some_and(|nulls| {
        (nulls.inner() & mask.values()).count_set_bits() == n_selected && n_selected > 0
    });
    if !all_there {
        return Arc::clone(array);
    }
    if let Some(ints) = array.as_primitive_opt::<Int64Type>() {
        return Arc::new(Int64Array::new(ints.values().clone(), None));
    }
    if let Some(coded) = array.as_dictionary_opt::<UInt32Type>() {
        let codes = UInt32Array::new(coded.keys().values().clone(), None);
        return dictionary_of(codes, Arc::clone(coded.values()));
    }
    Arc::clone(array)
}

fn times(micros: &Int64Array) -> ArrayRef {
    use arrow_array::types::TimestampMicrosecondType;
    Arc::new(micros.reinterpret_cast::<TimestampMicrosecondType>().with_timezone(UTC))
}
