//! Token buckets: how fast a key may send and an account may receive.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

/// How many names are remembered at most.
const NAMES_MAX: usize = 100_000;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// Buckets by name. A bucket holds one second's events; a request takes its events at once and
/// may overdraw, so that one larger than the bucket can pass, and the next has to wait.
///
/// What is kept of a bucket is the moment at which it will be full again, in microseconds: one that
/// is full is the same as one that was never used, and can be forgotten.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    full_at: Mutex<HashMap<Arc<str>, i64>>,
}

/// What a request takes: whose, at what rate, and how many events.
#[derive(Clone, Debug)]
pub(crate) struct Take {
    pub(crate) name: Arc<str>,
    pub(crate) per_second: u32,
    pub(crate) n_events: usize,
}

impl Take {
    /// Returns how long a bucket takes to fill up again with these events.
    fn micros(&self) -> i64 {
        let n_events = i64::try_from(self.n_events).unwrap_or(i64::MAX);
        let micros = n_events.saturating_mul(MICROS_PER_SECOND);
        micros.checked_div(i64::from(self.per_second.max(1))).unwrap_or(i64::MAX)
    }
}

impl Quotas {
    /// Takes events out of a bucket.
    ///
    /// # Errors
    /// How long to wait, where the bucket is empty.
    pub(crate) fn take(&self, take: &Take, now: Duration) -> Result<(), Duration> {
        let now = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
        let mut full_at = self.full_at.lock();
        let from = full_at.get(&take.name).copied().unwrap_or(now).max(now);
        let empty_for = from.saturating_sub(now).saturating_sub(MICROS_PER_SECOND);
        if empty_for >= 0 {
            return Err(Duration::from_micros(empty_for.unsigned_abs().max(1000)));
        }
        if full_at.len() >= NAMES_MAX && !full_at.contains_key(&take.name) {
            forget(&mut full_at, now);
        }
        full_at.insert(Arc::clone(&take.name), from.saturating_add(take.micros()));
        Ok(())
    }

    /// Puts back what was taken for a request that was then refused.
    pub(crate) fn give_back(&self, take: &Take) {
        if let Some(full_at) = self.full_at.lock().get_mut(&take.name) {
            *full_at = full_at.saturating_sub(take.micros());
        }
    }
}

/// Makes room for more names. Full buckets go unnoticed; where too few are full all are forgotten,
/// so that this is rare and its cost small for each name.
fn forget(full_at: &mut HashMap<Arc<str>, i64>, now: i64) {
    full_at.retain(|_name, full_at| *full_at > now);
    if full_at.len() > NAMES_MAX / 2 {
        full_at.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(per_second: u32, n_events: usize) -> Take {
        Take { name: "k".into(), per_second, n_events }
    }

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_request_may_overdraw_and_the_next_waits() {
        let quotas = Quotas::default();
        assert_eq!(quotas.take(&take(10, 30), at(0)), Ok(()));
        assert_eq!(quotas.take(&take(10, 1), at(0)), Err(at(2000)));
        assert_eq!(quotas.take(&take(10, 1), at(1500)), Err(at(500)));
        assert_eq!(quotas.take(&take(10, 1), at(2001)), Ok(()));
        // An idle bucket fills to one second's worth, no further.
        assert_eq!(quotas.take(&take(10, 10), at(100_000)), Ok(()));
        assert!(quotas.take(&take(10, 1), at(100_000)).is_err());
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let quotas = Quotas::default();
        for _again in 0..10 {
            quotas.take(&take(10, 10), at(0)).unwrap();
            quotas.give_back(&take(10, 10));
        }
        quotas.take(&take(10, 10), at(0)).unwrap();
        assert!(quotas.take(&take(10, 1), at(0)).is_err());
        // More than was taken does not make a bucket larger.
        quotas.give_back(&take(10, 100));
        quotas.take(&take(10, 10), at(0)).unwrap();
        assert!(quotas.take(&take(10, 1), at(0)).is_err());
    }

    #[test]
    fn names_are_bounded_and_full_buckets_go_first() {
        let quotas = Quotas::default();
        let named = |n: usize, n_events| Take { name: n.to_string().into(), ..take(10, n_events) };
        quotas.take(&named(0, 100_000), at(0)).unwrap();
        for n in 1..NAMES_MAX + 10 {
            quotas.take(&named(n, 1), at(u64::try_from(n).unwrap())).unwrap();
        }
        assert!(quotas.full_at.lock().len() < NAMES_MAX / 2);
        assert!(quotas.take(&named(0, 1), at(101_000)).is_err(), "what is overdrawn is remembered");
        for n in 0..2 * NAMES_MAX {
            quotas.take(&named(n + 1, 1000), at(20_000_000)).unwrap();
        }
        assert!(quotas.full_at.lock().len() <= NAMES_MAX);
    }
}
