//! A set of rows.

const WORD_BITS: usize = 64;

/// One bit for each of a fixed number of rows.
///
/// ```
/// # use trailkeep_filter::Bits;
/// let mut bits = Bits::from_fn(100, |row| row % 30 == 0);
/// bits.and(&Bits::from_fn(100, |row| row > 0));
/// assert_eq!(bits.iter().collect::<Vec<_>>(), [30, 60, 90]);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bits {
    /// The bits behind the last row are 0.
    words: Box<[u64]>,
    n_rows: usize,
}

impl Bits {
    /// Returns the set without a row.
    pub fn none(n_rows: usize) -> Self {
        Self { words: vec![0; n_rows.div_ceil(WORD_BITS)].into(), n_rows }
    }

    /// Returns the set of all rows.
    pub fn all(n_rows: usize) -> Self {
        Self::from_words(n_rows, vec![u64::MAX; n_rows.div_ceil(WORD_BITS)])
    }

    /// Makes a set of words, the first row in the lowest bit of the first. Missing words are 0,
    /// and what is beyond the last row is left out.
    pub fn from_words(n_rows: usize, mut words: Vec<u64>) -> Self {
        words.resize(n_rows.div_ceil(WORD_BITS), 0);
        let n_last = n_rows % WORD_BITS;
        if n_last > 0
            && let Some(last) = words.last_mut()
        {
            *last &= (1_u64 << n_last).wrapping_sub(1);
        }
        Self { words: words.into(), n_rows }
    }

    /// Makes the set of the rows that pass.
    pub fn from_fn(n_rows: usize, mut passes: impl FnMut(usize) -> bool) -> Self {
        let word = |first: usize| {
            let rows = first..n_rows.min(first.saturating_add(WORD_BITS));
            let bits = rows.zip(0_u32..).map(|(row, bit)| u64::from(passes(row)) << bit);
            bits.fold(0, |word, bit| word | bit)
        };
        Self { words: (0..n_rows).step_by(WORD_BITS).map(word).collect(), n_rows }
    }

    /// Returns the number of rows, in the set or not.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Returns the words; the bits behind the last row are 0.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Returns how many rows are in the set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| usize::try_from(word.count_ones()).unwrap_or(0)).sum()
    }

    /// Tells whether no row is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Tells whether a row is in the set.
    pub fn has(&self, row: usize) -> bool {
        self.words.get(row / WORD_BITS).is_some_and(|word| word >> (row % WORD_BITS) & 1 == 1)
    }

    /// Puts a row into the set; one that is none of the rows stays out.
    pub fn insert(&mut self, row: usize) {
        if row < self.n_rows
            && let Some(word) = self.words.get_mut(row / WORD_BITS)
        {
            *word |= 1 << (row % WORD_BITS);
        }
    }

    /// Leaves the rows that are in both sets.
    ///
    /// # Panics
    /// Where the sets are not of the same rows, as do the two below.
    pub fn and(&mut self, other: &Self) {
        self.combine(other, |a, b| a & b);
    }

    /// Adds the rows of the other set.
    pub fn or(&mut self, other: &Self) {
        self.combine(other, |a, b| a | b);
    }

    /// Takes the rows of the other set out.
    pub fn and_not(&mut self, other: &Self) {
        self.combine(other, |a, b| a & !b);
    }

    fn combine(&mut self, other: &Self, combine: impl Fn(u64, u64) -> u64) {
        assert_eq!(self.n_rows, other.n_rows, "sets of different rows are combined");
        for (word, with) in self.words.iter_mut().zip(&other.words) {
            *word = combine(*word, *with);
        }
    }

    /// Returns the rows in the set, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let first = at.saturating_mul(WORD_BITS);
            Ones(*word).map(move |bit| first.saturating_add(bit))
        })
    }
}

/// The places of the ones in a word.
struct Ones(u64);

impl Iterator for Ones {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let bit = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        usize::try_from(bit).ok().filter(|bit| *bit < WORD_BITS)
    }
}

impl DoubleEndedIterator for Ones {
    fn next_back(&mut self) -> Option<usize> {
        let bit = 63_u32.checked_sub(self.0.leading_zeros())?;
        self.0 ^= 1 << bit;
        usize::try_from(bit).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn the_same_as_sets(n_rows in 0_usize..200, a: Vec<u8>, b: Vec<u8>) {
            let rows = |rows: &[u8]| -> BTreeSet<usize> {
                rows.iter().map(|row| usize::from(*row)).filter(|row| *row < n_rows).collect()
            };
            let (a, b) = (rows(&a), rows(&b));
            let bits = |rows: &BTreeSet<usize>| Bits::from_fn(n_rows, |row| rows.contains(&row));
            let same = |bits: &Bits, rows: BTreeSet<usize>| {
                bits.count() == rows.len()
                    && bits.is_empty() == rows.is_empty()
                    && bits.iter().eq(rows.iter().copied())
                    && bits.iter().rev().eq(rows.iter().rev().copied())
                    && (0..300).all(|row| bits.has(row) == rows.contains(&row))
                    && Bits::from_words(n_rows, bits.words().to_vec()) == *bits
            };
            prop_assert!(same(&bits(&a), a.clone()));
            prop_assert!(same(&Bits::none(n_rows), BTreeSet::new()));
            prop_assert!(same(&Bits::all(n_rows), (0..n_rows).collect()));
            let mut both = bits(&a);
            both.and(&bits(&b));
            prop_assert!(same(&both, &a & &b));
            let mut either = bits(&a);
            either.or(&bits(&b));
            prop_assert!(same(&either, &a | &b));
            let mut rest = bits(&a);
            rest.and_not(&bits(&b));
            prop_assert!(same(&rest, &a - &b));
            let mut inserted = Bits::none(n_rows);
            for row in a.iter().copied().chain([n_rows, 1000]) {
                inserted.insert(row);
            }
            prop_assert!(same(&inserted, a));
        }
    }
}
