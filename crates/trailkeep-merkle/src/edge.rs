//! The right edge of a tree: all that is needed to append.

use crate::{Hash, Subtree, node_hash};

/// The right edge of a tree: the roots of the perfect subtrees that make it up, largest first,
/// one for each bit that is set in the size. At most 63 hashes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Edge {
    size: u64,
    hashes: Vec<Hash>,
}

impl Edge {
    /// Takes an edge over that was stored; `None` where the hashes are not as many as the size
    /// needs.
    pub fn from_parts(size: u64, hashes: Vec<Hash>) -> Option<Self> {
        let expected = usize::try_from(size.count_ones()).ok()?;
        (hashes.len() == expected && size < 1 << 63).then_some(Self { size, hashes })
    }

    /// Returns how many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the roots of the perfect subtrees, largest first.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// Appends a leaf, and calls `completed` with each node that is complete by it, from the
    /// lowest. Costs one node on average.
    pub fn append(&mut self, leaf: Hash, mut completed: impl FnMut(Subtree, Hash)) {
        let (mut hash, mut index) = (leaf, self.size);
        for level in 1_u8.. {
            if index & 1 == 0 {
                break;
            }
            let Some(left) = self.hashes.pop() else { break };
            hash = node_hash(&left, &hash);
            index >>= 1;
            completed(Subtree { level, index }, hash);
        }
        self.hashes.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// Returns the root. Costs a node for each hash but one.
    pub fn root(&self) -> Hash {
        let fold = |right: Hash, left: &Hash| node_hash(left, &right);
        match self.hashes.split_last() {
            Some((last, rest)) => rest.iter().rev().fold(*last, fold),
            None => Hash::EMPTY_ROOT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf_hash;
    use std::collections::BTreeMap;

    /// The definition of RFC 6962, 2.1.
    fn definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::EMPTY_ROOT,
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&definition(left), &definition(right))
            }
        }
    }

    #[test]
    fn the_root_is_as_defined_at_every_size() {
        let leaves: Vec<Hash> = (0_u16..600).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let (mut edge, mut nodes) = (Edge::default(), BTreeMap::new());
        assert_eq!(edge.root(), Hash::EMPTY_ROOT);
        for (n, leaf) in leaves.iter().enumerate() {
            edge.append(*leaf, |subtree, hash| assert_eq!(nodes.insert(subtree, hash), None));
            assert_eq!(edge.root(), definition(&leaves[..=n]));
            let again = Edge::from_parts(edge.size(), edge.hashes().to_vec());
            assert_eq!(again.as_ref(), Some(&edge));
        }
        for (subtree, hash) in &nodes {
            let range = subtree.leaves().unwrap();
            let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
            assert_eq!(*hash, definition(&leaves[range]));
        }
        // Of 600 leaves: 300, 150, 75, 37, ...
        assert_eq!(nodes.len(), 300 + 150 + 75 + 37 + 18 + 9 + 4 + 2 + 1);
    }

    #[test]
    fn an_edge_of_another_size_is_refused() {
        assert_eq!(Edge::from_parts(3, vec![Hash::EMPTY_ROOT]), None);
        assert_eq!(Edge::from_parts(1 << 63, vec![Hash::EMPTY_ROOT]), None);
    }
}
