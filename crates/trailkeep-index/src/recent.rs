//! Values that the page had already, so that each is split into items once.

use trailkeep_event::Field;

/// How many values of one field are remembered: fields with few values have no more, and others
/// push out only their own.
const FIELD_SLOTS: usize = 64;
/// The longest value that is remembered.
const VALUE_BYTES_MAX: usize = 122;

/// The last value that fell on each slot. Values are compared by their bytes: were they compared
/// by a hash, who finds two values with the same could hide one of them from search.
#[derive(Debug)]
pub(crate) struct Recent {
    slots: Vec<Slot>,
    page: u32,
}

#[derive(Clone, Debug)]
struct Slot {
    page: u32,
    len: u8,
    bytes: [u8; VALUE_BYTES_MAX],
}

impl Recent {
    pub(crate) fn new() -> Self {
        let free = Slot { page: 0, len: 0, bytes: [0; VALUE_BYTES_MAX] };
        Self { slots: vec![free; FIELD_SLOTS * Field::IN_ROW], page: 1 }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.page = self.page.checked_add(1).unwrap_or_else(|| {
            *self = Self::new();
            1
        });
    }

    /// Tells whether the page had this value for certain; remembers it.
    pub(crate) fn had(&mut self, field: Field, value: &[u8]) -> bool {
        let Ok(len) = u8::try_from(value.len()) else { return false };
        let at = usize::from(field.number()) * FIELD_SLOTS + slot(value);
        let page = self.page;
        let Some(slot) = self.slots.get_mut(at) else { return false };
        let Some(bytes) = slot.bytes.get_mut(..value.len()) else { return false };
        if (slot.page, slot.len) == (page, len) && bytes == value {
            return true;
        }
        bytes.copy_from_slice(value);
        (slot.page, slot.len) = (page, len);
        false
    }
}

/// Picks a slot by the ends of a value, which is quick and good enough.
fn slot(value: &[u8]) -> usize {
    let (first, last) = match (value.first_chunk(), value.last_chunk()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => value.iter().fold((0, 0), |(sum, _), byte| (sum << 8 | u64::from(*byte), 0)),
    };
    let mixed = (first ^ last.rotate_left(21)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 58).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_until_the_page_ends() {
        let mut recent = Recent::new();
        assert!(!recent.had(Field::Ip, b"a"));
        assert!(recent.had(Field::Ip, b"a"));
        assert!(!recent.had(Field::Path, b"a"));
        recent.clear();
        assert!(!recent.had(Field::Ip, b"a"));
        assert!(!recent.had(Field::Path, &[b'x'; 123]));
        assert!(!recent.had(Field::Path, &[b'x'; 123]));
        assert!(!recent.had(Field::Path, &[b'x'; 300]));
    }
}
