//! The filter of one page: a 4-wise binary fuse filter with 8-bit fingerprints.

/// How many fingerprints an item is made of.
pub(crate) const WAYS: usize = 4;
/// The filter's slots beyond the last segment in which an item may start.
pub(crate) const SEGMENTS_MIN: u16 = 4;
/// The longest segment, as a power of two.
pub(crate) const SEGMENT_BITS_MAX: u8 = 16;

/// The size of a filter and its seed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Shape {
    pub(crate) seed: u32,
    /// 0 is a filter that says "maybe" to everything.
    pub(crate) n_segments: u16,
    pub(crate) segment_bits: u8,
}

/// Where an item's fingerprints are, and what they add up to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) slots: [usize; WAYS],
    pub(crate) fingerprint: u8,
}

impl Shape {
    pub(crate) const MAYBE: Self = Self { seed: 0, n_segments: 0, segment_bits: 0 };

    /// Returns the number of fingerprints.
    pub(crate) fn n_slots(self) -> usize {
        usize::from(self.n_segments) << self.segment_bits
    }

    /// Mixes an item with the seed; distinct items stay distinct.
    pub(crate) fn mix(self, item: u64) -> u64 {
        let mut hash = item.wrapping_add(u64::from(self.seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }

    /// Returns the place of a mixed item: one slot in each of four segments in a row.
    pub(crate) fn place(self, hash: u64) -> Place {
        let length = 1_u64 << self.segment_bits;
        let mask = length.wrapping_sub(1);
        let starts = u64::from(self.n_segments.saturating_sub(3)) << self.segment_bits;
        let first = high_half(hash, starts);
        let slot = |way: u64, shift: u32| {
            let bits = (hash >> shift) & mask;
            usize::try_from(first.wrapping_add(way.wrapping_mul(length)) ^ bits)
                .unwrap_or(usize::MAX)
        };
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        let [fingerprint, ..] = (hash ^ (hash >> 32)).to_le_bytes();
        Place { slots: [first, slot(1, 0), slot(2, 18), slot(3, 36)], fingerprint }
    }

    /// Tells whether the fingerprints may hold an item.
    pub(crate) fn may_hold(self, fingerprints: &[u8], item: u64) -> bool {
        if self.n_segments == 0 {
            return true;
        }
        let place = self.place(self.mix(item));
        let at = |slot: usize| fingerprints.get(slot).copied().unwrap_or(0);
        place.slots.into_iter().fold(place.fingerprint, |sum, slot| sum ^ at(slot)) == 0
    }
}

fn high_half(a: u64, b: u64) -> u64 {
    u64::try_from(u128::from(a).wrapping_mul(u128::from(b)) >> 64).unwrap_or(0)
}
