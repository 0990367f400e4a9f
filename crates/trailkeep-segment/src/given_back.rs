//! Compares rows with what columns give back of them.

use trailkeep_event::{Field, Fields, RowRef, ValueRef};

use crate::column::Column;
use crate::columns::Columns;

/// What columns give back of a run of rows.
#[derive(Debug)]
pub(crate) struct GivenBack<'a> {
    /// The columns of the fields that some row has, by field number.
    columns: [Option<&'a Column>; Field::IN_ROW],
}

impl<'a> GivenBack<'a> {
    /// Looks at columns.
    pub(crate) fn of(columns: &'a Columns) -> Self {
        let mut found = [None; Field::IN_ROW];
        for (field, slot) in Field::in_row().zip(&mut found) {
            *slot = columns.of_field(field).filter(|column| !column.is_absent());
        }
        Self { columns: found }
    }

    /// Tells whether a row of the run has the values that it should have, and none besides: then
    /// its section bytes, which are made of its values alone, are the same, too.
    pub(crate) fn equals(&self, number: usize, row: RowRef<'_>) -> bool {
        row.equals(&Numbered { columns: &self.columns, number })
    }
}

/// One row of the run.
struct Numbered<'a> {
    columns: &'a [Option<&'a Column>; Field::IN_ROW],
    number: usize,
}

impl Fields for Numbered<'_> {
    #[inline]
    fn get(&self, field: Field) -> Option<ValueRef<'_>> {
        let column = (*self.columns.get(usize::from(field.number()))?)?;
        column.value(field, self.number)
    }
}
