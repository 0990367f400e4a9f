//! The row: an admitted event as one run of bytes, in the journal and in the tail.
//!
//! `presence u128 LE | values in field-number order`; text and JSON are `varint length | UTF-8`,
//! integers are zigzag varints, booleans one byte, times eight bytes LE. Only fields that a
//! section holds are in a row.

mod builder;
mod unpacked;

pub use self::{builder::RowBuilder, unpacked::UnpackedRow};
use crate::field::Shape;
use crate::presence::{PRESENCE_BYTES, Presence};
use crate::{Field, FieldKind, Fields, Micros, ValueRef};

/// Says why bytes are not a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RowError {
    /// The bytes end inside a value.
    #[error("a row ends inside a value")]
    Truncated,
    /// Bytes follow the last value.
    #[error("a row has bytes after its last value")]
    TrailingBytes,
    /// The presence bits name a field that does not exist.
    #[error("a row names an unknown field")]
    UnknownField,
    /// A value is not of its field's kind.
    #[error("a row holds a value that its field does not allow")]
    InvalidValue,
    /// A required field is absent.
    #[error("a row lacks a required field")]
    MissingField,
}

/// An admitted event, owned.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Row(Box<[u8]>);

impl Row {
    /// Returns the row's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Borrows the row for reading.
    pub fn view(&self) -> RowRef<'_> {
        RowRef { bytes: &self.0 }
    }
}

impl Fields for Row {
    fn get(&self, field: Field) -> Option<ValueRef<'_>> {
        self.view().value(field)
    }
}

/// An admitted event, borrowed from a frame. The bytes were checked when this was made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RowRef<'a> {
    bytes: &'a [u8],
}

impl<'a> RowRef<'a> {
    /// Checks that bytes are a row: every value is whole, allowed and within the bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RowError> {
        let (presence, mut cursor) = Cursor::start(bytes).ok_or(RowError::Truncated)?;
        if !presence.in_row() {
            return Err(RowError::UnknownField);
        }
        for field in [Field::AccountId, Field::OccurredAt, Field::Action] {
            if !presence.has(field) {
                return Err(RowError::MissingField);
            }
        }
        for field in presence.fields() {
            let raw = cursor.take(field.shape()).ok_or(RowError::Truncated)?;
            if !allowed(field, raw) {
                return Err(RowError::InvalidValue);
            }
        }
        if cursor.rest.is_empty() { Ok(Self { bytes }) } else { Err(RowError::TrailingBytes) }
    }

    /// Trusts bytes that were checked before, for instance by a frame's checksum and
    /// [`RowRef::parse`] when the frame was read. Reading never panics, whatever the bytes.
    pub fn trusted(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Returns the row's bytes.
    pub fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Copies the row.
    pub fn to_row(self) -> Row {
        Row(self.bytes.into())
    }

    /// Returns the field's value, or `None` where it is absent. Costs a walk over the values
    /// before it: 10-50 ns.
    pub fn value(self, field: Field) -> Option<ValueRef<'a>> {
        let (presence, mut cursor) = Cursor::start(self.bytes)?;
        if !presence.has(field) {
            return None;
        }
        for before in presence.before(field) {
            cursor.take(before.shape())?;
        }
        let shape = field.shape();
        cursor.take(shape).and_then(|raw| decode(shape, raw))
    }

    /// Calls `visit` with every present field in number order.
    #[inline]
    pub fn for_each(self, mut visit: impl FnMut(Field, ValueRef<'a>)) {
        let Some((presence, mut cursor)) = Cursor::start(self.bytes) else { return };
        for field in presence.fields() {
            let Some(raw) = cursor.take(field.shape()) else { return };
            if let Some(value) = decode(field.shape(), raw) {
                visit(field, value);
            }
        }
    }

    /// Tells whether another form of an event has exactly this row's values, and none besides.
    pub fn equals(self, other: &impl Fields) -> bool {
        let Some((presence, mut cursor)) = Cursor::start(self.bytes) else { return false };
        Field::in_row().all(|field| {
            let found = other.get(field);
            if !presence.has(field) {
                return found.is_none();
            }
            let raw = cursor.take(field.shape());
            raw.zip(found).is_some_and(|(raw, found)| raw.is(field.shape(), found))
        })
    }

    /// Finds every value at once, for readers of many fields.
    pub fn unpack(self) -> UnpackedRow<'a> {
        UnpackedRow::new(self)
    }

    /// Returns the account; every row has one.
    pub fn account_id(self) -> &'a str {
        self.value(Field::AccountId).and_then(ValueRef::as_text).unwrap_or("")
    }

    /// Returns the producer's time; every row has one.
    pub fn occurred_at(self) -> Micros {
        self.value(Field::OccurredAt).and_then(ValueRef::as_time).unwrap_or_default()
    }
}

