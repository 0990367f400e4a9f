//! Values that are written one after the other.

use super::picks::Picks;
use crate::numbers::index;

/// Appends the texts at some places: their bytes, and where each ends.
pub(crate) fn texts(
    bytes: &[u8],
    places: &Picks,
    out: &mut Vec<u8>,
    ends: &mut Vec<i32>,
) -> Option<()> {
    let mut rest = bytes;
    let mut at = 0_usize;
    places.each(|place| {
        loop {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let (text, after) = after.split_at_checked(index(u32::from_le_bytes(*length)))?;
            rest = after;
            at = at.checked_add(1)?;
            if at > place {
                out.extend_from_slice(text);
                ends.push(i32::try_from(out.len()).ok()?);
                return Some(());
            }
        }
    })
}

/// Appends the numbers of eight bytes at some places.
pub(crate) fn longs(bytes: &[u8], places: &Picks, out: &mut Vec<i64>) -> Option<()> {
    if let Picks::Range(range) = places {
        let run = bytes.get(range.start.checked_mul(8)?..range.end.checked_mul(8)?)?;
        out.extend(run.as_chunks().0.iter().map(|word| i64::from_le_bytes(*word)));
        return Some(());
    }
    places.each(|place| {
        let window = bytes.get(place.checked_mul(8)?..)?.first_chunk::<8>()?;
        out.push(i64::from_le_bytes(*window));
        Some(())
    })
}

/// Appends the numbers of four bytes at some places.
pub(crate) fn smalls(bytes: &[u8], places: &Picks, out: &mut Vec<i64>) -> Option<()> {
    places.each(|place| {
        let window = bytes.get(place.checked_mul(4)?..)?.first_chunk::<4>()?;
        out.push(i64::from(i32::from_le_bytes(*window)));
        Some(())
    })
}

/// Appends the numbers of eight bytes at some places, whose bytes stand apart: all first bytes
/// come first, then all second ones. `n_values` says how many there are.
pub(crate) fn split_longs(
    bytes: &[u8],
    n_values: usize,
    places: &Picks,
    out: &mut Vec<i64>,
) -> Option<()> {
    let mut streams = [&[][..]; 8];
    let mut rest = bytes;
    for stream in &mut streams {
        (*stream, rest) = rest.split_at_checked(n_values)?;
    }
    if let Picks::Range(range) = places {
        let mut words = vec![0_u64; range.len()];
        for (stream, shift) in streams.iter().zip((0_u32..).step_by(8)) {
            let bytes = stream.get(range.clone())?;
            // The high bytes of most numbers are 0: to see that takes less than to add them.
            if bytes.iter().fold(0, |all, byte| all | byte) != 0 {
                for (word, byte) in words.iter_mut().zip(bytes) {
                    *word |= u64::from(*byte) << shift;
                }
            }
        }
        out.extend(words.into_iter().map(|word| i64::from_le_bytes(word.to_le_bytes())));
        return Some(());
    }
    places.each(|place| {
        let mut number = [0_u8; 8];
        for (slot, stream) in number.iter_mut().zip(&streams) {
            *slot = *stream.get(place)?;
        }
        out.push(i64::from_le_bytes(number));
        Some(())
    })
}

/// Appends the truth values at some places, as 0 and 1.
pub(crate) fn truths(bytes: &[u8], places: &Picks, out: &mut Vec<i64>) -> Option<()> {
    places.each(|place| {
        let byte = bytes.get(place / 8)?;
        out.push(i64::from((byte >> (place & 7)) & 1));
        Some(())
    })
}

/// Appends the values of a fixed width at some places.
pub(crate) fn fixed(bytes: &[u8], width: usize, places: &Picks, out: &mut Vec<u8>) -> Option<()> {
    places.each(|place| {
        let start = place.checked_mul(width)?;
        out.extend_from_slice(bytes.get(start..start.checked_add(width)?)?);
        Some(())
    })
}
