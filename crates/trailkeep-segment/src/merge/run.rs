//! Rows of an input in the columns of the result.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use trailkeep_event::{Field, Fields, Micros, ValueRef};

use super::Key;
use super::input::RawRun;
use crate::column::Column;
use crate::compose::{compose, of_shape};
use crate::expected::FileColumns;
use crate::layout::{MEMBERS, METADATA, SHAPE, SHAPED};
use crate::members::Split;
use crate::numbers::index;
use crate::page::{Dictionary, NO_CODE};
use crate::shape::Shapes;

/// Rows of one input's row group in the stored columns of the result.
#[derive(Debug)]
pub(crate) struct Run {
    raw: RawRun,
    /// The codes of the rows' shapes in the result.
    shapes: Vec<u32>,
    /// The rows' paths.
    paths: Column,
    /// About how many bytes a row takes.
    row_bytes: usize,
}

impl Run {
    /// Takes rows as an input has them; `None` where the file lacks a column that they need.
    pub(super) fn new(mut raw: RawRun, file: &FileColumns, shapes: &mut Shapes) -> Option<Self> {
        let paths = compose(usize::from(Field::Path.number()), &raw.members, |part| {
            Ok::<_, std::convert::Infallible>(raw.column(part))
        });
        let Ok(paths) = paths;
        let codes = recode(&mut raw, shapes);
        if !raw.members.keys().eq(file.members.keys()) {
            divide(&mut raw, file);
        }
        let lacks = |(column, values): (usize, &Column)| {
            !values.is_absent() && file.stored.binary_search(&column).is_err() && has_any(values)
        };
        if raw.columns.iter().enumerate().any(lacks) {
            return None;
        }
        let bytes = |column: &Column| match column {
            Column::Text(texts) => texts.value_data().len(),
            _ => column.n_rows().saturating_mul(8),
        };
        let n_bytes: usize = raw.columns.iter().map(bytes).sum();
        let row_bytes = n_bytes.checked_div(raw.n_rows).unwrap_or(0);
        Some(Self { raw, shapes: codes, paths, row_bytes })
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.raw.n_rows
    }

    pub(super) fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    /// Returns the input and its row group, which the codes of columns belong to.
    pub(crate) fn source(&self) -> (usize, usize) {
        (self.raw.input, self.raw.group)
    }

    /// Returns a stored column of the result, but for the shapes.
    pub(crate) fn column(&self, column: usize) -> Option<&Column> {
        self.raw.columns.get(column)
    }

    /// Returns the shapes' codes in the result.
    pub(crate) fn shapes(&self) -> &[u32] {
        &self.shapes
    }

    /// Returns the rows' paths, put together.
    pub(crate) fn paths(&self) -> &Column {
        &self.paths
    }

    /// Returns a row's place in the order.
    pub(super) fn key(&self, row: usize) -> Option<Key<'_>> {
        let (sort_at, seq) = *self.raw.keys.get(row)?;
        let (_, account) = self.account(row)?;
        Some((account, sort_at, seq))
    }

    /// Returns the end of the rows from one on, so many at most, that come before `next`.
    pub(super) fn end(&self, row: usize, rows_max: usize, next: Option<Key<'_>>) -> usize {
        let Some((end, account)) = self.account(row) else { return self.n_rows() };
        let end = end.min(row.saturating_add(rows_max));
        let Some((_, sort_at, seq)) = next.filter(|(next, ..)| *next == account) else {
            return end;
        };
        let keys = self.raw.keys.get(row..end).unwrap_or(&[]);
        let n_before = keys.partition_point(|key: &(Micros, u64)| *key <= (sort_at, seq));
        row.saturating_add(n_before.max(1))
    }

    /// Returns the account of a row and the number after its last row.
    fn account(&self, row: usize) -> Option<(usize, &str)> {
        let at = self.raw.accounts.partition_point(|(end, _)| *end <= row);
        self.raw.accounts.get(at).map(|(end, account)| (*end, &**account))
    }
}

