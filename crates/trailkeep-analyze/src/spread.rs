//! Finds percentiles.

use crate::numbers::{float, long};

/// Up to so many values a percentile is exact.
pub(crate) const EXACT_MAX: usize = 4096;
/// A bucket is as wide as `1 / 2^8` of its values: what is answered is less than 0.4 % off.
const BUCKET_BITS: u32 = 64 - 12 - 8;
const PAGE_BUCKETS: usize = 256;
/// A page for each power of two and sign: the first 12 bits of a double.
const PAGES: usize = 4096;
const SIGN: u64 = 1 << 63;

/// The values of a group: each while they are few, then how many lie in each bucket of a fixed
/// scale. Which of the two depends on the values alone, not on their order or division.
#[derive(Debug)]
pub(crate) enum Spread {
    Few(Vec<f64>),
    Many(Buckets),
}

impl Default for Spread {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Spread {
    /// Adds a value and returns how many bytes that took.
    pub(crate) fn add(&mut self, value: f64) -> usize {
        match self {
            Self::Few(values) if values.len() < EXACT_MAX => {
                values.push(value);
                size_of::<f64>()
            }
            Self::Few(values) => {
                let mut buckets = Buckets::default();
                let grown = values.iter().map(|value| buckets.add(*value, 1)).sum::<usize>();
                let grown = grown.saturating_add(buckets.add(value, 1));
                *self = Self::Many(buckets);
                grown
            }
            Self::Many(buckets) => buckets.add(value, 1),
        }
    }

    /// Adds the values of another part and returns how many bytes that took.
    pub(crate) fn absorb(&mut self, other: &Self) -> usize {
        match other {
            Self::Few(values) => {
                values.iter().map(|value| self.add(*value)).fold(0, usize::saturating_add)
            }
            Self::Many(theirs) => {
                let mut buckets = match std::mem::take(self) {
                    Self::Many(buckets) => buckets,
                    Self::Few(values) => {
                        let mut buckets = Buckets::default();
                        for value in values {
                            buckets.add(value, 1);
                        }
                        buckets
                    }
                };
                let grown = buckets.absorb(theirs);
                *self = Self::Many(buckets);
                grown
            }
        }
    }

    pub(crate) fn is_exact(&self) -> bool {
        matches!(self, Self::Few(_))
    }

    /// Returns the value below which a share of the values lies, between two values in proportion.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        match self {
            Self::Few(values) => {
                let mut sorted = values.clone();
                sorted.sort_unstable_by(f64::total_cmp);
                let at = |rank: u64| sorted.get(usize::try_from(rank).ok()?).copied();
                between(share, long(sorted.len()), at)
            }
            Self::Many(buckets) => between(share, buckets.total, |rank| buckets.at(rank)),
        }
    }
}

fn between(share: f64, n_values: u64, at: impl Fn(u64) -> Option<f64>) -> Option<f64> {
    let place = share * float(n_values.checked_sub(1)?.into());
    let low = place.floor();
    let rank = crate::numbers::whole(low).and_then(|rank| u64::try_from(rank).ok())?;
    let below = at(rank)?;
    let above = at(rank.saturating_add(1)).unwrap_or(below);
    Some(below + (above - below) * (place - low))
}

/// How many values lie in each bucket. Buckets follow the bits of a double, in pages of one power
/// of two each.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    pages: Vec<Option<Box<[u64; PAGE_BUCKETS]>>>,
    total: u64,
}

impl Buckets {
    fn add(&mut self, value: f64, n_values: u64) -> usize {
        self.add_to(ordered(value) >> BUCKET_BITS, n_values)
    }

    fn add_to(&mut self, bucket: u64, n_values: u64) -> usize {
        self.total = self.total.saturating_add(n_values);
        let at = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let mut grown = 0;
        if self.pages.is_empty() {
            self.pages.resize(PAGES, None);
            grown = PAGES.saturating_mul(size_of::<usize>());
        }
        let Some(page) = self.pages.get_mut(at(bucket >> 8)) else { return grown };
        let page = page.get_or_insert_with(|| {
            grown = grown.saturating_add(size_of::<[u64; PAGE_BUCKETS]>());
            Box::new([0; PAGE_BUCKETS])
        });
        if let Some(count) = page.get_mut(at(bucket & 0xff)) {
            *count = count.saturating_add(n_values);
        }
        grown
    }

    fn absorb(&mut self, other: &Self) -> usize {
        let mut grown = 0_usize;
        for (bucket, count) in other.counted() {
            grown = grown.saturating_add(self.add_to(bucket, count));
        }
        grown
    }

    /// Returns the buckets that hold values, in the order of the values.
    fn counted(&self) -> impl Iterator<Item = (u64, u64)> {
        (0_u64..).zip(&self.pages).flat_map(|(page, counts)| {
            let counts = counts.iter().flat_map(|counts| counts.iter().copied());
            (page << 8..).zip(counts).filter(|(_, count)| *count > 0)
        })
    }

    /// Returns the start of the bucket that holds the value of a rank.
    fn at(&self, rank: u64) -> Option<f64> {
        let mut below = 0_u64;
        for (bucket, count) in self.counted() {
            below = below.saturating_add(count);
            if below > rank {
                return Some(start(bucket));
            }
        }
        None
    }
}

/// Returns bits that sort as the values do.
fn ordered(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// Returns the value of a bucket that is nearest to zero: an integer below 512 is itself.
fn start(bucket: u64) -> f64 {
    let first = bucket << BUCKET_BITS;
    if first & SIGN != 0 {
        f64::from_bits(first & !SIGN)
    } else {
        let last = first | ((1 << BUCKET_BITS) - 1);
        f64::from_bits(!last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exact(values: &mut [f64], share: f64) -> f64 {
        values.sort_unstable_by(f64::total_cmp);
        between(share, long(values.len()), |rank| {
            values.get(usize::try_from(rank).unwrap()).copied()
        })
        .unwrap()
    }

    fn of(values: &[f64]) -> Spread {
        let mut spread = Spread::default();
        for value in values {
            spread.add(*value);
        }
        spread
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn within_one_percent_however_divided(
            seed in 1_u64..1000, n in 1_usize..12_000, scale in 0_i32..12, cut in 0_usize..12_000,
        ) {
            let value = |at: u64| {
                let word = crate::numbers::mix(at.wrapping_mul(seed)) >> 11;
                (float(word.into()) / 2_f64.powi(53)).powi(scale) * 1e7 - 1000.0
            };
            let mut values: Vec<f64> = (0..long(n)).map(value).collect();
            let whole = of(&values);
            let mut parts = of(&values[..cut.min(n)]);
            parts.absorb(&of(&values[cut.min(n)..]));
            prop_assert_eq!(whole.is_exact(), n <= EXACT_MAX);
            prop_assert_eq!(parts.is_exact(), whole.is_exact());
            for share in [0.0, 0.5, 0.95, 0.99, 1.0] {
                let (found, expected) = (whole.quantile(share).unwrap(), exact(&mut values, share));
                prop_assert!((found - expected).abs() <= 0.01 * expected.abs(), "{} {}", found, expected);
                prop_assert!((parts.quantile(share).unwrap() - found).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn small_integers_are_themselves_and_nothing_has_no_percentile() {
        for int in -511_i32..512 {
            let spread = of(&vec![f64::from(int); EXACT_MAX + 1]);
            assert!((spread.quantile(0.5).unwrap() - f64::from(int)).abs() < f64::EPSILON, "{int}");
        }
        assert_eq!(Spread::default().quantile(0.5), None);
    }
}
