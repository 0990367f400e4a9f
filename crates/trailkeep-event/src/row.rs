//! The row: an admitted event as one run of bytes, in the journal and in the tail.
//!
//! `presence u128 LE | values in field-number order`; text and JSON are `varint length | UTF-8`,
//! integers are zigzag varints, booleans one byte, times eight bytes LE. Only fields that a
//! section holds are in a row.

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

const PRESENCE_BYTES: usize = 16;

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
        let mut cursor = Cursor::start(bytes).ok_or(RowError::Truncated)?;
        if cursor.presence >> Field::IN_ROW != 0 {
            return Err(RowError::UnknownField);
        }
        for field in [Field::AccountId, Field::OccurredAt, Field::Action] {
            if !present(cursor.presence, field) {
                return Err(RowError::MissingField);
            }
        }
        for field in Field::in_row() {
            if present(cursor.presence, field) {
                let raw = cursor.take(field).ok_or(RowError::Truncated)?;
                if !allowed(field, raw) {
                    return Err(RowError::InvalidValue);
                }
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
        let mut cursor = Cursor::start(self.bytes)?;
        if field.section().is_none() || !present(cursor.presence, field) {
            return None;
        }
        for before in Field::ALL.get(..usize::from(field.number()))? {
            if present(cursor.presence, *before) {
                cursor.take(*before)?;
            }
        }
        cursor.take(field).and_then(|raw| decode(field, raw))
    }

    /// Calls `visit` with every present field in number order.
    pub fn for_each(self, mut visit: impl FnMut(Field, ValueRef<'a>)) {
        let Some(mut cursor) = Cursor::start(self.bytes) else { return };
        for field in Field::in_row() {
            if present(cursor.presence, field) {
                let Some(raw) = cursor.take(field) else { return };
                if let Some(value) = decode(field, raw) {
                    visit(field, value);
                }
            }
        }
    }

    /// Unpacks every value at once, for readers of many fields.
    pub fn unpack(self) -> UnpackedRow<'a> {
        let mut values = [None; Field::IN_ROW];
        self.for_each(|field, value| {
            if let Some(slot) = values.get_mut(usize::from(field.number())) {
                *slot = Some(value);
            }
        });
        UnpackedRow { values }
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

/// A row whose values were unpacked: each is found at once.
#[derive(Clone, Debug)]
pub struct UnpackedRow<'a> {
    values: [Option<ValueRef<'a>>; Field::IN_ROW],
}

impl Fields for UnpackedRow<'_> {
    fn get(&self, field: Field) -> Option<ValueRef<'_>> {
        self.values.get(usize::from(field.number())).copied().flatten()
    }
}

/// The bytes of one value, before they are given a type.
#[derive(Clone, Copy)]
enum Raw<'a> {
    Bytes(&'a [u8]),
    Int(i64),
    Byte(u8),
}

fn present(presence: u128, field: Field) -> bool {
    (presence >> u32::from(field.number())) & 1 == 1
}

