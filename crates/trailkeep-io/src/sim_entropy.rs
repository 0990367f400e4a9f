//! Randomness that can be repeated.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::{Entropy, splitmix::SplitMix};

/// The bytes of a splitmix64 generator: the same for the same seed. Clones share the stream.
#[derive(Clone, Debug)]
pub struct SimEntropy {
    random: Arc<Mutex<SplitMix>>,
}

impl SimEntropy {
    /// Returns the stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self { random: Arc::new(Mutex::new(SplitMix::new(seed))) }
    }
}

impl Entropy for SimEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut random = self.random.lock();
        for chunk in bytes.chunks_mut(size_of::<u64>()) {
            chunk.copy_from_slice(&random.next().to_le_bytes()[..chunk.len()]);
        }
    }
}
