//! Token buckets: how fast a key may send and an account may receive.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

/// How many names are remembered; beyond that the fullest buckets are forgotten.
const NAMES_MAX: usize = 100_000;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// Buckets by name. A bucket holds one second's events; a request takes its events at once and
/// may overdraw, so that one larger than the bucket can pass, and the next has to wait.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    buckets: Mutex<HashMap<Arc<str>, Bucket>>,
}

/// Counts in millionths of an event, so that refilling needs no fractions.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    level: i64,
    at_micros: i64,
}

impl Quotas {
    /// Takes `n_events` of `name`, which may have `per_second` of them.
    ///
    /// # Errors
    /// How long to wait, where the bucket is empty.
    pub(crate) fn take(
        &self,
        name: &Arc<str>,
        per_second: u32,
        n_events: usize,
        now: Duration,
    ) -> Result<(), Duration> {
        let now = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
        let rate = i64::from(per_second.max(1));
        let full = rate.saturating_mul(MICROS_PER_SECOND);
        let mut buckets = self.buckets.lock();
        if buckets.len() >= NAMES_MAX && !buckets.contains_key(name) {
            buckets.retain(|_name, bucket| bucket.level < 0);
        }
        let bucket =
            buckets.entry(Arc::clone(name)).or_insert(Bucket { level: full, at_micros: now });
        let passed = now.saturating_sub(bucket.at_micros).max(0);
        bucket.level = bucket.level.saturating_add(passed.saturating_mul(rate)).min(full);
        bucket.at_micros = now;
        if bucket.level <= 0 {
            let wait = bucket.level.unsigned_abs().div_ceil(rate.unsigned_abs());
            return Err(Duration::from_micros(wait.max(1000)));
        }
        let cost = i64::try_from(n_events).unwrap_or(i64::MAX).saturating_mul(MICROS_PER_SECOND);
        bucket.level = bucket.level.saturating_sub(cost);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_may_overdraw_and_the_next_waits() {
        let quotas = Quotas::default();
        let name: Arc<str> = "k".into();
        let at = |ms| Duration::from_millis(ms);
        assert_eq!(quotas.take(&name, 10, 30, at(0)), Ok(()));
        assert_eq!(quotas.take(&name, 10, 1, at(0)), Err(at(2000)));
        assert_eq!(quotas.take(&name, 10, 1, at(1500)), Err(at(500)));
        assert_eq!(quotas.take(&name, 10, 1, at(2001)), Ok(()));
        // An idle bucket fills to one second's worth, no further.
        assert_eq!(quotas.take(&name, 10, 10, at(100_000)), Ok(()));
        assert!(quotas.take(&name, 10, 1, at(100_000)).is_err());
    }
}
