//! One row of a segment, read in place.

use trailkeep_event::{Entry, Field, Fields, Micros, Row, RowBuilder, RowRef, Stamp, ValueRef};

use crate::columns::Columns;
use crate::verbatim::read_sections;

/// One row of a segment. Fields whose columns were not asked for are absent.
#[derive(Debug)]
pub struct ColumnsRow<'a> {
    columns: &'a Columns,
    row: usize,
    /// The row itself, where the columns do not give it back.
    verbatim: Option<Row>,
}

impl<'a> ColumnsRow<'a> {
    /// Reads a row; `None` where its section bytes are not readable.
    pub(crate) fn of(columns: &'a Columns, row: usize) -> Option<Self> {
        let verbatim = match columns.sections(row) {
            Some(bytes) => Some(read_sections(bytes)?),
            None => None,
        };
        Some(Self { columns, row, verbatim })
    }

    /// Returns the time that lists sort by, where the columns that make it are there.
    pub(crate) fn sort_at(&self) -> Option<Micros> {
        if self.columns.clock_skew(self.row)? {
            self.columns.created_at(self.row)
        } else {
            self.get(Field::OccurredAt)?.as_time()
        }
    }

    /// Returns the entry's index in its account's log.
    pub(crate) fn seq(&self) -> Option<u64> {
        self.columns.seq(self.row)
    }

    /// Rebuilds the entry; `None` where a column is absent or holds what no row may hold.
    /// `builder` only lends its memory.
    pub(crate) fn entry(&self, builder: &mut RowBuilder) -> Option<Entry> {
        let created_at = self.columns.created_at(self.row)?;
        let stamp = Stamp {
            id: self.columns.id(self.row)?,
            seq: self.columns.seq(self.row)?,
            created_at,
            clock_skew: self.columns.clock_skew(self.row)?,
            position: self.columns.position(self.row)?,
        };
        if let Some(row) = &self.verbatim {
            return Some(Entry { row: row.clone(), stamp });
        }
        builder.clear();
        for field in Field::in_row() {
            if let Some(value) = self.columns.value(field, self.row) {
                builder.set(field, value);
            }
        }
        let row = builder.finish();
        RowRef::parse(row.as_bytes()).is_ok().then_some(Entry { row, stamp })
    }
}

impl Fields for ColumnsRow<'_> {
    fn get(&self, field: Field) -> Option<ValueRef<'_>> {
        match (field, &self.verbatim) {
            (Field::Id, _) => self.columns.id(self.row).map(ValueRef::Id),
            (_, Some(row)) if field.section().is_some() => row.view().value(field),
            _ => self.columns.value(field, self.row),
        }
    }
}
