//! Many measurements of the same thing.

use std::time::Duration;

use crate::quantity::{long, millis};

/// Many measurements of the same thing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn push(&mut self, took: Duration) {
        self.0.push(took);
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn len(&self) -> u64 {
        long(self.0.len())
    }

    pub(crate) fn median_ms(&self) -> f64 {
        self.quantile_ms(500)
    }

    pub(crate) fn p99_ms(&self) -> f64 {
        self.quantile_ms(990)
    }

    /// Returns the smallest sample that is at least as large as so many of a thousand; not a
    /// number where there are none.
    fn quantile_ms(&self, permille: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let index = (sorted.len().saturating_mul(permille) / 1000).min(sorted.len().max(1) - 1);
        sorted.get(index).map_or(f64::NAN, |took| millis(*took))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles() {
        let mut samples = Samples::default();
        assert!(samples.p99_ms().is_nan());
        for n in (1..=200).rev() {
            samples.push(Duration::from_millis(n));
        }
        let shown = format!("{:.1} {:.1}", samples.median_ms(), samples.p99_ms());
        assert_eq!(shown, "101.0 199.0");
    }
}
