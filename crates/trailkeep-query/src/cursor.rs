//! Where a walk over pages stands: signed, bound to its query, and fixed to one moment.

use std::fmt;
use std::hash::Hasher;
use std::sync::Arc;

use siphasher::sip128::{Hasher128, SipHasher24};
use trailkeep_event::{Cut, Micros, PARTITIONS};
use trailkeep_segment::SortKey;

use crate::Error;

const VERSION: u8 = 1;
const MAC_BYTES: usize = 16;
/// The longest cursor that is read: the longest account id, every varint at its longest.
const TEXT_BYTES_MAX: usize = 1024;

/// The secret that signs cursors.
#[derive(Clone)]
pub(crate) struct CursorKey([u8; 16]);

impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey(****)")
    }
}

impl CursorKey {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        let mut key = [0; 16];
        for (slot, byte) in key.iter_mut().zip(secret) {
            *slot = *byte;
        }
        Self(key)
    }

    /// Returns the fingerprint of a query, which its cursors carry.
    pub(crate) fn query(&self, text: &str) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write_u8(0);
        hasher.write(text.as_bytes());
        hasher.finish128().h1
    }

    fn mac(&self, body: &[u8]) -> [u8; MAC_BYTES] {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write_u8(1);
        hasher.write(body);
        hasher.finish128().as_bytes()
    }
}

/// Where a walk stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Cursor {
    /// The fingerprint of the query.
    pub(crate) query: u64,
    /// What existed when the first page was made.
    pub(crate) cut: Cut,
    /// The last entry that was shown.
    pub(crate) last: SortKey,
}

impl Cursor {
    /// `version u8 | query u64 | cut 16 varints | sort_at i64 | seq varint | account | mac 16`, in
    /// hexadecimal.
    pub(crate) fn encode(&self, key: &CursorKey) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.query.to_be_bytes());
        for frame in self.cut.0 {
            push_varint(&mut bytes, frame);
        }
        bytes.extend_from_slice(&self.last.sort_at.0.to_be_bytes());
        push_varint(&mut bytes, self.last.seq);
        bytes.extend_from_slice(self.last.account.as_bytes());
        let mac = key.mac(&bytes);
        bytes.extend_from_slice(&mac);
        hex(&bytes)
    }

    pub(crate) fn decode(text: &str, key: &CursorKey) -> Result<Self, Error> {
        let unreadable = || Error::Cursor { what: "is not one that this server made" };
        let bytes = unhex(text).ok_or_else(unreadable)?;
        let (body, mac) = bytes
            .len()
            .checked_sub(MAC_BYTES)
            .and_then(|len| bytes.split_at_checked(len))
            .ok_or_else(unreadable)?;
        // Compared as a whole, in constant time: a guess tells nothing about how near it was.
        let differs = key.mac(body).iter().zip(mac).fold(0, |acc, (a, b)| acc | (a ^ b));
        if differs != 0 {
            return Err(unreadable());
        }
        Self::read(body).ok_or_else(unreadable)
    }

    fn read(body: &[u8]) -> Option<Self> {
        let mut rest = body.strip_prefix(&[VERSION])?;
        let query = u64::from_be_bytes(*take(&mut rest)?);
        let mut cut = [0; PARTITIONS];
        for slot in &mut cut {
            *slot = varint(&mut rest)?;
        }
        let sort_at = Micros(i64::from_be_bytes(*take(&mut rest)?));
        let seq = varint(&mut rest)?;
        let account = Arc::from(std::str::from_utf8(rest).ok()?);
        Some(Self { query, cut: Cut(cut), last: SortKey { sort_at, account, seq } })
    }
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8; 8]> {
    let (front, behind) = rest.split_first_chunk::<8>()?;
    *rest = behind;
    Some(front)
}

fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(0x80 | u8::try_from(value & 0x7f).unwrap_or(0));
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64_u32).step_by(7) {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_comes_back_and_a_changed_one_does_not(
            query: u64, cut: [u64; PARTITIONS], at: i64, seq: u64, account in "[a-z]{1,20}",
            flip in 0_usize..10_000,
        ) {
            let key = CursorKey::new(&[5; 32]);
            let last = SortKey { sort_at: Micros(at), account: account.into(), seq };
            let cursor = Cursor { query, cut: Cut(cut), last };
            let text = cursor.encode(&key);
            prop_assert_eq!(Cursor::decode(&text, &key).unwrap(), cursor);
            let mut bytes = text.clone().into_bytes();
            let at = flip % bytes.len();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(bytes).unwrap();
            prop_assert!(Cursor::decode(&changed, &key).is_err());
            prop_assert!(Cursor::decode(&text, &CursorKey::new(&[6; 32])).is_err());
        }

        #[test]
        fn hostile_cursors_never_panic(text in ".{0,300}") {
            prop_assert!(Cursor::decode(&text, &CursorKey::new(&[5; 32])).is_err());
        }
    }
}
