//! Makes the filter of one page.

use crate::fuse::{SEGMENT_BITS_MAX, SEGMENTS_MIN, Shape};

/// How often a filter is tried. Two of three tries succeed, and every second one has another
/// segment, so that only items that were sought out to fail do.
const TRIES_MAX: u32 = 32;

/// Makes filters; keeps its memory.
#[derive(Debug, Default)]
pub(crate) struct FuseMaker {
    /// How many items have each slot.
    counts: Vec<u8>,
    /// Their mixed items, added up.
    sums: Vec<u64>,
    /// Slots that only one item has.
    alone: Vec<usize>,
    /// The items in the order in which they were taken out, each with a slot of its own.
    order: Vec<(u64, usize)>,
}

impl FuseMaker {
    /// Appends a filter's fingerprints and returns its shape. Items are distinct.
    pub(crate) fn make(&mut self, items: &[u64], out: &mut Vec<u8>) -> Shape {
        let Ok(n_items) = u32::try_from(items.len()) else { return Shape::MAYBE };
        for seed in 0..TRIES_MAX {
            let Some(shape) = shape(n_items, seed) else { return Shape::MAYBE };
            if self.take_apart(shape, items).is_some() {
                self.fill(shape, out);
                return shape;
            }
        }
        Shape::MAYBE
    }

    /// Takes out items that have a slot alone, until none is left; `None` where some stay.
    fn take_apart(&mut self, shape: Shape, items: &[u64]) -> Option<()> {
        self.add(shape, items)?;
        self.alone.clear();
        let alone = self.counts.iter().enumerate().filter(|(_, count)| **count == 1);
        self.alone.extend(alone.map(|(slot, _)| slot));
        self.order.clear();
        while let Some(slot) = self.alone.pop() {
            if self.counts.get(slot) != Some(&1) {
                continue;
            }
            let hash = *self.sums.get(slot)?;
            self.order.push((hash, slot));
            for other in shape.place(hash).slots {
                let count = self.counts.get_mut(other)?;
                *count = count.checked_sub(1)?;
                if *count == 1 {
                    self.alone.push(other);
                }
                *self.sums.get_mut(other)? ^= hash;
            }
        }
        (self.order.len() == items.len()).then_some(())
    }

    fn add(&mut self, shape: Shape, items: &[u64]) -> Option<()> {
        self.counts.clear();
        self.counts.resize(shape.n_slots(), 0);
        self.sums.clear();
        self.sums.resize(shape.n_slots(), 0);
        for item in items {
            let hash = shape.mix(*item);
            for slot in shape.place(hash).slots {
                let count = self.counts.get_mut(slot)?;
                *count = count.checked_add(1)?;
                *self.sums.get_mut(slot)? ^= hash;
            }
        }
        Some(())
    }

    /// Sets the slot of each item so that its four add up, the last taken out first: its other
    /// slots belong to items that were taken out after it.
    fn fill(&self, shape: Shape, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start.saturating_add(shape.n_slots()), 0);
        let Some(fingerprints) = out.get_mut(start..) else { return };
        for (hash, own) in self.order.iter().rev() {
            let place = shape.place(*hash);
            let sum = place.slots.into_iter().fold(place.fingerprint, |sum, slot| {
                sum ^ fingerprints.get(slot).copied().unwrap_or(0)
            });
            if let Some(slot) = fingerprints.get_mut(*own) {
                *slot = sum;
            }
        }
    }
}

/// Returns the shape to try: a segment longer every second time.
fn shape(n_items: u32, seed: u32) -> Option<Shape> {
    let log = n_items.max(1).ilog2();
    let segment_bits = u8::try_from(log.saturating_mul(2) / 3).ok()?.clamp(2, SEGMENT_BITS_MAX);
    // Measured: two of three tries succeed, from 50 to 100,000 items.
    let n_slots =
        n_items.saturating_add(n_items / 8).saturating_add(n_items.isqrt().saturating_mul(4));
    let n_segments = n_slots.div_ceil(1 << segment_bits).saturating_add(seed / 2);
    let n_segments = u16::try_from(n_segments).ok()?.max(SEGMENTS_MIN);
    Some(Shape { seed, n_segments, segment_bits })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn items(n_items: u64, start: u64) -> Vec<u64> {
        let spread = |item: u64| item.wrapping_add(start).wrapping_mul(0xd6e8_feb8_6659_fd93);
        (0..n_items).map(spread).collect()
    }

    #[test]
    fn sizes_and_wrong_answers() {
        let mut maker = FuseMaker::default();
        for (n_items, percent_max) in [(300, 170), (2000, 135), (9000, 123), (40_000, 117)] {
            let mut n_slots = 0;
            let mut n_wrong = 0_u64;
            for round in 0..10 {
                let mut out = Vec::new();
                let shape = maker.make(&items(n_items, round << 32), &mut out);
                n_slots += out.len();
                let others = items(1000, (round << 32) + n_items);
                n_wrong +=
                    others.iter().map(|other| u64::from(shape.may_hold(&out, *other))).sum::<u64>();
            }
            let percent = n_slots * 100 / 10 / usize::try_from(n_items).unwrap();
            assert!(percent <= percent_max, "{n_items} items: {percent} %");
            assert!(n_wrong < 75, "{n_items} items: {n_wrong} of 10,000 wrong");
        }
    }

    #[test]
    fn items_that_are_not_distinct_say_maybe() {
        let mut out = vec![9];
        let shape = FuseMaker::default().make(&[5, 5], &mut out);
        assert_eq!((shape, out.as_slice()), (Shape::MAYBE, &[9][..]));
        assert!(shape.may_hold(&[], 1));
    }

    proptest! {
        #[test]
        fn no_item_is_lost(n_items in 0_u64..3000, start: u64) {
            let items = items(n_items, start);
            let mut out = Vec::new();
            let shape = FuseMaker::default().make(&items, &mut out);
            prop_assert_ne!(shape, Shape::MAYBE);
            prop_assert_eq!(out.len(), shape.n_slots());
            for item in items {
                prop_assert!(shape.may_hold(&out, item));
            }
        }
    }
}
