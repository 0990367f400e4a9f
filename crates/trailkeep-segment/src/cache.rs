//! A bounded cache that many threads share.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, RandomState};

use parking_lot::Mutex;

use crate::numbers::long;

/// What one entry costs beside its value.
const ENTRY_BYTES: u64 = 128;

/// Keeps values up to a limit of bytes. What was asked for since it was last looked at gets a
/// second chance when room is needed; the rest goes, oldest first.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    /// The parts, each with its own lock and its part of the bytes.
    shards: Box<[Mutex<Shard<K, V>>]>,
    shard_bytes_max: u64,
    hasher: RandomState,
}

#[derive(Debug)]
struct Shard<K, V> {
    slots: HashMap<K, Slot<V>>,
    order: VecDeque<K>,
    bytes: u64,
}

#[derive(Debug)]
struct Slot<V> {
    value: V,
    bytes: u64,
    used: bool,
}

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    /// Makes an empty cache of so many parts, at most `bytes_max` bytes in all.
    pub(crate) fn new(n_shards: usize, bytes_max: u64) -> Self {
        let shard =
            || Mutex::new(Shard { slots: HashMap::new(), order: VecDeque::new(), bytes: 0 });
        let shards = std::iter::repeat_with(shard).take(n_shards).collect();
        let shard_bytes_max = bytes_max.checked_div(long(n_shards)).unwrap_or(0);
        Self { shards, shard_bytes_max, hasher: RandomState::new() }
    }

    /// Returns a value that is kept.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let mut shard = self.shard(key)?.lock();
        let slot = shard.slots.get_mut(key)?;
        slot.used = true;
        Some(slot.value.clone())
    }

    /// Keeps a value that has so many bytes. One that is larger than a whole shard is not kept.
    pub(crate) fn put(&self, key: K, value: V, bytes: u64) {
        let bytes = bytes.saturating_add(ENTRY_BYTES);
        let Some(shard) = self.shard(&key).filter(|_| bytes <= self.shard_bytes_max) else {
            return;
        };
        let mut shard = shard.lock();
        match shard.slots.insert(key.clone(), Slot { value, bytes, used: false }) {
            Some(old) => shard.bytes = shard.bytes.saturating_sub(old.bytes),
            None => shard.order.push_back(key),
        }
        shard.bytes = shard.bytes.saturating_add(bytes);
        shard.shrink(self.shard_bytes_max);
    }

    fn shard(&self, key: &K) -> Option<&Mutex<Shard<K, V>>> {
        let number = self.hasher.hash_one(key).checked_rem(long(self.shards.len()))?;
        self.shards.get(usize::try_from(number).ok()?)
    }
}

impl<K: Clone + Eq + Hash, V> Shard<K, V> {
    fn shrink(&mut self, bytes_max: u64) {
        while self.bytes > bytes_max {
            let Some(key) = self.order.pop_front() else { return };
            match self.slots.get_mut(&key) {
                Some(slot) if slot.used => {
                    slot.used = false;
                    self.order.push_back(key);
                }
                _ => {
                    let gone = self.slots.remove(&key).map_or(0, |slot| slot.bytes);
                    self.bytes = self.bytes.saturating_sub(gone);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_within_its_limit_and_keeps_what_is_used() {
        let cache: Cache<u32, u32> = Cache::new(16, 1 << 20);
        cache.put(0, 7, 1000);
        for n in 1..10_000 {
            assert_eq!(cache.get(&0), Some(7), "{n}");
            cache.put(n, n, 1000);
        }
        let kept = (1..10_000).filter(|n| cache.get(n).is_some()).count();
        assert!(kept * 1000 < 1 << 20 && kept > 500, "{kept}");
        let bytes: u64 = cache.shards.iter().map(|shard| shard.lock().bytes).sum();
        assert!(bytes <= 1 << 20);
    }

    #[test]
    fn what_is_too_large_is_not_kept_and_what_comes_again_replaces() {
        let cache: Cache<u8, u8> = Cache::new(16, 160_000);
        cache.put(1, 1, 20_000);
        assert_eq!(cache.get(&1), None);
        cache.put(1, 1, 5_000);
        cache.put(1, 2, 6_000);
        assert_eq!(cache.get(&1), Some(2));
        let bytes: u64 = cache.shards.iter().map(|shard| shard.lock().bytes).sum();
        assert_eq!(bytes, 6_000 + ENTRY_BYTES);
    }
}
