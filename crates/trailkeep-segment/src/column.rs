//! The values of one column for some rows.

use std::sync::Arc;

use arrow_array::types::{
    Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Int64Array, PrimitiveArray, StringArray,
};
use arrow_array::{FixedSizeBinaryArray, cast::AsArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use trailkeep_event::{Field, FieldKind, Micros, ValueRef};

use crate::layout::{ColumnKind, UUID_BYTES};
use crate::numbers::index;
use crate::page::{Dictionary, NO_CODE};

/// The values of one column for some rows. Cloning shares them.
#[derive(Clone, Debug)]
pub enum Column {
    /// None of so many rows has a value.
    Absent(usize),
    /// For each row the code of its value, or [`Column::NO_CODE`].
    Coded(Arc<[u32]>, Arc<Dictionary>),
    /// Texts, words and canonical JSON.
    Text(StringArray),
    /// Integers.
    Int(PrimitiveArray<Int64Type>),
    /// Truth values.
    Bool(BooleanArray),
    /// Times.
    Time(PrimitiveArray<TimestampMicrosecondType>),
    /// Times in whole milliseconds.
    Millis(PrimitiveArray<TimestampMillisecondType>),
    /// Small numbers of ours.
    Small(PrimitiveArray<Int32Type>),
    /// Section bytes.
    Bytes(BinaryArray),
    /// For each row 16 bytes, and whether they are there.
    Uuid(Arc<[u8]>, BooleanBuffer),
}

impl Column {
    /// The code of a row without a value.
    pub const NO_CODE: u32 = NO_CODE;

    /// Takes an array of the column's type; `None` where it is of another.
    pub(crate) fn of(kind: ColumnKind, array: &ArrayRef) -> Option<Self> {
        Some(match kind {
            ColumnKind::Text | ColumnKind::Shape => {
                Self::Text(array.as_string_opt::<i32>()?.clone())
            }
            ColumnKind::Int => Self::Int(array.as_primitive_opt()?.clone()),
            ColumnKind::Bool => Self::Bool(array.as_boolean_opt()?.clone()),
            ColumnKind::Time => Self::Time(array.as_primitive_opt()?.clone()),
            ColumnKind::Millis => Self::Millis(array.as_primitive_opt()?.clone()),
            ColumnKind::Small => Self::Small(array.as_primitive_opt()?.clone()),
            ColumnKind::Bytes => Self::Bytes(array.as_binary_opt::<i32>()?.clone()),
            ColumnKind::Uuid => {
                let array: &FixedSizeBinaryArray = array.as_fixed_size_binary_opt()?;
                let present = BooleanBuffer::collect_bool(array.len(), |row| array.is_valid(row));
                let bytes: Vec<u8> =
                    (0..array.len()).flat_map(|row| array.value(row)).copied().collect();
                Self::Uuid(bytes.into(), present)
            }
        })
    }

    /// Returns how many rows there are.
    pub fn n_rows(&self) -> usize {
        match self {
            Self::Absent(n_rows) => *n_rows,
            Self::Coded(codes, _) => codes.len(),
            Self::Text(array) => array.len(),
            Self::Int(array) => array.len(),
            Self::Bool(array) => array.len(),
            Self::Time(array) => array.len(),
            Self::Millis(array) => array.len(),
            Self::Small(array) => array.len(),
            Self::Bytes(array) => array.len(),
            Self::Uuid(_, present) => present.len(),
        }
    }

    /// Returns a row's text.
    pub fn text(&self, row: usize) -> Option<&str> {
        match self {
            Self::Coded(codes, dictionary) => dictionary.text(*codes.get(row)?),
            Self::Text(array) => there(array, row).then(|| array.value(row)),
            _ => None,
        }
    }

    /// Returns a row's number.
    pub fn int(&self, row: usize) -> Option<i64> {
        match self {
            Self::Coded(codes, dictionary) => dictionary.int(*codes.get(row)?),
            Self::Int(array) => there(array, row).then(|| array.value(row)),
            Self::Time(array) => there(array, row).then(|| array.value(row)),
            Self::Millis(array) => there(array, row).then(|| array.value(row)),
            Self::Small(array) => there(array, row).then(|| i64::from(array.value(row))),
            _ => None,
        }
    }

    /// Returns the numbers of all rows at once.
    pub(crate) fn ints(&self) -> Int64Array {
        match self {
            Self::Int(array) => array.clone(),
            Self::Time(array) => array.reinterpret_cast(),
            Self::Millis(array) => array.reinterpret_cast(),
            Self::Coded(codes, dictionary) => match dictionary.ints() {
                Some(values) => {
                    let number = |code: &u32| values.values().get(index(*code)).copied();
                    let numbers: Vec<i64> =
                        codes.iter().map(|code| number(code).unwrap_or(0)).collect();
                    Int64Array::new(numbers.into(), nulls(codes, values))
                }
                None => Int64Array::new_null(codes.len()),
            },
            Self::Absent(n_rows) => Int64Array::new_null(*n_rows),
            _ => (0..self.n_rows()).map(|row| self.int(row)).collect(),
        }
    }

    /// Returns a row's truth value.
    pub fn truth(&self, row: usize) -> Option<bool> {
        match self {
            Self::Coded(codes, dictionary) => dictionary.truth(*codes.get(row)?),
            Self::Bool(array) => there(array, row).then(|| array.value(row)),
            _ => None,
        }
    }

    /// Returns a row's value as one of the field's kind.
    pub fn value(&self, field: Field, row: usize) -> Option<ValueRef<'_>> {
        Some(match field.kind() {
            FieldKind::Int(..) => ValueRef::Int(self.int(row)?),
            FieldKind::Time => ValueRef::Time(Micros(self.int(row)?)),
            FieldKind::Bool => ValueRef::Bool(self.truth(row)?),
            FieldKind::Object | FieldKind::Json | FieldKind::Headers => {
                ValueRef::Json(self.text(row)?)
            }
            FieldKind::Id | FieldKind::Text | FieldKind::Enum(_) => ValueRef::Text(self.text(row)?),
        })
    }

    pub(crate) fn bytes(&self, row: usize) -> Option<&[u8]> {
        match self {
            Self::Bytes(array) => there(array, row).then(|| array.value(row)),
            _ => None,
        }
    }

    pub(crate) fn uuid(&self, row: usize) -> Option<[u8; UUID_BYTES]> {
        match self {
            Self::Uuid(bytes, present) if row < present.len() && present.value(row) => {
                bytes.get(row.checked_mul(UUID_BYTES)?..)?.first_chunk().copied()
            }
            _ => None,
        }
    }

    /// Tells whether no row has a value. It may have none and this be false.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }
}

