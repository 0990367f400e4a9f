//! The entry's identifier: a version 7 UUID whose free bits hide its position.

use std::fmt;
use std::hash::Hasher;

use siphasher::sip::SipHasher24;
use uuid::Uuid;

use crate::{Micros, Partition, Position};

/// An entry's identifier. Known at the acknowledgement, found without an index: the free 74
/// bits are a keyed permutation of the position.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EventId(pub [u8; 16]);

impl EventId {
    /// Parses the usual text form of a UUID.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 36).then(|| Uuid::try_parse(text).ok().map(|uuid| Self(*uuid.as_bytes())))?
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0_u8; 36];
        f.write_str(Uuid::from_bytes(self.0).hyphenated().encode_lower(&mut buffer))
    }
}

/// The secret with which identifiers are made and read. It is fixed when the store is made.
#[derive(Clone)]
pub struct IdKey([u8; 16]);

impl fmt::Debug for IdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdKey(****)")
    }
}

/// Half of the 74 free bits.
const HALF_BITS: u32 = 37;
const HALF_MASK: u64 = (1 << HALF_BITS) - 1;
const ROUNDS: u8 = 6;

impl IdKey {
    /// Takes 16 random bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Makes the identifier of an entry that was admitted at `created_at`.
    ///
    /// # Panics
    /// Where the position has more bits than an identifier can carry (2^48 frames, 2^22 rows a
    /// frame): a wrong identifier would be worse.
    pub fn id(&self, created_at: Micros, position: Position) -> EventId {
        assert!(position.frame <= Position::FRAME_MAX, "frame number beyond 48 bits");
        assert!(position.ordinal <= Position::ORDINAL_MAX, "row number beyond 22 bits");
        let packed = (u128::from(position.partition.number()) << 70)
            | (u128::from(position.frame) << 22)
            | u128::from(position.ordinal);
        let mut left = low_half(packed >> HALF_BITS);
        let mut right = low_half(packed);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.round(round, right));
        }
        let free = (u128::from(left) << HALF_BITS) | u128::from(right);
        let millis = u64::try_from(created_at.millis()).unwrap_or(0);
        EventId(assemble(millis, free))
    }

    /// Reads the position out of an identifier; `None` where it is not one of ours.
    pub fn position(&self, id: EventId) -> Option<Position> {
        let uuid = u128::from_be_bytes(id.0);
        if (uuid >> 76) & 0xf != 7 || (uuid >> 62) & 0b11 != 0b10 {
            return None;
        }
        let free = (((uuid >> 64) & 0xfff) << 62) | (uuid & ((1 << 62) - 1));
        let mut left = low_half(free >> HALF_BITS);
        let mut right = low_half(free);
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.round(round, left), left);
        }
        let packed = (u128::from(left) << HALF_BITS) | u128::from(right);
        Some(Position {
            partition: Partition::new(u8::try_from(packed >> 70).ok()?)?,
            frame: u64::try_from((packed >> 22) & u128::from(Position::FRAME_MAX)).ok()?,
            ordinal: u32::try_from(packed & u128::from(Position::ORDINAL_MAX)).ok()?,
        })
    }

    fn round(&self, round: u8, half: u64) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write_u8(round);
        hasher.write_u64(half);
        hasher.finish() & HALF_MASK
    }
}

fn low_half(bits: u128) -> u64 {
    u64::try_from(bits & u128::from(HALF_MASK)).unwrap_or(0)
}

/// `unix_ts_ms 48 | version 4 | rand_a 12 | variant 2 | rand_b 62`
fn assemble(millis: u64, free: u128) -> [u8; 16] {
    let time = u128::from(millis & ((1 << 48) - 1)) << 80;
    let rand_a = (free >> 62) << 64;
    let rand_b = free & ((1 << 62) - 1);
    (time | (7 << 76) | rand_a | (0b10 << 62) | rand_b).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_is_a_uuid_v7_of_its_time() {
        let key = IdKey::new([7; 16]);
        let position = Position { partition: Partition::new(3).unwrap(), frame: 9, ordinal: 4 };
        let id = key.id(Micros(1_700_000_000_123_456), position);
        let uuid = Uuid::parse_str(&id.to_string()).unwrap();
        assert_eq!(uuid.get_version_num(), 7);
        assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
        assert_eq!(uuid.as_u128() >> 80, 1_700_000_000_123);
        assert_eq!(EventId::parse(&id.to_string()), Some(id));
    }

    proptest! {
        #[test]
        fn the_position_comes_back(
            key: [u8; 16], partition in 0_u8..16, frame in 0..=Position::FRAME_MAX,
            ordinal in 0..=Position::ORDINAL_MAX, at in 0_i64..4_000_000_000_000_000
        ) {
            let key = IdKey::new(key);
            let position = Position { partition: Partition::new(partition).unwrap(), frame, ordinal };
            prop_assert_eq!(key.position(key.id(Micros(at), position)), Some(position));
        }
    }
}
