//! Which rows of a page have a value.

use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};

use super::hybrid::{Run, Runs};
use super::picks::Picks;

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
    pub(crate) fn places(self, picks: &Picks, present: &mut Vec<bool>) -> Option<Picks> {
        let Self::Bits(bytes) = self else {
            present.resize(present.len().saturating_add(picks.len()), true);
            return Some(picks.clone());
        };
        let runs = Runs::new(bytes, 1)?;
        match picks {
            Picks::Range(range) => {
                let bits = bits(runs, range.end)?;
                let inside = bits.slice(range.start, range.len());
                present.extend(inside.iter());
                let first = bits.slice(0, range.start).count_set_bits();
                Some(Picks::Range(first..first.saturating_add(inside.count_set_bits())))
            }
            Picks::List(list) => places_of(runs, list, present).map(Picks::List),
        }
    }
}

/// Reads the first bits.
fn bits(mut runs: Runs<'_>, n_rows: usize) -> Option<BooleanBuffer> {
    let mut bits = BooleanBufferBuilder::new(n_rows);
    while bits.len() < n_rows {
        let left = n_rows.saturating_sub(bits.len());
        match runs.next()? {
            Run::Equal { length: 0, .. } | Run::Packed { length: 0, .. } => return None,
            Run::Equal { number, length } => bits.append_n(length.min(left), number != 0),
            Run::Packed { bytes, length } => {
                let length = length.min(left);
                let bytes = bytes.get(..length.div_ceil(8))?;
                bits.append_packed_range(0..length, bytes);
            }
        }
    }
    Some(bits.finish())
}

/// Finds the places of a few rows without looking at what follows the last.
fn places_of(mut runs: Runs<'_>, rows: &[usize], present: &mut Vec<bool>) -> Option<Vec<usize>> {
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
        present.push(is_there);
        if is_there {
            places.push(before.checked_add(n_set(run, offset)?)?);
        }
    }
    Some(places)
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
