//! Finds the group of each row.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::numbers::{index, mix};

/// The most things that can be grouped by at once.
pub(crate) const GROUP_BY_MAX: usize = 4;
/// What a group takes in the tables here.
const GROUP_BYTES: usize = 64;
const UNKNOWN: u32 = u32::MAX;

/// The groups that were met, numbered: each is a combination of the numbers of its values.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    keys: Vec<u128>,
    found: HashMap<u128, u32, BuildHasherDefault<Fold>>,
    /// The group of each number, where there is one column.
    dense: Vec<u32>,
    bytes: usize,
}

impl Groups {
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns how many bytes were taken since this was asked last.
    pub(crate) fn grown(&mut self) -> usize {
        std::mem::take(&mut self.bytes)
    }

    /// Returns the numbers of a group's values, in the order of the columns.
    pub(crate) fn values(&self, group: usize, n_columns: usize) -> Vec<u32> {
        let key = self.keys.get(group).copied().unwrap_or_default();
        (0..n_columns).rev().map(|column| unpack(key, column)).collect()
    }

    /// Returns the group of each row.
    pub(crate) fn of_rows(&mut self, columns: &[Vec<u32>], n_rows: usize) -> Vec<u32> {
        match columns {
            [] => {
                let group = self.group(0);
                vec![group; n_rows]
            }
            [only] => only.iter().map(|id| self.of_one(*id)).collect(),
            [first, rest @ ..] => {
                let mut last = (0, UNKNOWN);
                let group = |(row, id): (usize, &u32)| {
                    let key = rest.iter().fold(u128::from(*id), |key, column| {
                        (key << 32) | u128::from(column.get(row).copied().unwrap_or_default())
                    });
                    if last.0 != key || last.1 == UNKNOWN {
                        last = (key, self.group(key));
                    }
                    last.1
                };
                first.iter().enumerate().map(group).collect()
            }
        }
    }

    fn of_one(&mut self, id: u32) -> u32 {
        if let Some(known) = self.dense.get(index(id)).copied().filter(|group| *group != UNKNOWN) {
            return known;
        }
        let group = self.group(u128::from(id));
        if self.dense.len() <= index(id) {
            self.dense.resize(index(id).saturating_add(1), UNKNOWN);
        }
        if let Some(slot) = self.dense.get_mut(index(id)) {
            *slot = group;
        }
        group
    }

    fn group(&mut self, key: u128) -> u32 {
        let next = u32::try_from(self.keys.len()).unwrap_or(UNKNOWN);
        let group = *self.found.entry(key).or_insert(next);
        if group == next {
            self.keys.push(key);
            self.bytes = self.bytes.saturating_add(GROUP_BYTES);
        }
        group
    }

    /// Takes in the groups of another part, whose values have new numbers by `renamed`, and
    /// returns their numbers here.
    pub(crate) fn absorb(&mut self, other: &Self, renamed: &[Vec<u32>]) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(other.len());
        for group in 0..other.len() {
            let values = other.values(group, renamed.len());
            let key = values.iter().zip(renamed).fold(0, |key, (id, renamed)| {
                (key << 32) | u128::from(renamed.get(index(*id)).copied().unwrap_or_default())
            });
            numbers.push(self.group(key));
        }
        numbers
    }
}

fn unpack(key: u128, column: usize) -> u32 {
    let shift = u32::try_from(column).unwrap_or(0).saturating_mul(32);
    u32::try_from(key.checked_shr(shift).unwrap_or(0) & u128::from(u32::MAX)).unwrap_or(0)
}

/// Hashes quickly and always alike. Who can choose values can make a query slow, which its time
/// bounds.
#[derive(Debug, Default)]
pub(crate) struct Fold(u64);

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        for (slot, byte) in last.iter_mut().zip(rest) {
            *slot = *byte;
        }
        self.write_u64(u64::from_le_bytes(last));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = mix(self.0 ^ word);
    }

    fn write_u128(&mut self, word: u128) {
        let low = u64::try_from(word & u128::from(u64::MAX)).unwrap_or(0);
        let high = u64::try_from(word >> 64).unwrap_or(0);
        self.0 = mix(low ^ high.rotate_left(29).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_the_same_values_are_one_group() {
        let mut groups = Groups::default();
        let columns = [vec![1, 2, 1, 2, 1], vec![7, 7, 7, 8, 7], vec![0, 0, 0, 0, 1]];
        assert_eq!(groups.of_rows(&columns, 5), [0, 1, 0, 2, 3]);
        assert_eq!(groups.values(2, 3), [2, 8, 0]);
        let mut others = Groups::default();
        others.of_rows(&[vec![1, 2], vec![1, 1], vec![0, 0]], 2);
        // There 1 and 2 are what 2 and 9 are here.
        let renamed = [vec![0, 2, 9], vec![0, 7], vec![0]];
        assert_eq!(groups.absorb(&others, &renamed), [1, 4]);
    }

    #[test]
    fn one_column_and_none() {
        let mut groups = Groups::default();
        assert_eq!(groups.of_rows(&[vec![5, 0, 5]], 3), [0, 1, 0]);
        assert_eq!(Groups::default().of_rows(&[], 2), [0, 0]);
    }
}
