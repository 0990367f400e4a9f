//! The columns of a batch of rows.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, TimestampMicrosecondArray};
use trailkeep_event::{Field, FieldKind};

use crate::path::FieldPath;

/// A column of a batch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Wanted {
    Field(Field),
    /// Objects that have at this path what `metadata` has there, and maybe nothing else.
    Metadata(Arc<[String]>),
    /// The time that lists sort by.
    SortAt,
}

impl Wanted {
    /// Returns the column in which a path is looked up.
    pub(crate) fn of(path: &FieldPath) -> Self {
        match path.field() {
            Field::Metadata if !path.member().is_empty() => Self::Metadata(path.member().into()),
            field => Self::Field(field),
        }
    }
}

/// What a column's values look like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    /// Texts, most of them behind a dictionary; JSON too.
    Text,
    Int,
    Bool,
    Time,
}

impl Shape {
    pub(crate) fn of(field: Field) -> Self {
        match field.kind() {
            FieldKind::Int(..) => Self::Int,
            FieldKind::Bool => Self::Bool,
            FieldKind::Time => Self::Time,
            FieldKind::Id
            | FieldKind::Text
            | FieldKind::Enum(_)
            | FieldKind::Object
            | FieldKind::Json
            | FieldKind::Headers => Self::Text,
        }
    }
}

/// Some rows, column by column.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) columns: Vec<ArrayRef>,
    pub(crate) n_rows: usize,
}

impl Batch {
    /// Returns a column as times.
    pub(crate) fn times(&self, column: usize) -> Option<&TimestampMicrosecondArray> {
        self.columns.get(column)?.as_primitive_opt::<TimestampMicrosecondType>()
    }
}

/// Returns the times that lists sort by: the producer's, or ours where its clock was ahead.
pub(crate) fn sort_times(
    occurred: &TimestampMicrosecondArray,
    created: &TimestampMicrosecondArray,
    skewed: &ArrayRef,
) -> ArrayRef {
    let skewed = skewed.as_boolean();
    let at = |row: usize| {
        let ours = skewed.is_valid(row) && skewed.value(row);
        if ours { created.value(row) } else { occurred.value(row) }
    };
    Arc::new((0..occurred.len()).map(at).map(Some).collect::<TimestampMicrosecondArray>())
}
