//! A checksum over all values of rows, whatever their order and in whatever form they are stored.

use std::collections::HashMap;
use std::sync::Arc;

use trailkeep_event::ValueRef;
use twox_hash::XxHash3_64;

use crate::column::Column;
use crate::layout::{MEMBERS, METADATA, SHAPE, SHAPED};
use crate::members::members_of;
use crate::numbers::{index, long, short};
use crate::page::Dictionary;

/// Adds up hashes of rows. The hash of a row is the sum of the hashes of its values, each with
/// its column; what a shape or the parts of `metadata` stand for counts as if it stood in the
/// field's own column. It guards against mistakes, not against who wants to deceive it.
#[derive(Debug, Default)]
pub(super) struct Checksum {
    total: u64,
    /// For each column the dictionary that was last met, and the hashes of its values.
    dictionaries: HashMap<usize, (Arc<Dictionary>, Vec<u64>)>,
    rows: Vec<u64>,
}

impl Checksum {
    /// Adds rows, by stored column.
    pub(super) fn add(&mut self, n_rows: usize, columns: &[Column]) {
        self.rows.clear();
        self.rows.resize(n_rows, 0);
        for (column, values) in columns.iter().enumerate() {
            self.column(column, values);
        }
        let mixed = self.rows.iter().map(|row| mix(*row));
        self.total = mixed.fold(self.total, u64::wrapping_add);
    }

    /// Returns the checksum of the rows so far.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    fn column(&mut self, column: usize, values: &Column) {
        match values {
            Column::Absent(_) => {}
            Column::Coded(codes, dictionary) => self.coded(column, codes, dictionary),
            Column::Text(texts) => {
                for (row, text) in self.rows.iter_mut().zip(texts) {
                    *row = row.wrapping_add(text.map_or(0, |text| of_text(column, text)));
                }
            }
            Column::Bytes(runs) => {
                for (row, bytes) in self.rows.iter_mut().zip(runs) {
                    *row = row.wrapping_add(bytes.map_or(0, |bytes| of_bytes(column, bytes)));
                }
            }
            Column::Uuid(..) => {
                for (at, row) in self.rows.iter_mut().enumerate() {
                    let uuid = values.uuid(at).map(u128::from_le_bytes);
                    *row = row.wrapping_add(uuid.map_or(0, |uuid| of_wide(column, uuid)));
                }
            }
            Column::Bool(truths) => {
                for (row, truth) in self.rows.iter_mut().zip(truths) {
                    let number = truth.map(i64::from);
                    *row = row.wrapping_add(number.map_or(0, |it| of_number(column, it)));
                }
            }
            Column::Int(_) | Column::Time(_) | Column::Millis(_) | Column::Small(_) => {
                for (at, row) in self.rows.iter_mut().enumerate() {
                    let number = values.int(at);
                    *row = row.wrapping_add(number.map_or(0, |it| of_number(column, it)));
                }
            }
        }
    }

    fn coded(&mut self, column: usize, codes: &[u32], dictionary: &Arc<Dictionary>) {
        let held = self.dictionaries.get(&column);
        if held.is_none_or(|(held, _)| !Arc::ptr_eq(held, dictionary)) {
            let hash = |code| of_code(column, dictionary, code);
            let hashes = (0..short(dictionary.len())).map(hash).collect();
            self.dictionaries.insert(column, (Arc::clone(dictionary), hashes));
        }
        let Some((_, hashes)) = self.dictionaries.get(&column) else { return };
        for (row, code) in self.rows.iter_mut().zip(codes) {
            let hash = hashes.get(index(*code)).copied().unwrap_or(0);
            *row = row.wrapping_add(hash);
        }
    }
}

fn of_code(column: usize, dictionary: &Dictionary, code: u32) -> u64 {
    if column == SHAPE {
        let value = |(place, field): (usize, &trailkeep_event::Field)| {
            let value = dictionary.member(place)?.value(*field, code)?;
            Some(of_value(usize::from(field.number()), value))
        };
        let values = SHAPED.iter().enumerate().filter_map(value);
        return values.fold(0, u64::wrapping_add);
    }
    let text = dictionary.text(code).map(|text| of_text(column, text));
    let number = dictionary.int(code).map(|number| of_number(column, number));
    text.or(number).unwrap_or(0)
}

