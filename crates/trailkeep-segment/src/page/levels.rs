//! Which rows of a page have a value.

use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};

use super::hybrid::{Run, Runs};
use super::picks::Picks;

/// Which rows of a page have a value: all where the column cannot be without one.
#[derive(Clone, Debug)]
pub(crate) struct Levels(Option<BooleanBuffer>);

impl Levels {
    /// Returns the levels of a column that always has a value.
    pub(crate) fn all() -> Self {
        Self(None)
    }

    /// Reads levels of one bit from the front of a page's body, and returns the length they take.
    /// They must be followed by at least eight other bytes.
    pub(crate) fn read(body: &[u8], n_rows: usize) -> Option<(Self, usize)> {
        let (length, rest) = body.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        rest.get(length..)?;
        let mut runs = Runs::new(rest, 1)?;
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
        Some((Self(Some(bits.finish())), length.checked_add(4)?))
    }

    /// Returns which of the picked rows have a value, and the places of these values among the
    /// page's.
    pub(crate) fn places(&self, picks: &Picks, present: &mut Vec<bool>) -> Option<Picks> {
        let Some(bits) = &self.0 else {
            present.resize(present.len().saturating_add(picks.len()), true);
            return Some(picks.clone());
        };
        if picks.end() > bits.len() {
            return None;
        }
        let count =
            |from: usize, to: usize| bits.slice(from, to.saturating_sub(from)).count_set_bits();
        match picks {
            Picks::Range(range) => {
                present.extend(bits.slice(range.start, range.len()).iter());
                let first = count(0, range.start);
                Some(Picks::Range(first..first.saturating_add(count(range.start, range.end))))
            }
            Picks::List(list) => {
                let (mut at, mut place) = (0, 0_usize);
                let mut places = Vec::with_capacity(list.len());
                for row in list {
                    place = place.saturating_add(count(at, *row));
                    at = *row;
                    let is_there = bits.value(*row);
                    present.push(is_there);
                    if is_there {
                        places.push(place);
                    }
                }
                Some(Picks::List(places))
            }
        }
    }
}
