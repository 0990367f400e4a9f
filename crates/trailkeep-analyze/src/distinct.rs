//! Counts different values.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use crate::numbers::{float, long};

/// Up to so many different values a count is exact.
pub(crate) const EXACT_MAX: usize = 100_000;
/// `2^17` registers: a standard error of 0.29 %, so that 1 % is more than three of them.
const REGISTER_BITS: u32 = 17;
const REGISTERS: usize = 1 << REGISTER_BITS;
const RANK_MAX: u8 = 65 - 17;
/// What an exact value takes in a set.
const VALUE_BYTES: usize = 18;

/// The different values of a group, by their 64-bit hashes: two values of 100,000 share one with
/// a probability of 3 in 10^10.
#[derive(Debug)]
pub(crate) enum Distinct {
    Few(HashSet<u64, BuildHasherDefault<AsIs>>),
    /// A `HyperLogLog`. It depends on the set of values alone, not on their order or division.
    Many(Box<[u8]>),
}

impl Default for Distinct {
    fn default() -> Self {
        Self::Few(HashSet::default())
    }
}

impl Distinct {
    /// Adds a value and returns how many bytes that took.
    pub(crate) fn add(&mut self, hash: u64) -> usize {
        match self {
            Self::Few(set) => {
                if !set.insert(hash) {
                    return 0;
                }
                if set.len() <= EXACT_MAX {
                    return VALUE_BYTES;
                }
                self.spill();
                REGISTERS
            }
            Self::Many(registers) => {
                register(registers, hash);
                0
            }
        }
    }

    /// Adds the values of another part and returns how many bytes that took.
    pub(crate) fn absorb(&mut self, other: &Self) -> usize {
        match other {
            Self::Few(set) => set.iter().map(|hash| self.add(*hash)).fold(0, usize::saturating_add),
            Self::Many(theirs) => {
                let grown = if matches!(self, Self::Few(_)) { REGISTERS } else { 0 };
                self.spill();
                if let Self::Many(ours) = self {
                    for (ours, theirs) in ours.iter_mut().zip(theirs) {
                        *ours = (*ours).max(*theirs);
                    }
                }
                grown
            }
        }
    }

    fn spill(&mut self) {
        if let Self::Few(set) = self {
            let mut registers = vec![0; REGISTERS].into_boxed_slice();
            for hash in set.iter() {
                register(&mut registers, *hash);
            }
            *self = Self::Many(registers);
        }
    }

    pub(crate) fn is_exact(&self) -> bool {
        matches!(self, Self::Few(_))
    }

    pub(crate) fn count(&self) -> f64 {
        match self {
            Self::Few(set) => float(long(set.len()).into()),
            Self::Many(registers) => estimate(registers).round(),
        }
    }
}

fn register(registers: &mut [u8], hash: u64) {
    let at = usize::try_from(hash >> (64 - REGISTER_BITS)).unwrap_or(0);
    let zeros = (hash << REGISTER_BITS).leading_zeros();
    let rank = u8::try_from(zeros).unwrap_or(u8::MAX).saturating_add(1).min(RANK_MAX);
    if let Some(register) = registers.get_mut(at) {
        *register = (*register).max(rank);
    }
}

/// The improved raw estimator (Otmar Ertl, "New cardinality estimation algorithms for
/// `HyperLogLog` sketches", 2017), which needs no table of corrections.
fn estimate(registers: &[u8]) -> f64 {
    let mut counts = [0_u64; 65];
    for register in registers {
        if let Some(count) = counts.get_mut(usize::from(*register)) {
            *count = count.saturating_add(1);
        }
    }
    let count = |rank: u8| float(counts.get(usize::from(rank)).copied().unwrap_or_default().into());
    let m = float(long(REGISTERS).into());
    let mut z = m * tau(1.0 - count(RANK_MAX) / m);
    for rank in (1..RANK_MAX).rev() {
        z = 0.5 * (z + count(rank));
    }
    z += m * sigma(count(0) / m);
    m * m / (2.0 * std::f64::consts::LN_2 * z)
}

fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z <= before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z >= before {
            return z / 3.0;
        }
    }
}

/// Takes a hash as it is.
#[derive(Debug, Default)]
pub(crate) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::mix;

    fn of(values: std::ops::Range<u64>) -> Distinct {
        let mut distinct = Distinct::default();
        for value in values {
            distinct.add(mix(value));
        }
        distinct
    }

    #[test]
    fn exact_to_a_hundred_thousand_then_within_one_percent() {
        for n in [0, 1, 99_999, 100_000_u64] {
            let distinct = of(0..n);
            assert!(distinct.is_exact());
            assert!((distinct.count() - float(n.into())).abs() < 0.5, "{n}");
        }
        for n in [100_001, 200_000, 330_000, 1_000_000, 3_000_000_u64] {
            for seed in 0..4 {
                let from = seed << 40;
                let distinct = of(from..from + n);
                assert!(!distinct.is_exact());
                let error = (distinct.count() / float(n.into()) - 1.0).abs();
                assert!(error < 0.01, "{n} {error}");
            }
        }
    }

    #[test]
    fn parts_come_to_the_same_as_the_whole() {
        for (n, cut) in
            [(50_000, 20_000), (150_000, 60_000), (400_000, 200_000), (150_000, 110_000)]
        {
            let whole = of(0..n);
            let mut parts = of(0..cut);
            parts.absorb(&of(cut / 2..n));
            assert_eq!(parts.is_exact(), whole.is_exact());
            assert!((parts.count() - whole.count()).abs() < 0.5);
        }
    }
}
