//! Numbers as packed differences (Parquet's `DELTA_BINARY_PACKED`).

use super::hybrid::varint;
use crate::numbers::{index, long};

/// The most numbers of a block that is read.
const BLOCK_NUMBERS_MAX: u64 = 1 << 16;

/// Returns the first numbers of a stream, `length` of them. The stream must be followed by at
/// least 16 other bytes, so that a number is read by one load.
pub(crate) fn read(bytes: &[u8], length: usize) -> Option<Vec<i64>> {
    let (block, bytes) = varint(bytes)?;
    let (n_minis, bytes) = varint(bytes)?;
    let (total, bytes) = varint(bytes)?;
    let (first, mut bytes) = varint(bytes)?;
    if block > BLOCK_NUMBERS_MAX || n_minis == 0 || total < long(length) {
        return None;
    }
    let mini = usize::try_from(block.checked_div(n_minis)?).ok()?;
    if mini == 0 || mini.checked_rem(8)? != 0 {
        return None;
    }
    let mut last = unzigzag(first);
    let mut out = Vec::with_capacity(length);
    if length > 0 {
        out.push(last);
    }
    while out.len() < length {
        let (least, rest) = varint(bytes)?;
        let least = unzigzag(least);
        let (widths, rest) = rest.split_at_checked(usize::try_from(n_minis).ok()?)?;
        bytes = rest;
        for width in widths {
            let left = length.saturating_sub(out.len());
            if left == 0 {
                break;
            }
            let width = u32::from(*width);
            last = add(bytes, (width, least), left.min(mini), last, &mut out)?;
            bytes = bytes.get(mini.checked_mul(index(width))? / 8..)?;
        }
    }
    Some(out)
}

/// Appends the numbers that packed differences lead to, and returns the last.
fn add(
    bytes: &[u8],
    (width, least): (u32, i64),
    length: usize,
    mut last: i64,
    out: &mut Vec<i64>,
) -> Option<i64> {
    let step = index(width);
    let mut bit = 0_usize;
    if width == 0 {
        for _ in 0..length {
            last = last.wrapping_add(least);
            out.push(last);
        }
    } else if width <= 56 {
        let mask = (1_u64 << width).wrapping_sub(1);
        for _ in 0..length {
            let window = bytes.get(bit / 8..)?.first_chunk::<8>()?;
            let word = (u64::from_le_bytes(*window) >> (long(bit) & 7)) & mask;
            last = last.wrapping_add(least).wrapping_add(signed(word));
            out.push(last);
            bit = bit.wrapping_add(step);
        }
    } else {
        let mask = 1_u128.checked_shl(width)?.wrapping_sub(1);
        for _ in 0..length {
            let window = bytes.get(bit / 8..)?.first_chunk::<16>()?;
            let word = (u128::from_le_bytes(*window) >> (long(bit) & 7)) & mask;
            last = last.wrapping_add(least).wrapping_add(signed(u64::try_from(word).ok()?));
            out.push(last);
            bit = bit.wrapping_add(step);
        }
    }
    Some(last)
}

fn signed(bits: u64) -> i64 {
    i64::from_le_bytes(bits.to_le_bytes())
}

pub(crate) fn unzigzag(raw: u64) -> i64 {
    signed(raw >> 1) ^ signed(raw & 1).wrapping_neg()
}
