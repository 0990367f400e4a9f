//! Repeatable numbers.

/// A stream of numbers that depends on its seed alone (splitmix64). Not for secrets.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts a stream.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `bound`, which is at least 1.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number().rem_euclid(bound)
    }

    /// Returns a number below `bound` that is more often small than large, as accounts, keys and
    /// addresses of real traffic are.
    pub fn skewed(&mut self, bound: u64) -> u64 {
        let first = self.below(bound);
        let second = self.below(bound);
        self.below(first.min(second).saturating_add(1))
    }

    /// Returns one of `items`, which are not none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let bound = u64::try_from(items.len()).unwrap_or(1);
        let index = usize::try_from(self.below(bound)).unwrap_or(0);
        &items[index]
    }

    /// Returns `n_digits` (at most 16) hexadecimal digits.
    pub fn hex(&mut self, n_digits: usize) -> String {
        format!("{:016x}", self.number()).chars().take(n_digits).collect()
    }

    /// Returns the text of a random UUID.
    pub fn uuid(&mut self) -> String {
        let [a, b, c, d] = [self.hex(8), self.hex(4), self.hex(3), self.hex(3)];
        format!("{a}-{b}-4{c}-a{d}-{}", self.hex(12))
    }
}