fn of_value(column: usize, value: ValueRef<'_>) -> u64 {
    match value {
        ValueRef::Text(text) | ValueRef::Json(text) => of_text(column, text),
        ValueRef::Int(number) => of_number(column, number),
        ValueRef::Bool(truth) => of_number(column, i64::from(truth)),
        ValueRef::Time(at) => of_number(column, at.0),
        ValueRef::Id(_) => 0,
    }
}

fn of_text(column: usize, text: &str) -> u64 {
    if column == METADATA || column >= MEMBERS {
        // The same however an object is divided; but none and an empty one are not the same.
        let members = members_of(text);
        let hashes = members.map(|member| of_bytes(METADATA, member.as_bytes()));
        return hashes.reduce(u64::wrapping_add).unwrap_or_else(|| of_bytes(METADATA, b"{}"));
    }
    of_bytes(column, text.as_bytes())
}

fn of_bytes(column: usize, bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(long(column), bytes)
}

fn of_number(column: usize, number: i64) -> u64 {
    let number = u64::from_le_bytes(number.to_le_bytes());
    mix(number ^ mix(long(column).wrapping_add(1)))
}

fn of_wide(column: usize, number: u128) -> u64 {
    let low = u64::try_from(number & u128::from(u64::MAX)).unwrap_or(0);
    let high = u64::try_from(number >> 64).unwrap_or(0);
    mix(mix(low ^ mix(long(column).wrapping_add(1))).wrapping_add(high))
}

/// Mixes bits; distinct numbers stay distinct.
fn mix(number: u64) -> u64 {
    let mut hash = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::N_STORED;
    use arrow_array::{Int64Array, StringArray};

    fn total(columns: &[(usize, Column)]) -> u64 {
        let n_rows = columns.first().map_or(0, |(_, column)| column.n_rows());
        let mut all = vec![Column::Absent(n_rows); N_STORED];
        for (column, values) in columns {
            all[*column] = values.clone();
        }
        let mut checksum = Checksum::default();
        checksum.add(n_rows, &all);
        checksum.total()
    }

    fn text(values: &[Option<&str>]) -> Column {
        Column::Text(StringArray::from(values.to_vec()))
    }

    #[test]
    fn every_value_and_its_place_count() {
        let numbers = |numbers: &[i64]| Column::Int(Int64Array::from(numbers.to_vec()));
        let same = [(0, text(&[Some("a"), Some("b")])), (12, numbers(&[1, 2]))];
        let others = [
            [(0, text(&[Some("b"), Some("a")])), (12, numbers(&[1, 2]))],
            [(0, text(&[Some("a"), Some("b")])), (12, numbers(&[1, 3]))],
            [(0, text(&[Some("a"), None])), (12, numbers(&[1, 2]))],
            [(3, text(&[Some("a"), Some("b")])), (12, numbers(&[1, 2]))],
        ];
        for other in &others {
            assert_ne!(total(other), total(&same));
        }
        let turned = [(0, text(&[Some("b"), Some("a")])), (12, numbers(&[2, 1]))];
        assert_eq!(total(&turned), total(&same), "the order of rows does not count");
    }

    #[test]
    fn an_object_counts_the_same_however_it_is_divided() {
        let whole = [(METADATA, text(&[Some(r#"{"a":1,"b":"x"}"#), None, Some("{}")]))];
        let parts = [
            (METADATA, text(&[Some(r#"{"b":"x"}"#), None, Some("{}")])),
            (MEMBERS, text(&[Some(r#"{"a":1}"#), None, None])),
        ];
        assert_eq!(total(&parts), total(&whole));
        let other = [(METADATA, text(&[Some(r#"{"a":1,"b":"x"}"#), Some("{}"), None]))];
        assert_eq!(total(&other), total(&whole));
        let fewer = [(METADATA, text(&[Some(r#"{"a":1,"b":"x"}"#), None, None]))];
        assert_ne!(total(&fewer), total(&whole));
    }
}
