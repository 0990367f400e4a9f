//! Which fields a row has.

use crate::Field;

/// How many bytes the set takes at the front of a row.
pub(crate) const PRESENCE_BYTES: usize = 16;

const WORD_BITS: u8 = 64;

/// A set of fields: a bit a field number, the low word first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Presence([u64; 2]);

impl Presence {
    /// Reads 16 bytes, little-endian.
    #[inline]
    pub(crate) fn from_bytes(bytes: [u8; PRESENCE_BYTES]) -> Self {
        let bits = u128::from_le_bytes(bytes);
        let low = u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0);
        Self([low, u64::try_from(bits >> WORD_BITS).unwrap_or(0)])
    }

    /// Returns the 16 bytes that [`Presence::from_bytes`] reads.
    pub(crate) fn to_bytes(self) -> [u8; PRESENCE_BYTES] {
        let [low, high] = self.0;
        ((u128::from(high) << WORD_BITS) | u128::from(low)).to_le_bytes()
    }

    /// Tells whether every bit is of a field that a row can hold.
    pub(crate) fn in_row(self) -> bool {
        let [_low, high] = self.0;
        high & !HIGH_IN_ROW == 0
    }

    /// Tells whether a field that a row can hold is in the set.
    #[inline]
    pub(crate) fn has(self, field: Field) -> bool {
        let (word, mark) = place(field);
        self.0.get(word).is_some_and(|bits| bits & mark != 0)
    }

    /// Adds a field that a row can hold, and tells whether it is new.
    #[inline]
    pub(crate) fn add(&mut self, field: Field) -> bool {
        let (word, mark) = place(field);
        let Some(bits) = self.0.get_mut(word) else { return false };
        let new = *bits & mark == 0;
        *bits |= mark;
        new
    }

    /// Returns the fields in number order.
    #[inline]
    pub(crate) fn fields(self) -> PresentFields {
        let [low, high] = self.0;
        PresentFields { low, high: high & HIGH_IN_ROW }
    }

    /// Returns the fields with a smaller number, in number order.
    #[inline]
    pub(crate) fn before(self, field: Field) -> PresentFields {
        let PresentFields { low, high } = self.fields();
        let (word, mark) = place(field);
        let below = mark.wrapping_sub(1);
        if word == 0 {
            PresentFields { low: low & below, high: 0 }
        } else {
            PresentFields { low, high: high & below }
        }
    }
}

/// The bits of the high word that are fields of a row.
const HIGH_IN_ROW: u64 = (1 << (Field::IN_ROW - 64)) - 1;

/// Returns the word and the bit of a field; of one that is no part of a row, no bit.
#[inline]
fn place(field: Field) -> (usize, u64) {
    let number = field.number();
    let mark = 1_u64 << (number % WORD_BITS);
    let word = usize::from(number / WORD_BITS);
    (word, if word == 0 { mark } else { mark & HIGH_IN_ROW })
}

/// Hands out the fields of a set in number order.
#[derive(Debug)]
pub(crate) struct PresentFields {
    low: u64,
    high: u64,
}

impl Iterator for PresentFields {
    type Item = Field;

    #[inline]
    fn next(&mut self) -> Option<Field> {
        let number = if self.low != 0 {
            let number = self.low.trailing_zeros();
            self.low &= self.low.wrapping_sub(1);
            number
        } else if self.high != 0 {
            let number = self.high.trailing_zeros();
            self.high &= self.high.wrapping_sub(1);
            number.wrapping_add(u32::from(WORD_BITS))
        } else {
            return None;
        };
        Field::ALL.get(usize::try_from(number).ok()?).copied()
    }
}
