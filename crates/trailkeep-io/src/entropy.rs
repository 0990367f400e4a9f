//! Randomness as a value.

use std::fmt::Debug;

/// A source of random bytes.
pub trait Entropy: Debug + Send + Sync {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}
