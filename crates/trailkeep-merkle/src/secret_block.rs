//! The secrets of 65,536 leaves, kept as few.

use crate::{SECRET_BYTES, Secret};

/// How many secrets a block has.
pub const BLOCK_SECRETS: u64 = 1 << DEPTH;
/// How many steps there are from a block's seed to a leaf's secret.
const DEPTH: u8 = 16;
/// The bytes of a node: depth, path, secret.
const NODE_BYTES: usize = 1 + 2 + SECRET_BYTES;

/// Why bytes are no block.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the bytes are not the nodes of a block of secrets, from left to right")]
pub struct SecretBlockError;

/// The secrets of the 65,536 leaves of a block: the nodes of a GGM tree from which those that
/// were not forgotten can be made. A new block is one node, its seed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecretBlock {
    /// From left to right; none is below another.
    nodes: Vec<Node>,
}

/// The secret at the root of a part of the tree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Node {
    /// How far below the seed: 0 is the seed, 16 a leaf's secret.
    depth: u8,
    /// The number of the first leaf below.
    first: u32,
    secret: Secret,
}

impl Node {
    /// Returns the number after the last leaf below.
    fn end(&self) -> u32 {
        self.first.saturating_add(
            1_u32.checked_shl(u32::from(DEPTH.saturating_sub(self.depth))).unwrap_or(0),
        )
    }

    /// Returns the two nodes below; a leaf's secret has none.
    fn children(&self) -> Option<[Self; 2]> {
        if self.depth >= DEPTH {
            return None;
        }
        let depth = self.depth.saturating_add(1);
        let half = 1_u32.checked_shl(u32::from(DEPTH.saturating_sub(depth))).unwrap_or(0);
        let [left, right] = self.secret.children();
        Some([
            Self { depth, first: self.first, secret: left },
            Self { depth, first: self.first.saturating_add(half), secret: right },
        ])
    }
}

impl SecretBlock {
    /// Starts a block of which nothing is forgotten.
    pub fn new(seed: Secret) -> Self {
        Self { nodes: vec![Node { depth: 0, first: 0, secret: seed }] }
    }

    /// Reads what [`SecretBlock::to_bytes`] wrote.
    ///
    /// # Errors
    /// Where the bytes are no nodes from left to right.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretBlockError> {
        let (chunks, rest) = bytes.as_chunks::<NODE_BYTES>();
        let mut nodes: Vec<Node> = Vec::with_capacity(chunks.len());
        for [depth, high, low, secret @ ..] in chunks {
            let first = u32::from(u16::from_be_bytes([*high, *low]));
            let node = Node { depth: *depth, first, secret: Secret(*secret) };
            let follows = nodes.last().is_none_or(|before| before.end() <= first);
            let length = node.end().saturating_sub(first);
            let is_aligned = *depth <= DEPTH && first.checked_rem(length) == Some(0);
            if !follows || !is_aligned {
                return Err(SecretBlockError);
            }
            nodes.push(node);
        }
        if rest.is_empty() { Ok(Self { nodes }) } else { Err(SecretBlockError) }
    }

    /// Returns the nodes, 19 bytes each: depth, number of the first leaf (big-endian), secret.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.nodes.len().saturating_mul(NODE_BYTES));
        for node in &self.nodes {
            bytes.push(node.depth);
            let [_, _, high, low] = node.first.to_be_bytes();
            bytes.extend_from_slice(&[high, low]);
            bytes.extend_from_slice(&node.secret.0);
        }
        bytes
    }

    /// Returns the secret of a leaf, by its number in the block; `None` where it was forgotten.
    /// Costs up to 16 blocks of SHA-256.
    pub fn secret(&self, leaf: u16) -> Option<Secret> {
        let leaf = u32::from(leaf);
        let mut node = *self.nodes.get(self.place(leaf)?)?;
        while let Some([left, right]) = node.children() {
            node = if leaf < right.first { left } else { right };
        }
        Some(node.secret)
    }

    /// Forgets the secret of a leaf: what is left makes all others and not this one.
    pub fn forget(&mut self, leaf: u16) {
        let leaf = u32::from(leaf);
        let Some(place) = self.place(leaf) else { return };
        let mut node = self.nodes.remove(place);
        // The siblings on the way down: left ones come before those of the levels below.
        let (mut before, mut behind) = (Vec::new(), Vec::new());
        while let Some([left, right]) = node.children() {
            if leaf < right.first {
                behind.push(right);
                node = left;
            } else {
                before.push(left);
                node = right;
            }
        }
        behind.reverse();
        before.append(&mut behind);
        self.nodes.splice(place..place, before);
    }

    /// Tells whether the secrets of all leaves were forgotten.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns the secrets one after the other, from a leaf on.
    pub fn secrets_from(&self, leaf: u16) -> Secrets {
        let next = u32::from(leaf);
        let stack = self.nodes.iter().rev().filter(|node| node.end() > next).copied().collect();
        Secrets { stack, next }
    }

    /// Returns the place of the node above a leaf.
    fn place(&self, leaf: u32) -> Option<usize> {
        let place = self.nodes.partition_point(|node| node.end() <= leaf);
        self.nodes.get(place).filter(|node| node.first <= leaf).map(|_node| place)
    }
}

