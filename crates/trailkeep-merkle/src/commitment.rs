//! What a leaf says of an entry's sections without showing them.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::{Hash, SECRET_BYTES, Secret};

/// What is hashed before a secret and the number of a pair, to make two salts.
pub const SALT_DOMAIN: &[u8] = b"trailkeep/v1/salt\0";
/// What is hashed before a section's number, salt and bytes.
pub const SECTION_DOMAIN: &[u8] = b"trailkeep/v1/section\0";
/// What is hashed before the digests of an event's sections.
pub const EVENT_DOMAIN: &[u8] = b"trailkeep/v1/event\0";

/// What is hashed with a section, so that nobody can guess the section by its digest.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Salt(pub [u8; SECRET_BYTES]);

impl Salt {
    /// Returns the salts of sections 2p and 2p + 1. Costs a block of SHA-256.
    pub fn pair(secret: &Secret, p: u8) -> [Self; 2] {
        let digest = Sha256::new_with_prefix(SALT_DOMAIN)
            .chain_update(secret.0)
            .chain_update([p])
            .finalize();
        let (halves, _rest) = digest.as_chunks::<SECRET_BYTES>();
        let half = |at: usize| Self(halves.get(at).copied().unwrap_or_default());
        [half(0), half(1)]
    }

    /// Returns the salt of a section.
    pub fn of(secret: &Secret, section: u8) -> Self {
        let [even, odd] = Self::pair(secret, section / 2);
        if section.is_multiple_of(2) { even } else { odd }
    }
}

/// Salts are as secret as what they hide.
impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(****)")
    }
}

/// Returns what commits to a section.
pub fn section_digest(section: u8, salt: &Salt, bytes: &[u8]) -> Hash {
    let digest = Sha256::new_with_prefix(SECTION_DOMAIN)
        .chain_update([section])
        .chain_update(salt.0)
        .chain_update(bytes)
        .finalize();
    Hash(digest.into())
}

/// Returns what commits to all sections: `sections` has a bit for each that is present, `digests`
/// are theirs by number.
///
/// # Panics
/// Where there are not as many digests as sections: what is hashed would be wrong.
pub fn event_digest(sections: u16, digests: &[Hash]) -> Hash {
    assert_eq!(usize::try_from(sections.count_ones()), Ok(digests.len()), "a digest a section");
    let mut hasher = Sha256::new_with_prefix(EVENT_DOMAIN).chain_update(sections.to_be_bytes());
    for digest in digests {
        hasher.update(digest.0);
    }
    Hash(hasher.finalize().into())
}
