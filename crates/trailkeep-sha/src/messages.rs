//! Messages that are hashed together.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{BLOCK_BYTES, Digest};

/// How many bytes say how long a message is.
const LENGTH_BYTES: usize = 8;

/// Messages that are hashed together, one after the other in one buffer that is used again. Each
/// has its padding already (FIPS 180-4, 5.1.1), so that it is a number of whole blocks.
#[derive(Default)]
pub struct Messages {
    bytes: Vec<u8>,
    /// For each message the number of the block after its last, and its length without padding.
    ends: Vec<(usize, usize)>,
}

/// How many there are, not what they say.
impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Messages({})", self.ends.len())
    }
}

impl Messages {
    /// Forgets all messages.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Returns the buffer, to whose end the next message is written.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Ends the message that was written to the buffer.
    pub fn end(&mut self) {
        let length = self.bytes.len().saturating_sub(self.start());
        let n_bits = u64::try_from(length).unwrap_or(u64::MAX).wrapping_mul(8);
        self.bytes.push(0x80);
        let padded = self.bytes.len().wrapping_add(LENGTH_BYTES).next_multiple_of(BLOCK_BYTES);
        self.bytes.resize(padded.saturating_sub(LENGTH_BYTES), 0);
        self.bytes.extend_from_slice(&n_bits.to_be_bytes());
        self.ends.push((padded / BLOCK_BYTES, length));
    }

    /// Takes back what was written since the last message.
    pub fn take_back(&mut self) {
        self.bytes.truncate(self.start());
    }

    /// Appends a message of several parts.
    pub fn push(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.end();
    }

    /// Returns where the message that is being written starts.
    fn start(&self) -> usize {
        self.ends.last().map_or(0, |(end, _length)| end.saturating_mul(BLOCK_BYTES))
    }

    /// Replaces what is in `out` by the digest of each message.
    pub fn digests(&self, out: &mut Vec<Digest>) {
        out.clear();
        out.resize(self.ends.len(), Digest::default());
        #[cfg(target_arch = "x86_64")]
        if let Some(instructions) = crate::x86::Instructions::find() {
            let blocks = self.bytes.as_chunks().0;
            let ends = self.ends.iter().map(|(end, _length)| *end);
            let compress = |one: crate::pairs::Step<'_>, other: crate::pairs::Step<'_>| {
                instructions.compress(one, other);
            };
            return crate::pairs::digest_pairs(blocks, ends, out, compress);
        }
        let mut start = 0_usize;
        for ((end, length), digest) in self.ends.iter().zip(out) {
            let message = self.bytes.get(start..start.saturating_add(*length)).unwrap_or_default();
            *digest = Sha256::digest(message).into();
            start = end.saturating_mul(BLOCK_BYTES);
        }
    }
}
