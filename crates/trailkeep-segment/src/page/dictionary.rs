//! The values that the codes of a column stand for.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, NullArray, StringArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use trailkeep_event::{Field, FieldKind, Fields, Row, ValueRef};

use super::picks::Picks;
use super::plain;
use crate::layout::{ColumnKind, SHAPED};
use crate::numbers::{index, long};
use crate::shape::read_shape;

/// The values that the codes of a column in one row group stand for.
#[derive(Debug)]
pub struct Dictionary(Values);

#[derive(Debug)]
enum Values {
    Text(StringArray),
    Int(Int64Array),
    Bool(BooleanArray),
    /// How many shapes there are, and for each shaped field the values that they have.
    Shapes(usize, Vec<Arc<Dictionary>>),
}

impl Dictionary {
    /// Reads the body of a dictionary page; `None` where it is none.
    pub(crate) fn read(kind: ColumnKind, body: &[u8], n_values: usize) -> Option<Self> {
        // Each value takes at least a byte of the body, so that the count cannot ask for much.
        if n_values > body.len() {
            return None;
        }
        let places = Picks::Range(0..n_values);
        Some(Self(match kind {
            ColumnKind::Text => Values::Text(texts(body, n_values)?),
            ColumnKind::Shape => return Self::shapes(&texts(body, n_values)?),
            ColumnKind::Int | ColumnKind::Time | ColumnKind::Millis | ColumnKind::Small => {
                let mut numbers = Vec::with_capacity(n_values);
                match kind {
                    ColumnKind::Small => plain::smalls(body, &places, &mut numbers)?,
                    _ => plain::longs(body, &places, &mut numbers)?,
                }
                Values::Int(numbers.into())
            }
            ColumnKind::Bool | ColumnKind::Bytes | ColumnKind::Uuid => return None,
        }))
    }

    /// Reads shapes; `None` where one is none.
    pub(crate) fn shapes(shapes: &StringArray) -> Option<Self> {
        let shapes: Vec<Row> =
            shapes.iter().map(|text| read_shape(text?)).collect::<Option<_>>()?;
        let member = |field: &Field| {
            let values = || shapes.iter().map(|shape| shape.get(*field));
            Arc::new(Self(match field.kind() {
                FieldKind::Int(..) => {
                    Values::Int(values().map(|value| value.and_then(ValueRef::as_int)).collect())
                }
                FieldKind::Bool => Values::Bool(
                    values().map(|value| value.map(|it| it == ValueRef::Bool(true))).collect(),
                ),
                _ => {
                    Values::Text(values().map(|value| value.and_then(ValueRef::as_text)).collect())
                }
            }))
        };
        let members = SHAPED.iter().map(member).collect();
        Some(Self(Values::Shapes(shapes.len(), members)))
    }

    /// Returns what the shapes have in a shaped field, by its place among them.
    pub(crate) fn member(&self, place: usize) -> Option<&Arc<Self>> {
        match &self.0 {
            Values::Shapes(_, members) => members.get(place),
            Values::Text(_) | Values::Int(_) | Values::Bool(_) => None,
        }
    }

    /// Returns how many values there are; codes are smaller.
    pub fn len(&self) -> usize {
        match &self.0 {
            Values::Text(texts) => texts.len(),
            Values::Int(numbers) => numbers.len(),
            Values::Bool(truths) => truths.len(),
            Values::Shapes(n_shapes, _) => *n_shapes,
        }
    }

    /// Tells whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells whether no code stands for a value.
    pub(crate) fn has_no_value(&self) -> bool {
        match &self.0 {
            Values::Text(texts) => texts.null_count() == texts.len(),
            Values::Int(numbers) => numbers.null_count() == numbers.len(),
            Values::Bool(truths) => truths.null_count() == truths.len(),
            Values::Shapes(n_shapes, _) => *n_shapes == 0,
        }
    }

    /// Returns the text of a code; a code may stand for no value.
    pub fn text(&self, code: u32) -> Option<&str> {
        let code = index(code);
        match &self.0 {
            Values::Text(texts) if code < texts.len() && texts.is_valid(code) => {
                Some(texts.value(code))
            }
            _ => None,
        }
    }

    /// Returns the number of a code.
    pub fn int(&self, code: u32) -> Option<i64> {
        let code = index(code);
        match &self.0 {
            Values::Int(numbers) if code < numbers.len() && numbers.is_valid(code) => {
                Some(numbers.value(code))
            }
            _ => None,
        }
    }

    /// Returns the truth value of a code.
    pub fn truth(&self, code: u32) -> Option<bool> {
        let code = index(code);
        match &self.0 {
            Values::Bool(truths) if code < truths.len() && truths.is_valid(code) => {
                Some(truths.value(code))
            }
            _ => None,
        }
    }

    /// Returns the values as an Arrow array, shared.
    pub fn array(&self) -> ArrayRef {
        match &self.0 {
            Values::Text(texts) => Arc::new(texts.clone()),
            Values::Int(numbers) => Arc::new(numbers.clone()),
            Values::Bool(truths) => Arc::new(truths.clone()),
            Values::Shapes(n_shapes, _) => Arc::new(NullArray::new(*n_shapes)),
        }
    }

    /// Returns the values, where they are texts.
    pub(crate) fn texts(&self) -> Option<&StringArray> {
        match &self.0 {
            Values::Text(texts) => Some(texts),
            _ => None,
        }
    }

    /// Returns the values, where they are numbers.
    pub(crate) fn ints(&self) -> Option<&Int64Array> {
        match &self.0 {
            Values::Int(numbers) => Some(numbers),
            _ => None,
        }
    }

    /// Tells whether the values are texts.
    pub(crate) fn has_texts(&self) -> bool {
        matches!(self.0, Values::Text(_))
    }

    /// Returns how much memory the values take.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.0 {
            Values::Text(texts) => long(texts.get_array_memory_size()),
            Values::Int(numbers) => long(numbers.get_array_memory_size()),
            Values::Bool(truths) => long(truths.get_array_memory_size()),
            Values::Shapes(_, members) => members.iter().map(|member| member.bytes()).sum(),
        }
    }
}

fn texts(body: &[u8], n_values: usize) -> Option<StringArray> {
    let mut bytes = Vec::with_capacity(body.len());
    let mut ends = Vec::with_capacity(n_values.saturating_add(1));
    ends.push(0);
    plain::texts(body, &Picks::Range(0..n_values), &mut bytes, &mut ends)?;
    let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
    StringArray::try_new(ends, bytes.into(), None).ok()
}
