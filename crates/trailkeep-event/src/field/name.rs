//! The names of fields: found by their bytes, and written as canonical JSON has them.

use super::Field;
use crate::push::{PIECE, push_start};

/// `,"name":"` with room behind it, so that it is pushed as one piece.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemberName {
    bytes: [u8; PIECE],
    len: u8,
}

impl MemberName {
    #[expect(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        reason = "the compiler runs it, and what is out of range does not build"
    )]
    pub(super) const fn new(name: &[u8]) -> Self {
        let mut bytes = [0; PIECE];
        let mut index = 0;
        while index < name.len() {
            bytes[index] = name[index];
            index += 1;
        }
        Self { bytes, len: name.len() as u8 }
    }

    /// Appends `,"name":"`.
    #[inline]
    pub(crate) fn write_quoted(&self, out: &mut Vec<u8>) {
        push_start(out, &self.bytes, usize::from(self.len));
    }

    /// Appends `,"name":`.
    #[inline]
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        push_start(out, &self.bytes, usize::from(self.len).wrapping_sub(1));
    }
}

/// Finds a field by the bytes of its name.
#[inline]
pub(super) fn find(name: &[u8]) -> Option<Field> {
    let mut slot = slot_of(name);
    loop {
        let (found, field) = SLOTS.get(usize::from(slot)).copied().flatten()?;
        if found.as_bytes() == name {
            return Some(field);
        }
        slot = slot.wrapping_add(1);
    }
}

/// Fields by their names: each on the slot that its name falls on, or on the next free one.
static SLOTS: [Option<(&str, Field)>; 256] = slots();

/// Returns the slot that a name falls on. The factor was found by trial: two of today's names
/// share a slot, and no factor parts them.
#[inline]
const fn slot_of(bytes: &[u8]) -> u8 {
    let (_, half) = bytes.split_at(bytes.len() / 2);
    let [len, ..] = bytes.len().to_le_bytes();
    let (Some(first), Some(middle), Some(last)) = (bytes.first(), half.first(), bytes.last())
    else {
        return 0;
    };
    let [.., slot] =
        u32::from_le_bytes([len, *first, *middle, *last]).wrapping_mul(0x9f80_4517).to_le_bytes();
    slot
}

#[expect(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "the compiler runs it, and what is out of range does not build"
)]
const fn slots() -> [Option<(&'static str, Field)>; 256] {
    let mut slots = [None; 256];
    let mut index = 0;
    while index < Field::ALL.len() {
        let field = Field::ALL[index];
        let mut slot = slot_of(field.name().as_bytes());
        while slots[slot as usize].is_some() {
            slot = slot.wrapping_add(1);
        }
        slots[slot as usize] = Some((field.name(), field));
        index += 1;
    }
    slots
}
