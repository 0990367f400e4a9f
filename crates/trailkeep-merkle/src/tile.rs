//! A piece of a tree: up to 256 neighbouring hashes of one level.

use crate::{HASH_BYTES, Hash, Subtree, root_of};

/// How many hashes a full tile has.
pub const TILE_HASHES: usize = 256;
/// How high the tree is that stands on a full tile.
const TILE_LEVELS: u8 = 8;

/// Up to 256 neighbouring hashes of one level of a tree. A partial tile is a prefix of the full
/// one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tile {
    hashes: Vec<Hash>,
}

impl Tile {
    /// Takes hashes over; `None` where there is none or more than 256.
    pub fn new(hashes: Vec<Hash>) -> Option<Self> {
        (1..=TILE_HASHES).contains(&hashes.len()).then_some(Self { hashes })
    }

    /// Reads the bytes as they are served: the hashes, one after the other.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
        if !rest.is_empty() || hashes.len() > TILE_HASHES {
            return None;
        }
        Self::new(hashes.iter().copied().map(Hash).collect())
    }

    /// Returns the bytes as they are served.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.hashes.iter().flat_map(|hash| hash.0).collect()
    }

    /// Returns the hashes.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// Returns a node of the tree that stands on the tile, counted from the tile's start; `None`
    /// where the tile is not as wide.
    pub fn node(&self, subtree: Subtree) -> Option<Hash> {
        if subtree.level > TILE_LEVELS {
            return None;
        }
        let leaves = subtree.leaves()?;
        let range = usize::try_from(leaves.start).ok()?..usize::try_from(leaves.end).ok()?;
        Some(perfect_root(self.hashes.get(range)?))
    }

    /// Returns the root of a full tile, which is a hash of the tile above.
    pub fn root(&self) -> Option<Hash> {
        self.node(Subtree { level: TILE_LEVELS, index: 0 })
    }
}

/// Returns the root over hashes whose number is a power of two.
fn perfect_root(hashes: &[Hash]) -> Hash {
    if hashes.len() <= 1 {
        return root_of(hashes);
    }
    let (left, right) = hashes.split_at(hashes.len() / 2);
    crate::node_hash(&perfect_root(left), &perfect_root(right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Edge, leaf_hash};

    #[test]
    fn nodes_are_those_of_the_tree() {
        let leaves: Vec<Hash> = (0..=255_u8).map(|n| leaf_hash(&[n])).collect();
        let tile = Tile::new(leaves.clone()).unwrap();
        assert_eq!(Tile::from_bytes(&tile.to_bytes()), Some(tile.clone()));
        let mut edge = Edge::default();
        for leaf in &leaves {
            edge.append(*leaf, |subtree, hash| assert_eq!(tile.node(subtree), Some(hash)));
        }
        assert_eq!(tile.root(), Some(edge.root()));
        let partial = Tile::new(leaves[..200].to_vec()).unwrap();
        assert_eq!(partial.root(), None);
        assert_eq!(
            partial.node(Subtree { level: 3, index: 24 }),
            tile.node(Subtree { level: 3, index: 24 })
        );
        assert_eq!(partial.node(Subtree { level: 3, index: 25 }), None);
    }

    #[test]
    fn other_lengths_are_no_tiles() {
        for n_bytes in [0, 1, 31, 33, 257 * 32] {
            assert_eq!(Tile::from_bytes(&vec![0; n_bytes]), None, "{n_bytes}");
        }
    }
}
