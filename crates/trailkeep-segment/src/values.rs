//! The values of one row, unpacked once so that each is found without a walk.

use trailkeep_event::{Field, Fields, RowRef, ValueRef};

/// The values of one row by field number.
#[derive(Clone, Debug)]
pub(crate) struct Values<'a>([Option<ValueRef<'a>>; Field::IN_ROW]);

impl<'a> Values<'a> {
    /// Unpacks a row.
    pub(crate) fn of(row: RowRef<'a>) -> Self {
        let mut values = Self([None; Field::IN_ROW]);
        row.for_each(|field, value| values.set(field, value));
        values
    }

    /// Replaces one value.
    pub(crate) fn set(&mut self, field: Field, value: ValueRef<'a>) {
        if let Some(slot) = self.0.get_mut(usize::from(field.number())) {
            *slot = Some(value);
        }
    }

    /// Replaces one value, or leaves it out.
    pub(crate) fn replace(&mut self, field: Field, value: Option<ValueRef<'a>>) {
        if let Some(slot) = self.0.get_mut(usize::from(field.number())) {
            *slot = value;
        }
    }

    /// Returns the text of a field.
    pub(crate) fn text_of(&self, field: Field) -> Option<&'a str> {
        self.0.get(usize::from(field.number())).copied().flatten().and_then(ValueRef::as_text)
    }

    /// Returns the values in field-number order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Option<ValueRef<'a>>> {
        self.0.iter().copied()
    }
}

impl Fields for Values<'_> {
    fn get(&self, field: Field) -> Option<ValueRef<'_>> {
        self.0.get(usize::from(field.number())).copied().flatten()
    }
}
