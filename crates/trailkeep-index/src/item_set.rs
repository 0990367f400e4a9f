//! The distinct items of the page that is being written.

/// The most items that one page keeps. A page with more says "maybe" to everything.
pub(crate) const PAGE_ITEMS_MAX: usize = 1 << 17;

/// Room for the items of a usual page, small enough to stay in a near cache.
const SLOTS_MIN: usize = 1 << 14;

/// How far an item may be from its slot. So many slots in a row are taken only where items were
/// made to meet.
const STEPS_MAX: usize = 1024;

/// A set of items, none of which is 0; a quarter of its slots stays empty.
#[derive(Debug)]
pub(crate) struct ItemSet {
    slots: Vec<u64>,
    len: usize,
    full: bool,
}

impl ItemSet {
    pub(crate) fn new() -> Self {
        Self { slots: vec![0; SLOTS_MIN], len: 0, full: false }
    }

    /// Adds an item, unless the set is as full as it may be.
    pub(crate) fn insert(&mut self, item: u64) {
        debug_assert!(item != 0, "0 is an empty slot");
        if self.full {
            return;
        }
        match place(&mut self.slots, item) {
            Placed::There => {}
            Placed::Crowded => self.full = true,
            Placed::New => {
                self.len = self.len.saturating_add(1);
                self.full = self.len >= PAGE_ITEMS_MAX;
                if self.len.saturating_mul(4) >= self.slots.len().saturating_mul(3) {
                    self.grow();
                }
            }
        }
    }

    fn grow(&mut self) {
        let n_slots = self.slots.len().saturating_mul(2);
        let old = std::mem::replace(&mut self.slots, vec![0; n_slots]);
        for item in old.into_iter().filter(|item| *item != 0) {
            self.full |= matches!(place(&mut self.slots, item), Placed::Crowded);
        }
    }

    /// Moves the items out; `None` where they were too many.
    pub(crate) fn take(&mut self, out: &mut Vec<u64>) -> Option<()> {
        out.clear();
        out.extend(self.slots.iter().copied().filter(|item| *item != 0));
        self.slots.fill(0);
        self.len = 0;
        let fits = !std::mem::take(&mut self.full);
        fits.then_some(())
    }
}

enum Placed {
    New,
    There,
    /// Too many items fall on these slots.
    Crowded,
}

/// Puts an item into its slot or the next free one.
fn place(slots: &mut [u64], item: u64) -> Placed {
    let mask = slots.len().saturating_sub(1);
    let start = usize::try_from(item >> 32).unwrap_or(0);
    for step in 0..STEPS_MAX {
        match slots.get_mut(start.wrapping_add(step) & mask) {
            Some(slot) if *slot == 0 => {
                *slot = item;
                return Placed::New;
            }
            Some(slot) if *slot != item => {}
            _ => return Placed::There,
        }
    }
    Placed::Crowded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn spread(item: usize) -> u64 {
        u64::try_from(item).unwrap().wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[test]
    fn a_set_with_too_many_items_says_so_and_starts_again() {
        let mut set = ItemSet::new();
        let mut out = Vec::new();
        for item in 1..=PAGE_ITEMS_MAX {
            set.insert(spread(item));
        }
        assert_eq!(set.take(&mut out), None);
        set.insert(7);
        assert_eq!(set.take(&mut out), Some(()));
        assert_eq!(out, [7]);
    }

    /// Whoever knows the hash can make items that fall on one slot.
    #[test]
    fn items_that_were_made_to_meet_take_no_time() {
        let mut set = ItemSet::new();
        for item in 1..=100_000 {
            set.insert(item);
        }
        assert_eq!(set.take(&mut Vec::new()), None);
    }

    proptest! {
        #[test]
        fn the_same_as_a_set(
            items in prop::collection::vec(1_u64..=u64::MAX, 0..40), many in 1_usize..20_000
        ) {
            let mut set = ItemSet::new();
            let mut expected = BTreeSet::new();
            let more = (1..many).map(spread);
            for item in items.iter().copied().chain(more).chain(items.iter().copied()) {
                set.insert(item);
                expected.insert(item);
            }
            let mut out = Vec::new();
            prop_assert_eq!(set.take(&mut out), Some(()));
            out.sort_unstable();
            prop_assert_eq!(out, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
