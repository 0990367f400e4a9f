//! Builds batches row by row.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    BooleanBuilder, Int64Builder, StringDictionaryBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::types::UInt32Type;
use trailkeep_event::{Field, Fields, Micros, ValueRef};

use crate::columns::{Batch, Shape, Wanted};

/// Rows on their way to a batch.
pub(crate) struct RowBatch {
    columns: Vec<(Wanted, Builder)>,
    n_rows: usize,
}

enum Builder {
    Text(StringDictionaryBuilder<UInt32Type>),
    Int(Int64Builder),
    Bool(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
}

impl RowBatch {
    pub(crate) fn new(wanted: &[Wanted]) -> Self {
        let builder = |wanted: &Wanted| {
            let shape = match wanted {
                Wanted::Field(field) => Shape::of(*field),
                Wanted::Metadata(_) => Shape::Text,
                Wanted::SortAt => Shape::Time,
            };
            (wanted.clone(), Builder::of(shape))
        };
        Self { columns: wanted.iter().map(builder).collect(), n_rows: 0 }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub(crate) fn push(&mut self, row: &impl Fields, sort_at: Micros) {
        for (wanted, builder) in &mut self.columns {
            let value = match wanted {
                Wanted::Field(field) => row.get(*field),
                Wanted::Metadata(_) => row.get(Field::Metadata),
                Wanted::SortAt => Some(ValueRef::Time(sort_at)),
            };
            builder.push(value);
        }
        self.n_rows = self.n_rows.saturating_add(1);
    }

    /// Returns the batch and starts the next.
    pub(crate) fn finish(&mut self) -> Batch {
        let columns = self.columns.iter_mut().map(|(_wanted, builder)| builder.finish()).collect();
        Batch { columns, n_rows: std::mem::take(&mut self.n_rows) }
    }
}

impl Builder {
    fn of(shape: Shape) -> Self {
        match shape {
            Shape::Text => Self::Text(StringDictionaryBuilder::new()),
            Shape::Int => Self::Int(Int64Builder::new()),
            Shape::Bool => Self::Bool(BooleanBuilder::new()),
            Shape::Time => Self::Time(TimestampMicrosecondBuilder::new()),
        }
    }

    fn push(&mut self, value: Option<ValueRef<'_>>) {
        match (self, value) {
            // A batch has fewer rows than its keys can count.
            (Self::Text(builder), Some(ValueRef::Text(text) | ValueRef::Json(text))) => {
                builder.append_value(text);
            }
            (Self::Text(builder), Some(ValueRef::Id(id))) => builder.append_value(id.to_string()),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Int(builder), value) => {
                builder.append_option(value.and_then(ValueRef::as_int));
            }
            (Self::Bool(builder), Some(ValueRef::Bool(truth))) => builder.append_value(truth),
            (Self::Bool(builder), _) => builder.append_null(),
            (Self::Time(builder), value) => {
                builder.append_option(value.and_then(ValueRef::as_time).map(|at| at.0));
            }
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
        }
    }
}
