//! Makes a table of what the engine gives.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, Schema, TimeUnit};
use trailkeep_event::Micros;

use crate::bounds::Bounds;
use crate::{Cell, CellKind, Column, Error, Table};

/// An answer on its way.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    table: Table,
    kinds: Vec<Read>,
    bounds: &'a Bounds,
}

/// How values of a type are read.
#[derive(Clone, Copy, Debug)]
enum Read {
    Bool,
    Int,
    Float,
    Time,
    Text,
}

impl Read {
    fn of(kind: &DataType) -> Self {
        match kind {
            DataType::Boolean => Self::Bool,
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Self::Time,
            kind if kind.is_integer() => Self::Int,
            kind if kind.is_numeric() => Self::Float,
            _ => Self::Text,
        }
    }

    fn kind(self) -> CellKind {
        match self {
            Self::Bool => CellKind::Bool,
            Self::Int | Self::Float => CellKind::Number,
            Self::Time => CellKind::Time,
            Self::Text => CellKind::Text,
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Text => DataType::Utf8,
        }
    }

    fn cell(self, array: &ArrayRef, row: usize) -> Cell {
        if array.is_null(row) {
            return Cell::Null;
        }
        match self {
            Self::Bool => Cell::Bool(array.as_boolean().value(row)),
            Self::Int => Cell::Int(array.as_primitive::<Int64Type>().value(row)),
            Self::Float => Cell::number(array.as_primitive::<Float64Type>().value(row)),
            Self::Time => {
                Cell::Time(Micros(array.as_primitive::<TimestampMicrosecondType>().value(row)))
            }
            Self::Text => Cell::Text(array.as_string::<i32>().value(row).into()),
        }
    }
}

impl<'a> Answer<'a> {
    pub(crate) fn new(schema: &Schema, bounds: &'a Bounds) -> Self {
        let kinds: Vec<Read> =
            schema.fields().iter().map(|field| Read::of(field.data_type())).collect();
        let columns = schema.fields().iter().zip(&kinds).map(|(field, read)| Column {
            name: field.name().clone(),
            kind: read.kind(),
            exact: true,
        });
        let table = Table { columns: columns.collect(), items: Vec::new(), truncated: false };
        Self { table, kinds, bounds }
    }

    /// Takes in a batch.
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let arrays = batch
            .columns()
            .iter()
            .zip(&self.kinds)
            .map(|(array, read)| cast(array, &read.data_type()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Error::Statement { message: error.to_string() })?;
        for row in 0..batch.num_rows() {
            if self.table.items.len() == self.bounds.options.rows_max {
                self.table.truncated = true;
                return Ok(());
            }
            let cells: Vec<Cell> =
                arrays.iter().zip(&self.kinds).map(|(array, read)| read.cell(array, row)).collect();
            self.bounds.take(cells.iter().map(Cell::bytes).fold(0, usize::saturating_add))?;
            self.table.items.push(cells);
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Table {
        self.table
    }
}
