//! What a log's leaf is.

use crate::{Hash, leaf_hash};

/// How many bytes a leaf has.
pub const LEAF_BYTES: usize = 64;
const MAGIC: [u8; 4] = *b"TKL1";

/// What an entry is to the log.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum LeafKind {
    /// An event like most.
    Event,
    /// Sections of earlier entries were erased.
    Erasure,
    /// Earlier entries were removed by retention.
    Purge,
    /// Settings, keys or permissions changed.
    Configuration,
    /// Events were dropped, or cut off by repair.
    Gap,
    /// Somebody else vouched for an anchor.
    Receipt,
    /// The log goes on where another ended.
    Continuation,
    /// The checkpoint of another log.
    Anchored,
}

impl LeafKind {
    const ALL: [Self; 8] = [
        Self::Event,
        Self::Erasure,
        Self::Purge,
        Self::Configuration,
        Self::Gap,
        Self::Receipt,
        Self::Continuation,
        Self::Anchored,
    ];

    /// Returns the number by which a leaf says it: 1 to 8.
    pub fn number(self) -> u8 {
        match self {
            Self::Event => 1,
            Self::Erasure => 2,
            Self::Purge => 3,
            Self::Configuration => 4,
            Self::Gap => 5,
            Self::Receipt => 6,
            Self::Continuation => 7,
            Self::Anchored => 8,
        }
    }

    /// Returns the kind of a number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// A log's leaf: when and as what an entry was admitted, and what commits to its sections.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Leaf {
    /// What the entry is to the log.
    pub kind: LeafKind,
    /// Bit n is set where section n is present.
    pub sections: u16,
    /// Microseconds since 1970.
    pub created_at: u64,
    /// The bytes of the entry's identifier.
    pub id: [u8; 16],
    /// What commits to the sections.
    pub event_digest: Hash,
}

impl Leaf {
    /// Returns the bytes: `docs/format/ledger.md` has the table.
    pub fn to_bytes(self) -> [u8; LEAF_BYTES] {
        let [s0, s1] = self.sections.to_be_bytes();
        let head = [MAGIC.as_slice(), &[self.kind.number(), 0, s0, s1]].concat();
        let created_at = self.created_at.to_be_bytes();
        let tail = [created_at.as_slice(), &self.id, &self.event_digest.0];
        let mut bytes = [0; LEAF_BYTES];
        for (to, from) in bytes.iter_mut().zip(head.iter().chain(tail.into_iter().flatten())) {
            *to = *from;
        }
        bytes
    }

    /// Reads the bytes; `None` where they are no leaf of this version.
    pub fn from_bytes(bytes: &[u8; LEAF_BYTES]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<4>()?;
        let ([kind, flags, s0, s1], rest) = rest.split_first_chunk::<4>()?;
        let (created_at, rest) = rest.split_first_chunk::<8>()?;
        let (id, digest) = rest.split_first_chunk::<16>()?;
        // There are eight sections.
        if *magic != MAGIC || *flags != 0 || *s0 != 0 {
            return None;
        }
        Some(Self {
            kind: LeafKind::from_number(*kind)?,
            sections: u16::from_be_bytes([*s0, *s1]),
            created_at: u64::from_be_bytes(*created_at),
            id: *id,
            event_digest: Hash(digest.try_into().ok()?),
        })
    }

    /// Returns the hash by which the tree has it.
    pub fn hash(self) -> Hash {
        leaf_hash(&self.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_go_both_ways(bytes in any::<[u8; 64]>(), kind in 1_u8..=8) {
            let mut bytes = bytes;
            prop_assert_eq!(Leaf::from_bytes(&bytes), None);
            bytes[..7].copy_from_slice(&[b'T', b'K', b'L', b'1', kind, 0, 0]);
            let leaf = Leaf::from_bytes(&bytes).unwrap();
            prop_assert_eq!(leaf.to_bytes(), bytes);
            bytes[5] = 1;
            prop_assert_eq!(Leaf::from_bytes(&bytes), None);
            bytes[4..6].copy_from_slice(&[9, 0]);
            prop_assert_eq!(Leaf::from_bytes(&bytes), None);
        }
    }
}
