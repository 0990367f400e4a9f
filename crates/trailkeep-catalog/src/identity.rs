//! What makes a store this store.

use std::fmt;

use trailkeep_event::Micros;

/// What is drawn once, when a store is made, and never changes.
#[derive(Clone, Eq, PartialEq)]
pub struct StoreIdentity {
    /// The store's name among all stores.
    pub store_id: String,
    /// The secret of the store's event identifiers.
    pub id_key: [u8; 16],
    /// The secret of the fingerprints of `source_id`s.
    pub source_key: [u8; 16],
    /// The secret that signs cursors.
    pub cursor_key: [u8; 32],
    /// When the store was made.
    pub created_at: Micros,
}

impl fmt::Debug for StoreIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreIdentity")
            .field("store_id", &self.store_id)
            .field("id_key", &format_args!("****"))
            .field("source_key", &format_args!("****"))
            .field("cursor_key", &format_args!("****"))
            .field("created_at", &self.created_at)
            .finish()
    }
}
