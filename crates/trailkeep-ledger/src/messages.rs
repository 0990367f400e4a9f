//! Messages that are hashed together.

use sha2::{Digest, Sha256};
use trailkeep_merkle::Hash;

/// Messages that are hashed together, one after the other in one buffer that is used again.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Messages {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Returns the buffer, to whose end the next message is written.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Ends a message.
    pub(crate) fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// Takes back what was written since the last message.
    pub(crate) fn take_back(&mut self) {
        self.bytes.truncate(self.ends.last().copied().unwrap_or(0));
    }

    /// Appends a message of several parts.
    pub(crate) fn push(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.end();
    }

    /// Returns the digest of each message.
    pub(crate) fn digests(&self, out: &mut Vec<Hash>) {
        out.clear();
        let mut start = 0;
        for end in &self.ends {
            let message = self.bytes.get(start..*end).unwrap_or_default();
            out.push(Hash(Sha256::digest(message).into()));
            start = *end;
        }
    }
}
