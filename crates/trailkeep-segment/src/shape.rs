//! Shapes: what rows have in the fields that mostly follow from one another, as one text.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::{Array, StringArray};
use trailkeep_event::{Field, Fields, Row, RowBuilder, Section, ValueRef, write_section};

use crate::column::Column;
use crate::layout::SHAPED;
use crate::numbers::short;
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
    known: HashSet<Box<str>>,
    scratch: Vec<u8>,
}

impl Shapes {
    /// Takes the shape out of a row's values and returns its text; `None` where the row has to be
    /// stored without one.
    pub(crate) fn take(&mut self, values: &mut Values<'_>) -> Option<&str> {
        self.scratch.clear();
        write_shape(&Shaped(values), &mut self.scratch);
        let text = std::str::from_utf8(&self.scratch).ok()?;
        if !self.known.contains(text) {
            if self.known.len() >= SHAPES_MAX || text.len() > SHAPE_BYTES_MAX {
                return None;
            }
            self.known.insert(text.into());
        }
        for field in SHAPED {
            values.replace(field, None);
        }
        Some(text)
    }
}

/// The shaped fields of a row, and no others.
struct Shaped<'a, 'v>(&'a Values<'v>);

impl Fields for Shaped<'_, '_> {
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
