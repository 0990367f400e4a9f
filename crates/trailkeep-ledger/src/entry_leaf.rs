//! The leaf of an entry.

use std::fmt;

use trailkeep_event::{Field, Fields, Section, Stamp, write_section};
use trailkeep_merkle::{Hash, Leaf, LeafKind, Salt, Secret, event_digest, section_digest};

/// One section of an entry, and what makes its digest of it.
#[derive(Clone, Eq, PartialEq)]
pub struct OpenSection {
    /// Which.
    pub section: Section,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// Its salt.
    pub salt: Salt,
}

/// Without the bytes: they are an event's content.
impl fmt::Debug for OpenSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSection").field("section", &self.section).finish_non_exhaustive()
    }
}

impl OpenSection {
    /// Returns what commits to the section.
    pub fn digest(&self) -> Hash {
        section_digest(self.section.number(), &self.salt, &self.bytes)
    }
}

/// Returns an entry's sections, and their salts.
pub fn open_sections(fields: &impl Fields, secret: &Secret) -> Vec<OpenSection> {
    let open = |section: Section| {
        let mut bytes = Vec::new();
        let salt = Salt::of(secret, section.number());
        write_section(fields, section, &mut bytes).then_some(OpenSection { section, bytes, salt })
    };
    Section::ALL.into_iter().filter_map(open).collect()
}

/// Returns the leaf of an entry. [`LeafBatch`](crate::LeafBatch) makes many for less.
pub fn entry_leaf(fields: &impl Fields, stamp: &Stamp, secret: &Secret) -> Leaf {
    let sections = open_sections(fields, secret);
    let digests: Vec<Hash> = sections.iter().map(OpenSection::digest).collect();
    let mask = sections.iter().fold(0, |mask, open| mask | section_bit(open.section));
    leaf_of(fields, stamp, mask, event_digest(mask, &digests))
}

/// Returns a leaf over the digest of its event.
pub(crate) fn leaf_of(fields: &impl Fields, stamp: &Stamp, sections: u16, digest: Hash) -> Leaf {
    Leaf {
        kind: leaf_kind(fields),
        sections,
        created_at: u64::try_from(stamp.created_at.0).unwrap_or(0),
        id: stamp.id.0,
        event_digest: digest,
    }
}

/// Returns the bit by which a leaf says that it has a section.
pub(crate) fn section_bit(section: Section) -> u16 {
    1_u16.checked_shl(u32::from(section.number())).unwrap_or(0)
}

/// Returns what an entry is to its log: only entries of the category `system`, which no producer
/// writes, are more than events.
pub fn leaf_kind(fields: &impl Fields) -> LeafKind {
    if fields.text(Field::Category) != Some("system") {
        return LeafKind::Event;
    }
    match fields.text(Field::Action).unwrap_or_default() {
        "ledger.erased" => LeafKind::Erasure,
        "ledger.purged" => LeafKind::Purge,
        "ledger.gap" | "journal.tail_cut" => LeafKind::Gap,
        "ledger.receipt" => LeafKind::Receipt,
        "ledger.continued" => LeafKind::Continuation,
        "ledger.anchored" => LeafKind::Anchored,
        action => {
            let configures = ["settings.", "key.", "integrity."];
            let is_one = configures.into_iter().any(|prefix| action.starts_with(prefix));
            if is_one { LeafKind::Configuration } else { LeafKind::Event }
        }
    }
}
