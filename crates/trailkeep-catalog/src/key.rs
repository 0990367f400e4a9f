//! One API key.

use std::fmt;

use trailkeep_event::Micros;
use trailkeep_scope::{ReadScope, WriteScope};

/// One API key and what its bearer may do. The token itself is stored nowhere.
#[derive(Clone, Eq, PartialEq)]
pub struct KeyRecord {
    /// The key's identifier.
    pub key_id: String,
    /// The key's name for people.
    pub name: String,
    /// The SHA-256 of the token.
    pub hash: [u8; 32],
    /// The part of the token that may be shown.
    pub masked: String,
    /// What the bearer may read; `None` is nothing.
    pub read: Option<ReadScope>,
    /// What the bearer may write; `None` is nothing.
    pub write: Option<WriteScope>,
    /// Whether the bearer may administer the store.
    pub operator: bool,
    /// When the key was made.
    pub created_at: Micros,
    /// From when the key is no longer good.
    pub expires_at: Option<Micros>,
    /// When the key was revoked.
    pub revoked_at: Option<Micros>,
}

impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("key_id", &self.key_id)
            .field("name", &self.name)
            .field("hash", &format_args!("****"))
            .field("masked", &self.masked)
            .field("read", &self.read)
            .field("write", &self.write)
            .field("operator", &self.operator)
            .field("created_at", &self.created_at)
            .field("expires_at", &self.expires_at)
            .field("revoked_at", &self.revoked_at)
            .finish()
    }
}
