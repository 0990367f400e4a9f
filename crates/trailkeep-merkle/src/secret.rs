//! A secret of which others are made.

use std::fmt;

use sha2::{Digest, Sha256};

/// How many bytes a secret has.
pub const SECRET_BYTES: usize = 16;
/// What is hashed before a node, to make its children.
const DOMAIN: &[u8] = b"trailkeep/v1/ggm\0";

/// Sixteen bytes that nobody else knows.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Secret(pub [u8; SECRET_BYTES]);

impl Secret {
    /// Makes the two secrets below: who has them cannot tell this one. Costs a block of SHA-256.
    pub(crate) fn children(&self) -> [Self; 2] {
        let digest = Sha256::new_with_prefix(DOMAIN).chain_update(self.0).finalize();
        let (halves, _rest) = digest.as_chunks::<SECRET_BYTES>();
        let half = |at: usize| Self(halves.get(at).copied().unwrap_or_default());
        [half(0), half(1)]
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(****)")
    }
}