struct Cursor<'a> {
    presence: u128,
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn start(bytes: &'a [u8]) -> Option<Self> {
        let (presence, rest) = bytes.split_at_checked(PRESENCE_BYTES)?;
        Some(Self { presence: u128::from_le_bytes(presence.try_into().ok()?), rest })
    }

    fn take(&mut self, field: Field) -> Option<Raw<'a>> {
        match field.kind() {
            FieldKind::Int(..) => self.varint().map(|raw| Raw::Int(unzigzag(raw))),
            FieldKind::Bool => {
                let (byte, rest) = self.rest.split_first()?;
                self.rest = rest;
                Some(Raw::Byte(*byte))
            }
            FieldKind::Time => {
                let (bytes, rest) = self.rest.split_at_checked(8)?;
                self.rest = rest;
                Some(Raw::Int(i64::from_le_bytes(bytes.try_into().ok()?)))
            }
            FieldKind::Id
            | FieldKind::Text
            | FieldKind::Enum(_)
            | FieldKind::Object
            | FieldKind::Json
            | FieldKind::Headers => {
                let len = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.rest.split_at_checked(len)?;
                self.rest = rest;
                Some(Raw::Bytes(bytes))
            }
        }
    }

    fn varint(&mut self) -> Option<u64> {
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

fn decode(field: Field, raw: Raw<'_>) -> Option<ValueRef<'_>> {
    match (raw, field.kind()) {
        (Raw::Int(micros), FieldKind::Time) => Some(ValueRef::Time(Micros(micros))),
        (Raw::Int(int), _) => Some(ValueRef::Int(int)),
        (Raw::Byte(byte), _) => Some(ValueRef::Bool(byte == 1)),
        (Raw::Bytes(bytes), kind) => {
            let text = std::str::from_utf8(bytes).ok()?;
            match kind {
                FieldKind::Object | FieldKind::Json | FieldKind::Headers => {
                    Some(ValueRef::Json(text))
                }
                _ => Some(ValueRef::Text(text)),
            }
        }
    }
}

fn allowed(field: Field, raw: Raw<'_>) -> bool {
    match (raw, field.kind()) {
        (Raw::Int(int), FieldKind::Int(min, max)) => (min..=max).contains(&int),
        (Raw::Int(at), _) => (Micros::MIN.0..=Micros::MAX.0).contains(&at),
        (Raw::Byte(byte), _) => byte <= 1,
        (Raw::Bytes(bytes), kind) => match (std::str::from_utf8(bytes), kind) {
            (Ok(text), FieldKind::Enum(words)) => words.contains(&text),
            (Ok(_), _) => true,
            (Err(_), _) => false,
        },
    }
}

fn zigzag(value: i64) -> u64 {
    let sign = value >> 63;
    u64::from_le_bytes(((value << 1) ^ sign).to_le_bytes())
}

fn unzigzag(raw: u64) -> i64 {
    let half = i64::from_le_bytes((raw >> 1).to_le_bytes());
    let sign = i64::from_le_bytes((raw & 1).to_le_bytes()).wrapping_neg();
    half ^ sign
}

/// Builds rows: set fields in any order, then [`RowBuilder::finish`]. Reusable: a finished or
/// cleared builder keeps its memory.
#[derive(Debug)]
pub struct RowBuilder {
    values: Vec<u8>,
    spans: [(u32, u32); Field::IN_ROW],
    presence: u128,
}

impl Default for RowBuilder {
    fn default() -> Self {
        Self { values: Vec::with_capacity(1024), spans: [(0, 0); Field::IN_ROW], presence: 0 }
    }
}

impl RowBuilder {
    /// Forgets every value.
    pub fn clear(&mut self) {
        self.values.clear();
        self.presence = 0;
    }

    /// Tells whether a field was set.
    pub fn has(&self, field: Field) -> bool {
        present(self.presence, field)
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

    fn set_bytes(&mut self, field: Field, bytes: &[u8]) {
        let start = self.values.len();
        push_varint(&mut self.values, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.values.extend_from_slice(bytes);
        self.close(field, start);
    }

    fn close(&mut self, field: Field, start: usize) {
        let end = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        if let Some(span) = self.spans.get_mut(usize::from(field.number())) {
            *span = (start, end);
            self.presence |= 1_u128 << u32::from(field.number());
        }
    }

    /// Returns the row and forgets its values.
    pub fn finish(&mut self) -> Row {
        let mut bytes = Vec::with_capacity(self.values.len().saturating_add(PRESENCE_BYTES));
        bytes.extend_from_slice(&self.presence.to_le_bytes());
        for field in Field::in_row() {
            if self.has(field) {
                bytes.extend_from_slice(self.raw(field));
            }
        }
        self.clear();
        Row(bytes.into_boxed_slice())
    }

    fn raw(&self, field: Field) -> &[u8] {
        let span = self.spans.get(usize::from(field.number())).copied().unwrap_or_default();
        let start = usize::try_from(span.0).unwrap_or(usize::MAX);
        let end = usize::try_from(span.1).unwrap_or(usize::MAX);
        self.values.get(start..end).unwrap_or(&[])
    }
}

fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(0x80 | u8::try_from(value & 0x7f).unwrap_or(0));
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
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

    proptest! {
        #[test]
        fn zigzag_is_reversible(value: i64) {
            prop_assert_eq!(unzigzag(zigzag(value)), value);
        }

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
