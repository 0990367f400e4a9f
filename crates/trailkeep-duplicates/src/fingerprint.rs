//! What stands for a source id.

use std::fmt;
use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};
use trailkeep_event::{EventId, Field, Fields, Micros, ValueRef};

/// The prefix of `instance` that marks a line of an import job.
const IMPORT_PREFIX: &str = "import/";

/// What a producer identifies an event by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SourceRef<'a> {
    /// The producer's own `source_id`.
    Id(&'a str),
    /// A line of an import job, for events without a `source_id`.
    Line {
        /// The job, as in `instance`.
        job: &'a str,
        /// The line, as in `instance_seq`.
        line: i64,
    },
}

impl<'a> SourceRef<'a> {
    /// Returns what identifies an event; events without either are never duplicates.
    pub fn of(event: &'a impl Fields) -> Option<Self> {
        if let Some(id) = event.text(Field::SourceId) {
            return Some(Self::Id(id));
        }
        let job = event.text(Field::Instance).filter(|text| text.starts_with(IMPORT_PREFIX))?;
        let line = event.get(Field::InstanceSeq).and_then(ValueRef::as_int)?;
        Some(Self::Line { job, line })
    }
}

/// The first 96 bits of a keyed hash of (account, source id).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint(pub [u8; 12]);

/// What is remembered of the first event with a source id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Known {
    /// A keyed hash of its action and time: another one is a conflict, not a duplicate.
    pub check: u32,
    /// Its identifier.
    pub id: EventId,
}

/// The secret of the hashes. It is fixed when the store is made, so that nobody outside can
/// construct a collision.
#[derive(Clone)]
pub struct SourceKey([u8; 16]);

impl fmt::Debug for SourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SourceKey(****)")
    }
}

impl SourceKey {
    /// Takes 16 random bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the fingerprint of a source id within an account.
    pub fn fingerprint(&self, account_id: &str, source: SourceRef<'_>) -> Fingerprint {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write_usize(account_id.len());
        hasher.write(account_id.as_bytes());
        match source {
            SourceRef::Id(id) => {
                hasher.write_u8(0);
                hasher.write(id.as_bytes());
            }
            SourceRef::Line { job, line } => {
                hasher.write_u8(1);
                hasher.write(job.as_bytes());
                hasher.write_i64(line);
            }
        }
        let wide = hasher.finish128().as_bytes();
        let mut narrow = [0; 12];
        for (slot, byte) in narrow.iter_mut().zip(wide) {
            *slot = byte;
        }
        Fingerprint(narrow)
    }

    /// Returns the check of an event: equal for the same action and time.
    pub fn check(&self, action: &str, occurred_at: Micros) -> u32 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write_u8(2);
        hasher.write(action.as_bytes());
        hasher.write_i64(occurred_at.0);
        u32::try_from(hasher.finish128().h1 >> 32).unwrap_or(0)
    }

    /// Returns the fingerprint and check of an event that has a source id.
    pub fn identify(&self, event: &impl Fields) -> Option<(Fingerprint, u32)> {
        let source = SourceRef::of(event)?;
        let account_id = event.text(Field::AccountId)?;
        let action = event.text(Field::Action)?;
        let occurred_at = event.get(Field::OccurredAt).and_then(ValueRef::as_time)?;
        Some((self.fingerprint(account_id, source), self.check(action, occurred_at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_kind_and_id_all_count() {
        let key = SourceKey::new([3; 16]);
        let all = [
            key.fingerprint("a", SourceRef::Id("bc")),
            key.fingerprint("ab", SourceRef::Id("c")),
            key.fingerprint("a", SourceRef::Id("import/1")),
            key.fingerprint("a", SourceRef::Line { job: "import/1", line: 1 }),
            key.fingerprint("a", SourceRef::Line { job: "import/1", line: 2 }),
            SourceKey::new([4; 16]).fingerprint("a", SourceRef::Id("bc")),
        ];
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_ne!(key.check("x", Micros(1)), key.check("x", Micros(2)));
        assert_ne!(key.check("x", Micros(1)), key.check("y", Micros(1)));
    }
}