/// Returns which codes stand for no value; `None` where all of them stand for one.
pub(crate) fn nulls(codes: &[u32], values: &dyn Array) -> Option<NullBuffer> {
    let present = if let Some(valid) = values.nulls().filter(|nulls| nulls.null_count() > 0) {
        let valid: Vec<bool> = valid.iter().collect();
        bits(codes, |code| valid.get(index(code)).copied().unwrap_or(false))
    } else if codes.contains(&NO_CODE) {
        bits(codes, |code| code != NO_CODE)
    } else {
        return None;
    };
    Some(NullBuffer::new(present)).filter(|nulls| nulls.null_count() > 0)
}

/// Returns a bit for each code.
fn bits(codes: &[u32], is: impl Fn(u32) -> bool) -> BooleanBuffer {
    let words = codes.chunks(64).map(|codes| word(codes, &is));
    BooleanBuffer::new(Buffer::from_vec(words.collect()), 0, codes.len())
}

/// Returns a bit for each of at most 64 codes, without a branch for each.
#[inline]
pub(crate) fn word(codes: &[u32], is: impl Fn(u32) -> bool) -> u64 {
    let bits = codes.iter().zip(0_u32..).map(|(code, bit)| u64::from(is(*code)) << bit);
    bits.fold(0, |word, bit| word | bit)
}

fn there(array: &dyn Array, row: usize) -> bool {
    row < array.len() && array.is_valid(row)
}

impl Dictionary {
    /// Returns the value of a code as one of the field's kind.
    pub fn value(&self, field: Field, code: u32) -> Option<ValueRef<'_>> {
        Some(match field.kind() {
            FieldKind::Int(..) => ValueRef::Int(self.int(code)?),
            FieldKind::Time => ValueRef::Time(Micros(self.int(code)?)),
            FieldKind::Bool => ValueRef::Bool(self.truth(code)?),
            FieldKind::Object | FieldKind::Json | FieldKind::Headers => {
                ValueRef::Json(self.text(code)?)
            }
            FieldKind::Id | FieldKind::Text | FieldKind::Enum(_) => {
                ValueRef::Text(self.text(code)?)
            }
        })
    }
}
