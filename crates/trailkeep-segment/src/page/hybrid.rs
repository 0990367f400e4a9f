//! The hybrid of run lengths and packed bits, in which levels and dictionary codes are written.

use crate::numbers::{index, long, low_half};

/// The widest number that is read.
const WIDTH_MAX: u32 = 32;
/// How many numbers a packed group has.
const GROUP: usize = 8;

/// Some equal or some packed numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run<'a> {
    Equal {
        number: u32,
        length: usize,
    },
    /// `bytes` go on after the run.
    Packed {
        bytes: &'a [u8],
        length: usize,
    },
}

impl Run<'_> {
    pub(crate) fn length(&self) -> usize {
        match self {
            Self::Equal { length, .. } | Self::Packed { length, .. } => *length,
        }
    }
}

/// The runs of a stream of numbers. The stream must be followed by at least eight other bytes,
/// so that a number is read by one load.
#[derive(Debug)]
pub(crate) struct Runs<'a> {
    bytes: &'a [u8],
    width: u32,
}

impl<'a> Runs<'a> {
    /// Starts at a stream of numbers of so many bits.
    pub(crate) fn new(bytes: &'a [u8], width: u32) -> Option<Self> {
        (width <= WIDTH_MAX).then_some(Self { bytes, width })
    }

    /// Returns the next run; `None` where the bytes are none.
    pub(crate) fn next(&mut self) -> Option<Run<'a>> {
        let (head, rest) = varint(self.bytes)?;
        let length = usize::try_from(head >> 1).ok()?;
        if head & 1 == 0 {
            let n_bytes = index(self.width.div_ceil(8));
            let (bytes, rest) = rest.split_at_checked(n_bytes)?;
            let mut padded = [0_u8; 4];
            for (slot, byte) in padded.iter_mut().zip(bytes) {
                *slot = *byte;
            }
            self.bytes = rest;
            return Some(Run::Equal { number: u32::from_le_bytes(padded), length });
        }
        let n_bytes = length.checked_mul(index(self.width))?;
        let bytes = rest;
        self.bytes = rest.get(n_bytes..)?;
        Some(Run::Packed { bytes, length: length.checked_mul(GROUP)? })
    }

    /// Appends the numbers from `first` on, `length` of them.
    pub(crate) fn read(mut self, first: usize, length: usize, out: &mut Vec<u32>) -> Option<()> {
        let mut skip = first;
        let mut left = length;
        while left > 0 {
            let run = self.next()?;
            if run.length() == 0 {
                return None;
            }
            let from = skip.min(run.length());
            skip = skip.saturating_sub(from);
            let take = run.length().saturating_sub(from).min(left);
            left = left.saturating_sub(take);
            match run {
                Run::Equal { number, .. } => out.resize(out.len().saturating_add(take), number),
                Run::Packed { bytes, .. } => unpack(bytes, self.width, (from, take), out)?,
            }
        }
        Some(())
    }

    /// Appends the numbers at ascending places.
    pub(crate) fn pick(mut self, places: &[usize], out: &mut Vec<u32>) -> Option<()> {
        let mut start = 0_usize;
        let mut run = Run::Equal { number: 0, length: 0 };
        for place in places {
            let mut end = start.checked_add(run.length())?;
            while *place >= end {
                run = self.next()?;
                if run.length() == 0 {
                    return None;
                }
                start = end;
                end = start.checked_add(run.length())?;
            }
            match run {
                Run::Equal { number, .. } => out.push(number),
                Run::Packed { bytes, .. } => {
                    unpack(bytes, self.width, (place.checked_sub(start)?, 1), out)?;
                }
            }
        }
        Some(())
    }
}

/// Appends packed numbers: `take` of them from `from` on.
fn unpack(
    bytes: &[u8],
    width: u32,
    (from, take): (usize, usize),
    out: &mut Vec<u32>,
) -> Option<()> {
    let mask = (1_u64 << width).wrapping_sub(1);
    let step = index(width);
    let mut bit = from.checked_mul(step)?;
    // The last number must be in the bytes: then the others are.
    bytes.get(bit.checked_add(take.checked_mul(step)?)?.div_ceil(8)..)?;
    out.reserve(take);
    for _ in 0..take {
        let window = bytes.get(bit / 8..)?.first_chunk::<8>()?;
        let word = u64::from_le_bytes(*window) >> (long(bit) & 7);
        out.push(low_half(word & mask));
        bit = bit.wrapping_add(step);
    }
    Some(())
}

/// Reads a variable-length number and returns what follows it.
pub(crate) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        let shift = u32::try_from(at).ok()?.checked_mul(7)?;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at.checked_add(1)?..)?));
        }
    }
    None
}
