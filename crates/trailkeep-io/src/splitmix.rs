//! The generator behind everything simulated: one seed, one run.

use crate::size::u64_of;

/// The splitmix64 generator.
#[derive(Clone, Debug)]
pub(crate) struct SplitMix {
    state: u64,
}

impl SplitMix {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number from 0 to `last`, both included.
    pub(crate) fn up_to(&mut self, last: usize) -> usize {
        let n = u64_of(last).saturating_add(1);
        // The remainder is at most `last`, so it is a usize.
        usize::try_from(self.next() % n).unwrap_or(last)
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.next() >> 63 == 1
    }
}
