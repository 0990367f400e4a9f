//! Puts rows together.

use super::{Cursor, Row, decode};
use crate::field::Shape;
use crate::presence::Presence;
use crate::push::push_start;
use crate::{Field, ValueRef};

/// Builds rows: set fields in any order, then [`RowBuilder::finish`]. Reusable: a finished or
/// cleared builder keeps its memory.
#[derive(Debug)]
pub struct RowBuilder {
    values: Vec<u8>,
    spans: [(u32, u32); Field::IN_ROW],
    presence: Presence,
    /// Lent to JSON while it is written, and to the row while it is put together.
    scratch: Vec<u8>,
}

impl Default for RowBuilder {
    fn default() -> Self {
        Self {
            values: Vec::with_capacity(1024),
            spans: [(0, 0); Field::IN_ROW],
            presence: Presence::default(),
            scratch: Vec::with_capacity(1024),
        }
    }
}

impl RowBuilder {
    /// Forgets every value.
    pub fn clear(&mut self) {
        self.values.clear();
        self.presence = Presence::default();
    }

    /// Tells whether a field was set.
    pub fn has(&self, field: Field) -> bool {
        self.presence.has(field)
    }

    /// Returns how many bytes a field takes in the row.
    pub fn field_bytes(&self, field: Field) -> usize {
        if !self.has(field) {
            return 0;
        }
        let span = self.spans.get(usize::from(field.number())).copied().unwrap_or_default();
        usize::try_from(span.1.saturating_sub(span.0)).unwrap_or(0)
    }

    /// Sets a field's value. A field that is no part of a row is left out.
    pub fn set(&mut self, field: Field, value: ValueRef<'_>) {
        match value {
            ValueRef::Text(text) | ValueRef::Json(text) => {
                self.set_bytes(field, text.as_bytes());
            }
            ValueRef::Int(int) => {
                let start = self.values.len();
                push_varint(&mut self.values, zigzag(int));
                self.close(field, start);
            }
            ValueRef::Bool(truth) => {
                let start = self.values.len();
                self.values.push(u8::from(truth));
                self.close(field, start);
            }
            ValueRef::Time(at) => {
                let start = self.values.len();
                self.values.extend_from_slice(&at.0.to_le_bytes());
                self.close(field, start);
            }
            ValueRef::Id(_) => {}
        }
    }

    /// Sets a JSON field to what `write` appends: canonical JSON.
    pub(crate) fn set_json<E>(
        &mut self,
        field: Field,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut json = std::mem::take(&mut self.scratch);
        json.clear();
        let written = write(&mut json);
        if written.is_ok() {
            self.set_bytes(field, &json);
        }
        self.scratch = json;
        written
    }

    /// Returns the text of a JSON field that was set.
    pub(crate) fn json(&self, field: Field) -> &str {
        let value = Cursor { rest: self.raw(field) }.take(Shape::Json);
        value.and_then(|raw| decode(Shape::Json, raw)).and_then(ValueRef::as_json).unwrap_or("")
    }

    fn set_bytes(&mut self, field: Field, bytes: &[u8]) {
        self.set_start(field, bytes, bytes.len());
    }

    /// Sets a text to the first `len` bytes of `from`, which are UTF-8.
    #[inline]
    pub(crate) fn set_start(&mut self, field: Field, from: &[u8], len: usize) {
        let start = self.values.len();
        push_varint(&mut self.values, u64::try_from(len).unwrap_or(u64::MAX));
        push_start(&mut self.values, from, len);
        self.close(field, start);
    }

    fn close(&mut self, field: Field, start: usize) {
        let end = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        if let Some(span) = self.spans.get_mut(usize::from(field.number())) {
            *span = (start, end);
            self.presence.add(field);
        }
    }

    /// Returns how many bytes the values take, those included that were set again later.
    pub(crate) fn values_bytes(&self) -> usize {
        self.values.len()
    }

    /// Returns the row and forgets its values.
    pub fn finish(&mut self) -> Row {
        let mut row = std::mem::take(&mut self.scratch);
        row.clear();
        row.extend_from_slice(&self.presence.to_bytes());
        for field in self.presence.fields() {
            let (start, end) = self.span(field);
            let from = self.values.get(start..).unwrap_or(&[]);
            push_start(&mut row, from, end.saturating_sub(start));
        }
        let bytes = Row(row.as_slice().into());
        self.scratch = row;
        self.clear();
        bytes
    }

    fn raw(&self, field: Field) -> &[u8] {
        let (start, end) = self.span(field);
        self.values.get(start..end).unwrap_or(&[])
    }

    #[inline]
    fn span(&self, field: Field) -> (usize, usize) {
        let span = self.spans.get(usize::from(field.number())).copied().unwrap_or_default();
        let index = |at| usize::try_from(at).unwrap_or(usize::MAX);
        (index(span.0), index(span.1))
    }
}

#[inline]
fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(0x80 | u8::try_from(value & 0x7f).unwrap_or(0));
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
}

fn zigzag(value: i64) -> u64 {
    let sign = value >> 63;
    u64::from_le_bytes(((value << 1) ^ sign).to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::unzigzag;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn zigzag_is_reversible(value: i64) {
            prop_assert_eq!(unzigzag(zigzag(value)), value);
        }
    }
}
