//! Digests the sections of rows as columns give them back.

use std::sync::Arc;

use trailkeep_event::{Field, Fields, SectionsDigest, ValueRef, sections_digest};

use crate::column::Column;
use crate::columns::Columns;
use crate::layout::SHAPED;
use crate::numbers::{index, short};
use crate::page::{Dictionary, NO_CODE};

/// Digests rows; keeps what it wrote of the values of shapes for the next run of rows.
#[derive(Debug, Default)]
pub(crate) struct Digester {
    shapes: Option<(Arc<Dictionary>, Vec<Written>)>,
    scratch: Vec<u8>,
}

impl Digester {
    /// Returns the digest of each row. `shapes` has the shapes of the rows.
    pub(crate) fn digests(&mut self, columns: &Columns, shapes: &Column) -> Vec<SectionsDigest> {
        if let Column::Coded(_, dictionary) = shapes
            && self.shapes.as_ref().is_none_or(|(held, _)| !Arc::ptr_eq(held, dictionary))
        {
            let written = (0..SHAPED.len()).map(|place| Written::of(dictionary, place)).collect();
            self.shapes = Some((Arc::clone(dictionary), written));
        }
        let written = self.shapes.as_ref().map_or(&[][..], |(_, written)| written);
        let mut sources = [Source::Absent; Field::IN_ROW];
        for (field, source) in Field::in_row().zip(&mut sources) {
            *source = match columns.of_field(field) {
                None | Some(Column::Absent(_)) => Source::Absent,
                Some(column) => Source::of(field, column, written),
            };
        }
        let row = |row| sections_digest(&RowOf { sources: &sources, row }, &mut self.scratch);
        (0..columns.n_rows()).map(row).collect()
    }
}

/// Where the values of a field are.
#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Absent,
    Written(&'a [u32], &'a Written),
    Column(&'a Column),
}

impl<'a> Source<'a> {
    fn of(field: Field, column: &'a Column, written: &'a [Written]) -> Self {
        let place = SHAPED.iter().position(|shaped| *shaped == field);
        match (column, place.and_then(|place| written.get(place))) {
            // A column of codes stands for the shapes where no row is without one.
            (Column::Coded(codes, dictionary), Some(written)) if written.is_of(dictionary) => {
                Self::Written(codes, written)
            }
            _ => Self::Column(column),
        }
    }
}

/// The values of a dictionary, each as a member of canonical JSON.
#[derive(Debug)]
struct Written {
    dictionary: Option<Arc<Dictionary>>,
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Written {
    /// Writes what shapes have in a shaped field, by its place among them.
    fn of(shapes: &Dictionary, place: usize) -> Self {
        let mut written = Self {
            dictionary: shapes.member(place).map(Arc::clone),
            bytes: Vec::new(),
            ends: vec![0],
        };
        let Some((dictionary, field)) = written.dictionary.as_ref().zip(SHAPED.get(place)) else {
            return written;
        };
        for code in 0..short(shapes.len()) {
            One(dictionary.value(*field, code)).write_member(*field, &mut written.bytes);
            written.ends.push(short(written.bytes.len()));
        }
        written
    }

    fn is_of(&self, dictionary: &Arc<Dictionary>) -> bool {
        self.dictionary.as_ref().is_some_and(|held| Arc::ptr_eq(held, dictionary))
    }

    fn member(&self, code: u32) -> &[u8] {
        let end = |at: usize| self.ends.get(at).map_or(0, |end| index(*end));
        let at = index(code);
        self.bytes.get(end(at)..end(at.saturating_add(1))).unwrap_or(&[])
    }
}

/// One value.
struct One<'a>(Option<ValueRef<'a>>);

impl Fields for One<'_> {
    fn get(&self, _field: Field) -> Option<ValueRef<'_>> {
        self.0
    }
}

/// One row.
struct RowOf<'a> {
    sources: &'a [Source<'a>; Field::IN_ROW],
    row: usize,
}

impl Fields for RowOf<'_> {
    fn get(&self, field: Field) -> Option<ValueRef<'_>> {
        match self.sources.get(usize::from(field.number()))? {
            Source::Absent => None,
            Source::Column(column) => column.value(field, self.row),
            Source::Written(codes, written) => {
                written.dictionary.as_ref()?.value(field, *codes.get(self.row)?)
            }
        }
    }

    #[inline]
    fn write_member(&self, field: Field, out: &mut Vec<u8>) {
        match self.sources.get(usize::from(field.number())) {
            None | Some(Source::Absent) => {}
            Some(Source::Written(codes, written)) => {
                let code = codes.get(self.row).copied().unwrap_or(NO_CODE);
                out.extend_from_slice(written.member(code));
            }
            Some(Source::Column(column)) => {
                One(column.value(field, self.row)).write_member(field, out);
            }
        }
    }
}