/// Tells whether a row has a value.
fn has_any(column: &Column) -> bool {
    match column {
        Column::Absent(_) => false,
        Column::Coded(codes, _) => codes.iter().any(|code| *code != NO_CODE),
        Column::Uuid(_, present) => present.count_set_bits() > 0,
        Column::Text(texts) => any(texts),
        Column::Int(numbers) => any(numbers),
        Column::Bool(truths) => any(truths),
        Column::Time(times) => any(times),
        Column::Millis(times) => any(times),
        Column::Small(numbers) => any(numbers),
        Column::Bytes(bytes) => any(bytes),
    }
}

fn any(array: &dyn arrow_array::Array) -> bool {
    array.null_count() < array.len()
}

/// Returns the codes of the rows' shapes in the result. Rows whose shape has none get their
/// values into the fields' own columns.
fn recode(raw: &mut RawRun, shapes: &mut Shapes) -> Vec<u32> {
    let Column::Coded(codes, dictionary) = raw.column(SHAPE) else {
        return vec![NO_CODE; raw.n_rows];
    };
    let mut known = vec![None; dictionary.len()];
    let mut recoded = Vec::with_capacity(codes.len());
    let mut left: Vec<u32> = Vec::new();
    for (row, code) in codes.iter().enumerate() {
        let new = match known.get_mut(index(*code)) {
            None => NO_CODE,
            Some(Some(new)) => *new,
            Some(slot) => {
                *slot.insert(shapes.code(&Shape { dictionary: &dictionary, code: *code }))
            }
        };
        if new == NO_CODE && *code != NO_CODE {
            left.resize(codes.len(), NO_CODE);
            if let Some(slot) = left.get_mut(row) {
                *slot = *code;
            }
        }
        recoded.push(new);
    }
    if !left.is_empty() {
        let left = Column::Coded(left.into(), Arc::clone(&dictionary));
        for (place, field) in SHAPED.iter().enumerate() {
            let column = usize::from(field.number());
            let values = of_shape(raw.column(column), &left, place);
            if let Some(slot) = raw.columns.get_mut(column) {
                *slot = values;
            }
        }
    }
    if let Some(slot) = raw.columns.get_mut(SHAPE) {
        *slot = Column::Absent(raw.n_rows);
    }
    recoded
}

/// A shape of an input.
struct Shape<'a> {
    dictionary: &'a Dictionary,
    code: u32,
}

impl Fields for Shape<'_> {
    fn get(&self, field: Field) -> Option<ValueRef<'_>> {
        let place = SHAPED.iter().position(|shaped| *shaped == field)?;
        self.dictionary.member(place)?.value(field, self.code)
    }
}

/// Divides `metadata` anew, into the members of the result.
fn divide(raw: &mut RawRun, file: &FileColumns) {
    let objects =
        compose(METADATA, &raw.members, |part| Ok::<_, std::convert::Infallible>(raw.column(part)));
    let Ok(objects) = objects;
    let n_members = file.members.len();
    let mut rest = StringBuilder::with_capacity(raw.n_rows, 0);
    let mut members: Vec<StringBuilder> = (0..n_members).map(|_| StringBuilder::new()).collect();
    let mut split = Split::default();
    for row in 0..raw.n_rows {
        split.clear();
        if let Some(object) = objects.text(row) {
            file.members.split(object, &mut split);
        }
        rest.append_option(split.rest());
        for (place, builder) in members.iter_mut().enumerate() {
            builder.append_option(split.member(place));
        }
    }
    raw.columns.truncate(MEMBERS);
    raw.columns.extend(members.into_iter().map(|mut builder| Column::Text(builder.finish())));
    if let Some(slot) = raw.columns.get_mut(METADATA) {
        *slot = Column::Text(rest.finish());
    }
}
