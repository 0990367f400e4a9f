//! One value of an entry, and whatever can hand out values by field.

use crate::section::write_value;
use crate::{EventId, Field, Micros};

/// A borrowed value of one field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// A text, an identifier or a word of an enumeration.
    Text(&'a str),
    /// An integer.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// The canonical text of a JSON value.
    Json(&'a str),
    /// A time.
    Time(Micros),
    /// The entry's own identifier.
    Id(EventId),
}

impl<'a> ValueRef<'a> {
    /// Returns the text of a text value.
    pub fn as_text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Int(_) | Self::Bool(_) | Self::Json(_) | Self::Time(_) | Self::Id(_) => None,
        }
    }

    /// Returns the canonical text of a JSON value.
    pub(crate) fn as_json(self) -> Option<&'a str> {
        match self {
            Self::Json(text) => Some(text),
            Self::Text(_) | Self::Int(_) | Self::Bool(_) | Self::Time(_) | Self::Id(_) => None,
        }
    }

    /// Returns the time of a time value.
    pub fn as_time(self) -> Option<Micros> {
        match self {
            Self::Time(time) => Some(time),
            Self::Text(_) | Self::Int(_) | Self::Bool(_) | Self::Json(_) | Self::Id(_) => None,
        }
    }

    /// Returns the integer of an integer value.
    pub fn as_int(self) -> Option<i64> {
        match self {
            Self::Int(int) => Some(int),
            Self::Text(_) | Self::Bool(_) | Self::Json(_) | Self::Time(_) | Self::Id(_) => None,
        }
    }
}

/// Hands out values by field: a row of the journal, a row of a segment, an entry.
pub trait Fields {
    /// Returns the field's value, or `None` where it is absent.
    fn get(&self, field: Field) -> Option<ValueRef<'_>>;

    /// Appends the field as a member of canonical JSON, `,"name":value`; an absent one appends
    /// nothing.
    fn write_member(&self, field: Field, out: &mut Vec<u8>) {
        if let Some(value) = self.get(field) {
            field.member().write(out);
            write_value(out, value);
        }
    }

    /// Returns the field's text, or `None` where it is absent or not text.
    fn text(&self, field: Field) -> Option<&str> {
        self.get(field).and_then(ValueRef::as_text)
    }
}
