//! Shapes: what rows have in the fields that mostly follow from one another, as one text.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, StringArray};
use trailkeep_event::{Field, Fields, Row, RowBuilder, Section, ValueRef, write_section};

use crate::column::Column;
use crate::layout::SHAPED;
use crate::numbers::{index, short};
use crate::page::{Dictionary, NO_CODE};
use crate::values::Values;
use crate::verbatim::read_members;

/// The most shapes of one segment; rows of others are stored without one.
const SHAPES_MAX: usize = 4096;
/// The longest shape.
const SHAPE_BYTES_MAX: usize = 2048;

/// Finds the shapes of rows while there are few.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    /// The code of each, by the values in [`Shapes::key`].
    known: HashMap<Box<[u8]>, u32>,
    texts: Vec<Box<str>>,
    /// The codes of the rows since the last [`Shapes::finish`].
    codes: Vec<u32>,
    /// What the codes stood for then.
    dictionary: Option<Arc<Dictionary>>,
    key: Vec<u8>,
}

impl Shapes {
    /// Takes the shape out of a row's values and keeps its code, or leaves the row without one.
    pub(crate) fn take(&mut self, values: &mut Values<'_>) {
        let code = self.code(values);
        if code != NO_CODE {
            for field in SHAPED {
                values.replace(field, None);
            }
        }
        self.codes.push(code);
    }

    /// Returns the code of a row's shape; [`NO_CODE`] where the row has to be stored without one.
    pub(crate) fn code(&mut self, values: &impl Fields) -> u32 {
        self.key.clear();
        for field in SHAPED {
            push_value(values.get(field), &mut self.key);
        }
        if let Some(code) = self.known.get(self.key.as_slice()) {
            return *code;
        }
        let mut text = Vec::new();
        if self.texts.len() < SHAPES_MAX && self.key.len() <= SHAPE_BYTES_MAX {
            write_shape(&Shaped(values), &mut text);
        }
        let text = String::from_utf8(text).unwrap_or_default();
        if text.is_empty() || text.len() > SHAPE_BYTES_MAX {
            return NO_CODE;
        }
        let code = short(self.texts.len());
        self.texts.push(text.into());
        self.known.insert(self.key.as_slice().into(), code);
        code
    }

    /// Returns the shapes of the rows so far, and starts again without rows.
    pub(crate) fn finish(&mut self) -> Column {
        let codes = std::mem::take(&mut self.codes);
        let dictionary = self.dictionary.take().filter(|held| held.len() == self.texts.len());
        // A shape that is none is found out when the rows are compared with their columns.
        let made = || Dictionary::shapes(&StringArray::from_iter_values(&self.texts)).map(Arc::new);
        self.dictionary = dictionary.or_else(made);
        match &self.dictionary {
            Some(dictionary) if !self.texts.is_empty() => {
                Column::Coded(codes.into(), Arc::clone(dictionary))
            }
            _ => Column::Absent(codes.len()),
        }
    }

    /// Returns the texts of codes.
    pub(crate) fn texts(&self, codes: impl Iterator<Item = u32>) -> ArrayRef {
        let text = |code: u32| self.texts.get(index(code)).map(|text| &**text);
        Arc::new(codes.map(text).collect::<StringArray>())
    }

    /// Returns what the shape of a code has.
    pub(crate) fn row(&self, code: u32) -> Option<Row> {
        self.texts.get(index(code)).and_then(|text| read_shape(text))
    }
}

/// Appends a value so that no other one, and none, appends the same.
fn push_value(value: Option<ValueRef<'_>>, out: &mut Vec<u8>) {
    match value {
        Some(ValueRef::Text(text) | ValueRef::Json(text)) => {
            out.push(1);
            out.extend_from_slice(&short(text.len()).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        Some(ValueRef::Int(int)) => {
            out.push(2);
            out.extend_from_slice(&int.to_le_bytes());
        }
        Some(ValueRef::Bool(truth)) => out.push(if truth { 4 } else { 3 }),
        _ => out.push(0),
    }
}

/// The shaped fields of a row, and no others.
struct Shaped<'a, F>(&'a F);

impl<F: Fields> Fields for Shaped<'_, F> {
    fn get(&self, field: Field) -> Option<ValueRef<'_>> {
        SHAPED.contains(&field).then(|| self.0.get(field)).flatten()
    }
}

/// Appends one JSON object of the fields of all sections.
fn write_shape(fields: &impl Fields, out: &mut Vec<u8>) {
    for section in Section::ALL {
        let start = out.len();
        if write_section(fields, section, out) && start > 0 {
            // The object before goes on: its end and this one's start become a comma.
            out.remove(start);
            if let Some(end) = start.checked_sub(1).and_then(|end| out.get_mut(end)) {
                *end = b',';
            }
        }
    }
    if out.is_empty() {
        out.extend_from_slice(b"{}");
    }
}

/// Reads what a shape has; `None` where it is none.
pub(crate) fn read_shape(text: &str) -> Option<Row> {
    let mut builder = RowBuilder::default();
    if text != "{}" {
        read_members(text, &|field| SHAPED.contains(&field), &mut builder)?;
    }
    Some(builder.finish())
}

/// Gives each text of shapes a code, so that each is read once.
pub(crate) fn coded(texts: &StringArray) -> Option<Column> {
    let mut codes_of: HashMap<&str, u32> = HashMap::new();
    let mut distinct: Vec<&str> = Vec::new();
    let mut codes = Vec::with_capacity(texts.len());
    for text in texts {
        let Some(text) = text else {
            codes.push(NO_CODE);
            continue;
        };
        codes.push(*codes_of.entry(text).or_insert_with(|| {
            distinct.push(text);
            short(distinct.len()).saturating_sub(1)
        }));
    }
    if distinct.is_empty() {
        return Some(Column::Absent(texts.len()));
    }
    let dictionary = Dictionary::shapes(&StringArray::from(distinct))?;
    Some(Column::Coded(codes.into(), Arc::new(dictionary)))
}
