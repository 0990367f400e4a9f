//! Rows of several runs on their way into one batch.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, FixedSizeBinaryBuilder, Int32Builder, Int64Builder,
    StringBuilder, TimestampMicrosecondBuilder, TimestampMillisecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, SchemaRef};

use super::{Run, Stretch};
use crate::column::Column;
use crate::expected::FileColumns;
use crate::layout::{ColumnKind, SHAPE, WRITE_BATCH_ROWS, column_kind};
use crate::row_writer::{CHUNK_BYTES, CHUNK_ROWS};
use crate::shape::Shapes;

/// The rows that come next, and the runs that they and the rows after them are in.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    runs: Vec<Run>,
    stretches: Vec<Stretch>,
    n_rows: usize,
    n_bytes: usize,
}

impl Chunk {
    /// Adds a run and returns its number.
    pub(super) fn add(&mut self, run: Run) -> usize {
        self.runs.push(run);
        self.runs.len().saturating_sub(1)
    }

    pub(super) fn run(&self, number: usize) -> Option<&Run> {
        self.runs.get(number)
    }

    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Returns how many rows may come before the chunk can next be written, which is also before
    /// the end of a page.
    pub(super) fn n_rows_to_border(&self) -> usize {
        WRITE_BATCH_ROWS.saturating_sub(self.n_rows % WRITE_BATCH_ROWS)
    }

    /// Tells whether the chunk can and should be written.
    pub(super) fn is_full(&self) -> bool {
        self.n_rows.is_multiple_of(WRITE_BATCH_ROWS)
            && (self.n_rows >= CHUNK_ROWS || self.n_bytes >= CHUNK_BYTES)
    }

    /// Adds rows of a run.
    pub(super) fn push(&mut self, stretch: Stretch) {
        let row_bytes = self.run(stretch.run).map_or(0, Run::row_bytes);
        let n_rows = stretch.rows.len();
        self.n_rows = self.n_rows.saturating_add(n_rows);
        self.n_bytes = self.n_bytes.saturating_add(row_bytes.saturating_mul(n_rows));
        self.stretches.push(stretch);
    }

    /// Starts again without rows; keeps the runs that heads are in.
    pub(super) fn clear(&mut self, heads: &mut [Option<(usize, usize)>]) {
        let mut old: Vec<Option<Run>> =
            std::mem::take(&mut self.runs).into_iter().map(Some).collect();
        for (number, _row) in heads.iter_mut().flatten() {
            if let Some(run) = old.get_mut(*number).and_then(Option::take) {
                *number = self.add(run);
            }
        }
        self.stretches.clear();
        (self.n_rows, self.n_bytes) = (0, 0);
    }

    /// Returns the columns of the rows.
    pub(super) fn batch(
        &self,
        file: &FileColumns,
        schema: SchemaRef,
        shapes: &Shapes,
    ) -> Result<RecordBatch, ArrowError> {
        let array = |column: &usize| match *column {
            SHAPE => shapes.texts(self.each_code()),
            column => self.array(column),
        };
        RecordBatch::try_new(schema, file.stored.iter().map(array).collect())
    }

    fn each_code(&self) -> impl Iterator<Item = u32> {
        self.stretches.iter().flat_map(|stretch| {
            let codes =
                self.run(stretch.run).and_then(|run| run.shapes().get(stretch.rows.clone()));
            codes.unwrap_or(&[]).iter().copied()
        })
    }

    fn array(&self, column: usize) -> ArrayRef {
        match column_kind(column) {
            ColumnKind::Text | ColumnKind::Shape => {
                let mut texts = StringBuilder::with_capacity(self.n_rows, 0);
                self.each(column, |values, row| texts.append_option(values.text(row)));
                Arc::new(texts.finish())
            }
            ColumnKind::Int => {
                let mut numbers = Int64Builder::with_capacity(self.n_rows);
                self.each(column, |values, row| numbers.append_option(values.int(row)));
                Arc::new(numbers.finish())
            }
            ColumnKind::Bool => {
                let mut truths = BooleanBuilder::with_capacity(self.n_rows);
                self.each(column, |values, row| truths.append_option(values.truth(row)));
                Arc::new(truths.finish())
            }
            ColumnKind::Time => {
                let mut times = TimestampMicrosecondBuilder::with_capacity(self.n_rows);
                self.each(column, |values, row| times.append_option(values.int(row)));
                Arc::new(times.with_timezone("UTC").finish())
            }
            ColumnKind::Millis => {
                let mut times = TimestampMillisecondBuilder::with_capacity(self.n_rows);
                self.each(column, |values, row| times.append_option(values.int(row)));
                Arc::new(times.with_timezone("UTC").finish())
            }
            ColumnKind::Small => {
                let mut numbers = Int32Builder::with_capacity(self.n_rows);
                let small = |number: i64| i32::try_from(number).ok();
                self.each(column, |values, row| {
                    numbers.append_option(values.int(row).and_then(small));
                });
                Arc::new(numbers.finish())
            }
            ColumnKind::Bytes => {
                let mut runs = BinaryBuilder::new();
                self.each(column, |values, row| runs.append_option(values.bytes(row)));
                Arc::new(runs.finish())
            }
            ColumnKind::Uuid => {
                let mut uuids = FixedSizeBinaryBuilder::with_capacity(self.n_rows, 16);
                self.each(column, |values, row| match values.uuid(row) {
                    // Of the builder's width: it cannot fail.
                    Some(uuid) => drop(uuids.append_value(uuid)),
                    None => uuids.append_null(),
                });
                Arc::new(uuids.finish())
            }
        }
    }

    /// Calls `visit` with each row of a column.
    fn each(&self, column: usize, mut visit: impl FnMut(&Column, usize)) {
        for stretch in &self.stretches {
            let absent = Column::Absent(0);
            let values = self.run(stretch.run).and_then(|run| run.column(column));
            let values = values.unwrap_or(&absent);
            for row in stretch.rows.clone() {
                visit(values, row);
            }
        }
    }
}
