//! Which rows of a page have a value.

use std::ops::Range;

use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, Buffer};

use super::hybrid::{Run, Runs};
use super::picks::Picks;

const WORD_BITS: usize = 64;

/// Which rows of a page have a value: all where the column cannot be without one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Levels<'a> {
    /// All rows have one.
    All,
    /// A bit for each row, in runs; at least eight other bytes follow.
    Bits(&'a [u8]),
}

impl<'a> Levels<'a> {
    /// Reads levels of one bit from the front of a page's body, and returns the length they take.
    /// They must be followed by at least eight other bytes.
    pub(crate) fn read(body: &'a [u8]) -> Option<(Self, usize)> {
        let (length, rest) = body.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        rest.get(length..)?;
        Some((Self::Bits(rest), length.checked_add(4)?))
    }

    /// Returns which of the picked rows have a value, and the places of these values among the
    /// page's; `None` where the levels are malformed.
    pub(crate) fn places(self, picks: &Picks) -> Option<(BooleanBuffer, Picks)> {
        let Self::Bits(bytes) = self else {
            return Some((BooleanBuffer::new_set(picks.len()), picks.clone()));
        };
        let runs = Runs::new(bytes, 1)?;
        match picks {
            Picks::Range(range) => {
                let bits = bits(runs, range.end)?;
                let inside = bits.slice(range.start, range.len());
                let first = bits.slice(0, range.start).count_set_bits();
                let places = first..first.saturating_add(inside.count_set_bits());
                Some((inside, Picks::Range(places)))
            }
            Picks::List(list) => {
                let (present, places) = places_of(runs, list)?;
                Some((present, Picks::List(places)))
            }
        }
    }
}

/// Reads the first bits.
fn bits(mut runs: Runs<'_>, n_rows: usize) -> Option<BooleanBuffer> {
    // A word more: the last byte of a run may reach beyond the last row.
    let mut words = vec![0_u64; n_rows.div_ceil(WORD_BITS).checked_add(1)?];
    let mut row = 0_usize;
    while row < n_rows {
        let run = runs.next().filter(|run| run.length() > 0)?;
        let end = row.saturating_add(run.length()).min(n_rows);
        match run {
            Run::Equal { number: 0, .. } => {}
            Run::Equal { .. } => put_ones(&mut words, row..end)?,
            Run::Packed { bytes, .. } => {
                let bytes = bytes.get(..end.saturating_sub(row).div_ceil(8))?;
                for (first, byte) in (row..end).step_by(8).zip(bytes) {
                    put(&mut words, first, u64::from(*byte))?;
                }
            }
        }
        row = end;
    }
    let words: Vec<u64> = words.into_iter().map(u64::to_le).collect();
    Some(BooleanBuffer::new(Buffer::from_vec(words), 0, n_rows))
}

/// Puts ones into a run of bits that are 0.
fn put_ones(words: &mut [u64], bits: Range<usize>) -> Option<()> {
    let mut first = bits.start;
    while first < bits.end {
        let n_bits = bits.end.saturating_sub(first).min(WORD_BITS - first % WORD_BITS);
        let ones = u64::MAX >> (WORD_BITS.checked_sub(n_bits)?);
        put(words, first, ones)?;
        first = first.saturating_add(n_bits);
    }
    Some(())
}

/// Puts some bits where there are zeros.
fn put(words: &mut [u64], first: usize, bits: u64) -> Option<()> {
    let (word, shift) = (first / WORD_BITS, first % WORD_BITS);
    *words.get_mut(word)? |= bits << shift;
    // In two steps: a shift by all 64 bits is none.
    let beyond = bits >> (WORD_BITS - 1 - shift) >> 1;
    if beyond != 0 {
        *words.get_mut(word.saturating_add(1))? |= beyond;
    }
    Some(())
}

/// Finds the places of a few rows without looking at what follows the last.
fn places_of(mut runs: Runs<'_>, rows: &[usize]) -> Option<(BooleanBuffer, Vec<usize>)> {
    let mut present = BooleanBufferBuilder::new(rows.len());
    let mut places = Vec::with_capacity(rows.len());
    let mut run = Run::Equal { number: 0, length: 0 };
    // Where the run starts, and how many values come before it.
    let (mut start, mut before) = (0_usize, 0_usize);
    for row in rows {
        while *row >= start.checked_add(run.length())? {
            start = start.checked_add(run.length())?;
            before = before.checked_add(n_set(run, run.length())?)?;
            run = runs.next().filter(|run| run.length() > 0)?;
        }
        let offset = row.checked_sub(start)?;
        let is_there = match run {
            Run::Equal { number, .. } => number != 0,
            Run::Packed { bytes, .. } => (bytes.get(offset / 8)? >> (offset & 7)) & 1 == 1,
        };
        present.append(is_there);
        if is_there {
            places.push(before.checked_add(n_set(run, offset)?)?);
        }
    }
    Some((present.finish(), places))
}

/// Counts the bits that are set among the first of a run.
fn n_set(run: Run<'_>, length: usize) -> Option<usize> {
    match run {
        Run::Equal { number: 0, .. } => Some(0),
        Run::Equal { .. } => Some(length),
        Run::Packed { bytes, .. } => {
            let (whole, rest) = bytes.split_at_checked(length / 8)?;
            let count = |byte: &u8| usize::try_from(byte.count_ones()).unwrap_or(0);
            let mask = (1_u8 << (length & 7)).wrapping_sub(1);
            let last = rest.first().map_or(0, |byte| count(&(byte & mask)));
            Some(whole.iter().map(count).sum::<usize>().saturating_add(last))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_of_any_length_are_put_together(
            runs in prop::collection::vec((1_usize..90, any::<bool>(), any::<[u8; 12]>()), 1..12),
            n_missing in 0_usize..40,
        ) {
            let (mut bytes, mut expected) = (Vec::new(), Vec::new());
            for (n, packed, words) in runs {
                if packed {
                    let n_bytes = n.min(words.len());
                    bytes.push(u8::try_from(n_bytes << 1 | 1).unwrap());
                    bytes.extend_from_slice(&words[..n_bytes]);
                    let bit = |at: usize| words[at / 8] >> (at % 8) & 1 == 1;
                    expected.extend((0..n_bytes * 8).map(bit));
                } else {
                    let n = n.min(63);
                    bytes.extend_from_slice(&[u8::try_from(n << 1).unwrap(), words[0] & 1]);
                    expected.extend(std::iter::repeat_n(words[0] & 1 == 1, n));
                }
            }
            bytes.extend_from_slice(&[0; 8]);
            expected.truncate(expected.len().saturating_sub(n_missing));
            let found = bits(Runs::new(&bytes, 1).unwrap(), expected.len()).unwrap();
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected);
        }
    }
}