/// The secrets of a block's leaves, one after the other. Costs one block of SHA-256 each on
/// average.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Nodes that are not used up, the next one last.
    stack: Vec<Node>,
    next: u32,
}

impl Secrets {
    /// Returns the number of the leaf whose secret comes next; 65,536 at the end.
    pub fn position(&self) -> u32 {
        self.next
    }
}

/// `None` inside stands for a secret that was forgotten.
impl Iterator for Secrets {
    type Item = Option<Secret>;

    fn next(&mut self) -> Option<Self::Item> {
        let leaf = self.next;
        if leaf >= 1 << DEPTH {
            return None;
        }
        self.next = leaf.saturating_add(1);
        while let Some(node) = self.stack.pop_if(|node| node.first <= leaf) {
            match node.children() {
                None => return Some(Some(node.secret)),
                Some([left, right]) => {
                    self.stack.push(right);
                    if leaf < right.first {
                        self.stack.push(left);
                    }
                }
            }
        }
        Some(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block() -> SecretBlock {
        SecretBlock::new(Secret([7; 16]))
    }

    #[test]
    fn the_way_down_and_the_walk_agree() {
        let block = block();
        let all: Vec<_> = block.secrets_from(0).map(|it| it.unwrap().0).collect();
        assert_eq!(all.len(), 65_536);
        for leaf in [0, 1, 2, 255, 256, 32_767, 32_768, 65_534, 65_535_u16] {
            assert_eq!(block.secret(leaf).unwrap().0, all[usize::from(leaf)]);
            let walk: Vec<_> = block.secrets_from(leaf).take(3).map(|it| it.unwrap().0).collect();
            let at = usize::from(leaf);
            assert_eq!(walk, all[at..(at + 3).min(65_536)]);
        }
        let mut different = all;
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), 65_536);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Any set is forgotten: all others are made, none of the set is.
        #[test]
        fn what_is_forgotten_is_gone_and_nothing_else(
            forgotten in prop::collection::btree_set(any::<u16>(), 0..80),
            near in prop::collection::btree_set(0_u16..40, 0..40),
        ) {
            let whole = block();
            let mut block = block();
            let mut forgotten: Vec<u16> = forgotten.union(&near).copied().collect();
            // In an order that is not that of the leaves.
            forgotten.sort_unstable_by_key(|leaf| leaf.rotate_left(5) ^ 0x5a5a);
            for leaf in &forgotten {
                block.forget(*leaf);
                block.forget(*leaf);
            }
            let block = SecretBlock::from_bytes(&block.to_bytes()).unwrap();
            let kept: Vec<_> = block.secrets_from(0).collect();
            prop_assert_eq!(kept.len(), 65_536);
            for (leaf, (kept, before)) in kept.iter().zip(whole.secrets_from(0)).enumerate() {
                let leaf = u16::try_from(leaf).unwrap();
                let expected = if forgotten.contains(&leaf) { None } else { before };
                prop_assert_eq!(kept, &expected);
            }
            for leaf in forgotten.iter().take(5) {
                prop_assert_eq!(block.secret(*leaf), None);
                // No node that is left is, or leads to, what is gone.
                prop_assert!(!block.nodes.iter().any(|node| node.first <= u32::from(*leaf) && u32::from(*leaf) < node.end()));
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            if let Ok(block) = SecretBlock::from_bytes(&bytes) {
                prop_assert_eq!(block.to_bytes(), bytes);
            }
        }
    }
}