impl Fields for RowRef<'_> {
    fn get(&self, field: Field) -> Option<ValueRef<'_>> {
        self.value(field)
    }
}

/// The bytes of one value, before they are given a type.
#[derive(Clone, Copy)]
enum Raw<'a> {
    Bytes(&'a [u8]),
    Int(i64),
    Byte(u8),
}

impl Raw<'_> {
    /// Tells whether a value of a shape is the same.
    #[inline]
    fn is(self, shape: Shape, value: ValueRef<'_>) -> bool {
        match (self, value) {
            (Self::Bytes(bytes), ValueRef::Text(text)) => {
                shape != Shape::Json && bytes == text.as_bytes()
            }
            (Self::Bytes(bytes), ValueRef::Json(text)) => {
                shape == Shape::Json && bytes == text.as_bytes()
            }
            (Self::Int(int), ValueRef::Int(other)) => shape == Shape::Int && int == other,
            (Self::Int(micros), ValueRef::Time(at)) => shape == Shape::Time && micros == at.0,
            (Self::Byte(byte), ValueRef::Bool(truth)) => byte == u8::from(truth),
            _ => false,
        }
    }
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Reads which fields a row has and stands in front of its first value.
    #[inline]
    fn start(bytes: &'a [u8]) -> Option<(Presence, Self)> {
        let (presence, rest) = bytes.split_first_chunk::<PRESENCE_BYTES>()?;
        Some((Presence::from_bytes(*presence), Self { rest }))
    }

    #[inline]
    fn take(&mut self, shape: Shape) -> Option<Raw<'a>> {
        match shape {
            Shape::Int => self.int().map(Raw::Int),
            Shape::Bool => self.byte().map(Raw::Byte),
            Shape::Time => self.time().map(Raw::Int),
            Shape::Text | Shape::Word | Shape::Json => self.bytes().map(Raw::Bytes),
        }
    }

    #[inline]
    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.len()?;
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }

    #[inline]
    fn len(&mut self) -> Option<usize> {
        usize::try_from(self.varint()?).ok()
    }

    #[inline]
    fn int(&mut self) -> Option<i64> {
        self.varint().map(unzigzag)
    }

    #[inline]
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    #[inline]
    fn time(&mut self) -> Option<i64> {
        let (bytes, rest) = self.rest.split_first_chunk::<8>()?;
        self.rest = rest;
        Some(i64::from_le_bytes(*bytes))
    }

    #[inline]
    fn varint(&mut self) -> Option<u64> {
        // Nearly every length and many integers have one byte.
        let (first, rest) = self.rest.split_first()?;
        if *first < 0x80 {
            self.rest = rest;
            return Some(u64::from(*first));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64_u32).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

#[inline]
fn decode(shape: Shape, raw: Raw<'_>) -> Option<ValueRef<'_>> {
    match raw {
        Raw::Int(micros) if shape == Shape::Time => Some(ValueRef::Time(Micros(micros))),
        Raw::Int(int) => Some(ValueRef::Int(int)),
        Raw::Byte(byte) => Some(ValueRef::Bool(byte == 1)),
        Raw::Bytes(bytes) => {
            let text = std::str::from_utf8(bytes).ok()?;
            Some(if shape == Shape::Json { ValueRef::Json(text) } else { ValueRef::Text(text) })
        }
    }
}

#[inline]
fn allowed(field: Field, raw: Raw<'_>) -> bool {
    match (field.shape(), raw) {
        (Shape::Text | Shape::Json, Raw::Bytes(bytes)) => is_utf8(bytes),
        (_, Raw::Byte(byte)) => byte <= 1,
        (_, Raw::Bytes(bytes)) => match field.kind() {
            FieldKind::Enum(words) => words.iter().any(|word| word.as_bytes() == bytes),
            _ => is_utf8(bytes),
        },
        (_, Raw::Int(int)) => match field.kind() {
            FieldKind::Int(min, max) => (min..=max).contains(&int),
            _ => (Micros::MIN.0..=Micros::MAX.0).contains(&int),
        },
    }
}

/// Tells whether bytes are UTF-8. Most are ASCII and few.
#[inline]
fn is_utf8(bytes: &[u8]) -> bool {
    bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()
}

fn unzigzag(raw: u64) -> i64 {
    let half = i64::from_le_bytes((raw >> 1).to_le_bytes());
    let sign = i64::from_le_bytes((raw & 1).to_le_bytes()).wrapping_neg();
    half ^ sign
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn small() -> Row {
        let mut builder = RowBuilder::default();
        builder.set(Field::Status, ValueRef::Int(503));
        builder.set(Field::AccountId, ValueRef::Text("acme"));
        builder.set(Field::OccurredAt, ValueRef::Time(Micros(-5)));
        builder.set(Field::Action, ValueRef::Text("x"));
        builder.set(Field::Intent, ValueRef::Bool(true));
        builder.set(Field::Metadata, ValueRef::Json(r#"{"a":1}"#));
        builder.finish()
    }

    #[test]
    fn values_come_back() {
        let row = small();
        assert_eq!(RowRef::parse(row.as_bytes()), Ok(row.view()));
        assert_eq!(row.get(Field::Status), Some(ValueRef::Int(503)));
        assert_eq!(row.get(Field::OccurredAt), Some(ValueRef::Time(Micros(-5))));
        assert_eq!(row.get(Field::Intent), Some(ValueRef::Bool(true)));
        assert_eq!(row.get(Field::Metadata), Some(ValueRef::Json(r#"{"a":1}"#)));
        assert_eq!(row.get(Field::Severity), None);
        assert_eq!(row.get(Field::Seq), None);
    }

    /// Returns the row with another value of a field, or without one.
    fn changed(row: &Row, field: Field, value: Option<ValueRef<'_>>) -> Row {
        let mut builder = RowBuilder::default();
        for other in Field::in_row() {
            let value = if other == field { value } else { row.get(other) };
            if let Some(value) = value {
                builder.set(other, value);
            }
        }
        builder.finish()
    }

    #[test]
    fn a_row_equals_only_what_has_its_values() {
        let row = small();
        assert!(row.view().equals(&row));
        for field in Field::in_row() {
            let same = row.get(field);
            assert_eq!(
                row.view().equals(&changed(&row, field, None)),
                same.is_none(),
                "{}",
                field.name()
            );
            let other = match field.shape() {
                Shape::Int => ValueRef::Int(7),
                Shape::Bool => ValueRef::Bool(false),
                Shape::Time => ValueRef::Time(Micros(9)),
                Shape::Text | Shape::Word => ValueRef::Text("other"),
                Shape::Json => ValueRef::Json("{}"),
            };
            assert!(!row.view().equals(&changed(&row, field, Some(other))), "{}", field.name());
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes: Vec<u8>) {
            if let Ok(row) = RowRef::parse(&bytes) {
                row.for_each(|_, _| {});
            }
            let row = RowRef::trusted(&bytes);
            for field in Field::ALL {
                let _value = row.value(*field);
            }
        }

        #[test]
        fn damaged_rows_never_panic(at in 0_usize..64, bit in 0_u8..8) {
            let mut bytes = small().as_bytes().to_vec();
            let at = at.checked_rem(bytes.len()).unwrap();
            bytes[at] ^= 1 << bit;
            if let Ok(row) = RowRef::parse(&bytes) {
                row.for_each(|_, _| {});
            }
        }
    }
}
