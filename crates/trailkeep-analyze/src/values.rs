//! Reads the values that metrics look at.

use std::hash::Hasher;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Int64Array};
use siphasher::sip::SipHasher13;

use crate::FieldPath;
use crate::columns::Shape;
use crate::member::{Member, number};
use crate::memo::Memo;
use crate::numbers::{index, mix};

/// The values of a field or a member.
#[derive(Debug)]
pub(crate) struct Values {
    shape: Shape,
    member: Option<Member>,
    hashes: Memo<Option<u64>>,
    fractions: Memo<Option<f64>>,
}

/// The numbers of a batch's rows.
#[derive(Debug)]
pub(crate) enum Numbers {
    Whole(Int64Array),
    Fraction(Vec<Option<f64>>),
}

impl Values {
    pub(crate) fn of(path: &FieldPath) -> Self {
        let member = (!path.member().is_empty()).then(|| Member::new(path.member()));
        let shape = Shape::of(path.field());
        Self { shape, member, hashes: Memo::default(), fractions: Memo::default() }
    }

    /// Returns a hash of each row's value: the same on every machine and in every run, because
    /// estimates are made of it.
    pub(crate) fn hashes(&mut self, array: &ArrayRef) -> Vec<Option<u64>> {
        let word = |value: Option<i64>| value.map(|int| mix(u64::from_le_bytes(int.to_le_bytes())));
        match (self.shape, &self.member) {
            (Shape::Text, None) => self.hashes.of_rows(array, None, |text| Some(hash(text))),
            (Shape::Text, Some(member)) => {
                self.hashes.of_rows(array, None, |json| member.find(json).map(|text| hash(&text)))
            }
            (Shape::Int, _) => array.as_primitive::<Int64Type>().iter().map(word).collect(),
            (Shape::Time, _) => {
                array.as_primitive::<TimestampMicrosecondType>().iter().map(word).collect()
            }
            (Shape::Bool, _) => {
                array.as_boolean().iter().map(|truth| word(truth.map(i64::from))).collect()
            }
        }
    }

    /// Returns each row's number; a text of a member counts where it is written as one.
    pub(crate) fn numbers(&mut self, array: &ArrayRef) -> Numbers {
        match (self.shape, &self.member) {
            (Shape::Int, _) => Numbers::Whole(array.as_primitive().clone()),
            (Shape::Time, _) => {
                Numbers::Whole(array.as_primitive::<TimestampMicrosecondType>().reinterpret_cast())
            }
            (Shape::Text, Some(member)) => Numbers::Fraction(self.fractions.of_rows(
                array,
                None,
                |json| member.find(json).and_then(|text| number(&text)),
            )),
            (Shape::Text | Shape::Bool, _) => Numbers::Whole(Int64Array::new_null(array.len())),
        }
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// Calls `visit` with the group and the number of each row that has one.
pub(crate) fn each_int(groups: &[u32], ints: &Int64Array, mut visit: impl FnMut(usize, i64)) {
    if ints.null_count() == 0 {
        for (group, int) in groups.iter().zip(ints.values()) {
            visit(index(*group), *int);
        }
        return;
    }
    for (group, int) in groups.iter().zip(ints) {
        if let Some(int) = int {
            visit(index(*group), int);
        }
    }
}

/// Calls `visit` with the group and the value of each row that has one.
pub(crate) fn each<T: Copy>(groups: &[u32], values: &[Option<T>], mut visit: impl FnMut(usize, T)) {
    for (group, value) in groups.iter().zip(values) {
        if let Some(value) = value {
            visit(index(*group), *value);
        }
    }
}
