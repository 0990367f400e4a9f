//! The leaf hashes of many entries at once.

use std::fmt;

use trailkeep_event::{EntryRef, Section, write_section};
use trailkeep_merkle::{
    EVENT_DOMAIN, HASH_BYTES, Hash, SALT_DOMAIN, SECRET_BYTES, SECTION_DOMAIN, Secret,
};
use trailkeep_sha::Messages;

use crate::entry_leaf::{leaf_of, section_bit};

/// Before each leaf that is hashed (RFC 6962).
const LEAF: &[u8] = &[0];
/// How many pairs of salts an entry has: a salt a section.
const PAIRS: usize = 4;
const _: () = assert!(Section::ALL.len() == 2 * PAIRS, "each section has a salt");

type Digest = [u8; HASH_BYTES];

/// The leaf hashes of many entries at once, in buffers that are used again. The same as
/// [`entry_leaf`](crate::entry_leaf) of each: here all hashes of a kind are made together.
#[derive(Default)]
pub struct LeafBatch {
    /// The sections of all entries, each with its number and entry.
    sections: Messages,
    masks: Vec<u16>,
    salts: Messages,
    events: Messages,
    leaves: Messages,
    salt_digests: Vec<Digest>,
    section_digests: Vec<Digest>,
    event_digests: Vec<Digest>,
    leaf_hashes: Vec<Digest>,
}

/// Without what is in the buffers: secrets and events' content.
impl fmt::Debug for LeafBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeafBatch").finish_non_exhaustive()
    }
}

impl LeafBatch {
    /// Returns the hash of each entry's leaf, in their order.
    pub fn hashes(&mut self, entries: &[(EntryRef<'_>, Secret)], out: &mut Vec<Hash>) {
        self.make_salts(entries);
        self.make_sections(entries);
        self.make_events();
        self.leaves.clear();
        for (((entry, _secret), mask), digest) in
            entries.iter().zip(&self.masks).zip(&self.event_digests)
        {
            let leaf = leaf_of(&entry.row, &entry.stamp, *mask, Hash(*digest));
            self.leaves.push(&[LEAF, &leaf.to_bytes()]);
        }
        self.leaves.digests(&mut self.leaf_hashes);
        out.clear();
        out.extend(self.leaf_hashes.iter().copied().map(Hash));
    }

    fn make_salts(&mut self, entries: &[(EntryRef<'_>, Secret)]) {
        self.salts.clear();
        for (_entry, secret) in entries {
            for pair in (0_u8..).take(PAIRS) {
                self.salts.push(&[SALT_DOMAIN, &secret.0, &[pair]]);
            }
        }
        self.salts.digests(&mut self.salt_digests);
    }

    fn make_sections(&mut self, entries: &[(EntryRef<'_>, Secret)]) {
        self.sections.clear();
        self.masks.clear();
        let (salts, _rest) = self.salt_digests.as_chunks::<PAIRS>();
        for ((entry, _secret), salts) in entries.iter().zip(salts) {
            let (fields, mut mask) = (entry.row.unpack(), 0);
            let salts = salts.iter().flat_map(|pair| pair.as_chunks::<SECRET_BYTES>().0);
            for (section, salt) in Section::ALL.into_iter().zip(salts) {
                let buffer = self.sections.buffer();
                buffer.extend_from_slice(SECTION_DOMAIN);
                buffer.push(section.number());
                buffer.extend_from_slice(salt);
                if write_section(&fields, section, buffer) {
                    self.sections.end();
                    mask |= section_bit(section);
                } else {
                    self.sections.take_back();
                }
            }
            self.masks.push(mask);
        }
        self.sections.digests(&mut self.section_digests);
    }

    fn make_events(&mut self) {
        self.events.clear();
        let mut digests = self.section_digests.iter();
        for mask in &self.masks {
            let buffer = self.events.buffer();
            buffer.extend_from_slice(EVENT_DOMAIN);
            buffer.extend_from_slice(&mask.to_be_bytes());
            let n_sections = usize::try_from(mask.count_ones()).unwrap_or(0);
            digests.by_ref().take(n_sections).for_each(|it| buffer.extend_from_slice(it));
            self.events.end();
        }
        self.events.digests(&mut self.event_digests);
    }
}
