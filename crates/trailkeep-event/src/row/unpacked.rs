//! A row whose values were found: each is read at once.

use super::{Cursor, RowRef, decode};
use crate::field::Shape;
use crate::json::write_opened;
use crate::number::write_int;
use crate::section::{write_time, write_truth};
use crate::{Field, Fields, Micros, ValueRef};

/// A row whose values were found: each is read at once.
#[derive(Clone, Debug)]
pub struct UnpackedRow<'a> {
    bytes: &'a [u8],
    /// Where each value starts; 0, where no value can be, for an absent one.
    starts: [u32; Field::IN_ROW],
}

impl<'a> UnpackedRow<'a> {
    pub(super) fn new(row: RowRef<'a>) -> Self {
        let mut starts = [0; Field::IN_ROW];
        if let Some((presence, mut cursor)) = Cursor::start(row.bytes) {
            for field in presence.fields() {
                let start = row.bytes.len().wrapping_sub(cursor.rest.len());
                if cursor.take(field.shape()).is_none() {
                    break;
                }
                if let Some(slot) = starts.get_mut(usize::from(field.number())) {
                    *slot = u32::try_from(start).unwrap_or(0);
                }
            }
        }
        Self { bytes: row.bytes, starts }
    }

    /// Returns the row from the field's value on.
    #[inline]
    fn cursor(&self, field: Field) -> Option<Cursor<'a>> {
        let start = *self.starts.get(usize::from(field.number())).filter(|start| **start > 0)?;
        Some(Cursor { rest: self.bytes.get(usize::try_from(start).ok()?..)? })
    }
}

impl Fields for UnpackedRow<'_> {
    fn get(&self, field: Field) -> Option<ValueRef<'_>> {
        self.cursor(field)?.take(field.shape()).and_then(|raw| decode(field.shape(), raw))
    }

    /// Does not look whether texts are UTF-8, which they are in a row that was checked.
    #[inline]
    fn write_member(&self, field: Field, out: &mut Vec<u8>) {
        if let Some(cursor) = self.cursor(field) {
            write_value(field, cursor, out);
        }
    }
}

fn write_value(field: Field, mut cursor: Cursor<'_>, out: &mut Vec<u8>) {
    let (name, shape) = (field.member(), field.shape());
    if matches!(shape, Shape::Text | Shape::Word) {
        name.write_quoted(out);
        let len = cursor.len().unwrap_or(0);
        return write_opened(out, cursor.rest, len);
    }
    name.write(out);
    match shape {
        Shape::Int => write_int(out, cursor.int().unwrap_or(0)),
        Shape::Time => write_time(out, Micros(cursor.time().unwrap_or(0))),
        Shape::Bool => write_truth(out, cursor.byte().unwrap_or(0)),
        Shape::Json | Shape::Text | Shape::Word => {
            out.extend_from_slice(cursor.bytes().unwrap_or(&[]));
        }
    }
}
