//! A perfect part of a tree.

use std::ops::Range;

/// The highest level that a subtree of fewer than 2^63 leaves can have.
const LEVEL_MAX: u8 = 62;

/// A perfect, aligned part of a tree: the leaves from `index * 2^level`, `2^level` of them.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Subtree {
    /// The height: 0 is a leaf.
    pub level: u8,
    /// The number among those of its height, from 0.
    pub index: u64,
}

impl Subtree {
    /// Returns a leaf.
    pub fn leaf(index: u64) -> Self {
        Self { level: 0, index }
    }

    /// Returns which leaves it covers, where they are below 2^63.
    pub fn leaves(self) -> Option<Range<u64>> {
        if self.level > LEVEL_MAX {
            return None;
        }
        let n_leaves = 1_u64 << self.level;
        let start = self.index.checked_mul(n_leaves)?;
        Some(start..start.checked_add(n_leaves).filter(|end| *end <= 1 << 63)?)
    }

    /// Returns the subtrees that the nodes of a proof are made of, in their order.
    pub fn of_nodes(nodes: &[Range<u64>]) -> Vec<Self> {
        nodes.iter().flat_map(|node| Self::cover(node.clone())).collect()
    }

    /// Returns the fewest subtrees that together cover a range of leaves, from left to right.
    pub fn cover(range: Range<u64>) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut start = range.start;
        while start < range.end {
            // The largest that starts here, and does not reach beyond the end.
            let aligned = start.trailing_zeros();
            let fitting = range.end.saturating_sub(start).ilog2();
            let level = aligned.min(fitting);
            let index = start.checked_shr(level).unwrap_or(0);
            parts.push(Self { level: u8::try_from(level).unwrap_or(u8::MAX), index });
            let Some(next) = start.checked_add(1_u64.checked_shl(level).unwrap_or(0)) else {
                break;
            };
            start = next;
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn covers_are_exact_and_minimal(start in 0_u64..5_000, end in 0_u64..10_000) {
            let end = end.max(start);
            let cover = Subtree::cover(start..end);
            let mut at = start;
            for part in &cover {
                let leaves = part.leaves().unwrap();
                prop_assert_eq!(leaves.start, at);
                at = leaves.end;
            }
            prop_assert_eq!(at, end);
            // No two neighbours make a larger one.
            for pair in cover.windows(2) {
                let siblings = pair[0].level == pair[1].level && pair[0].index % 2 == 0;
                prop_assert!(!siblings);
            }
        }
    }

    #[test]
    fn the_end_of_numbers_ends_a_cover() {
        assert!(Subtree::cover(u64::MAX - 2..u64::MAX).len() <= 2);
        assert_eq!(Subtree { level: 63, index: 1 }.leaves(), None);
        assert_eq!(Subtree { level: 62, index: 1 }.leaves(), Some(1 << 62..1 << 63));
    }
}
