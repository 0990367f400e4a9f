//! What the store counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// A counter that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to the counter.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Returns the count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The store's counters since it was opened.
#[derive(Debug, Default)]
pub struct Stats {
    /// Events that were admitted and are durable.
    pub accepted: Counter,
    /// Events that were admitted before.
    pub duplicates: Counter,
    /// Events that were not admitted.
    pub rejected: Counter,
    /// Bytes of admitted events, as journaled.
    pub accepted_bytes: Counter,
    /// Group commits.
    pub groups: Counter,
    /// Submissions that were answered by a group commit.
    pub answered: Counter,
    /// Submissions that were refused: quota, full queue, full disk.
    pub refused: Counter,
    /// Segments that were sealed.
    pub seals: Counter,
    /// Rows whose columns did not give back their section bytes.
    pub section_mismatches: Counter,
    /// Segments that were made by compaction.
    pub compactions: Counter,
    /// Background work that failed and is tried again.
    pub failures: Counter,
}
