//! The outside world of a store.

use std::sync::Arc;

use object_store::ObjectStore;
use trailkeep_catalog::Catalog;
use trailkeep_io::{Clock, Disk, Entropy};

/// The outside world of a store, as values.
#[derive(Clone, Debug)]
pub struct Env {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The data directory: the journal and the reserve.
    pub disk: Arc<dyn Disk>,
    /// Where segments and runs live.
    pub objects: Arc<dyn ObjectStore>,
    /// What the store remembers.
    pub catalog: Arc<dyn Catalog>,
    /// Runs the catalog's futures for threads that are none of the runtime's.
    pub runtime: tokio::runtime::Handle,
}

impl Env {
    /// Returns 16 random bytes.
    pub(crate) fn random_id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        self.entropy.fill(&mut id);
        id
    }
}

/// Returns bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
    text
}
