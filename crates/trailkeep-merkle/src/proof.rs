//! Inclusion and consistency proofs: what they consist of, and how they are checked.

use std::ops::Range;

use crate::{Hash, node_hash};

/// The most hashes that a proof of a tree below 2^63 leaves has.
pub const PROOF_HASHES_MAX: usize = 63;

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProofError {
    /// The sizes or the index contradict each other.
    #[error("the index or the old size is beyond the size of the tree")]
    Beyond,
    /// There are more or fewer hashes than these sizes need.
    #[error("the proof has {found} hashes, not {expected}")]
    Length {
        /// How many are needed.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The hashes lead to another root of the tree.
    #[error("the proof leads to another root hash")]
    Root,
    /// The hashes lead to another root of the older tree.
    #[error("the proof leads to another root hash of the older tree")]
    OldRoot,
}

/// Returns of which ranges of leaves an inclusion proof gives the root hashes, from the leaf's
/// sibling upwards; `None` where the tree has no such leaf.
pub fn inclusion_nodes(index: u64, size: u64) -> Option<Vec<Range<u64>>> {
    (index < size).then(|| path(index, 0..size))
}

/// Returns of which ranges of leaves a consistency proof gives the root hashes; `None` where the
/// old tree is the larger one. Nothing is to be shown for an empty old tree or an equal one.
pub fn consistency_nodes(old_size: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if old_size > size {
        return None;
    }
    if old_size == 0 || old_size == size {
        return Some(Vec::new());
    }
    // RFC 6962, 2.1.2: the path of the last old leaf, from its largest subtree that ends there.
    let (mut nodes, mut range, mut is_whole) = (Vec::new(), 0..size, true);
    while old_size != range.end {
        let middle = split(&range);
        if old_size <= middle {
            nodes.push(middle..range.end);
            range.end = middle;
        } else {
            nodes.push(range.start..middle);
            range.start = middle;
            is_whole = false;
        }
    }
    if !is_whole {
        nodes.push(range);
    }
    nodes.reverse();
    Some(nodes)
}

/// Returns the root hash of a range of leaves over those of the subtrees that cover it, from left
/// to right ([`Subtree::cover`](crate::Subtree::cover)).
pub fn root_of(parts: &[Hash]) -> Hash {
    match parts.split_last() {
        Some((last, rest)) => rest.iter().rev().fold(*last, |right, left| node_hash(left, &right)),
        None => Hash::EMPTY_ROOT,
    }
}

/// Checks that a tree has a leaf at an index.
///
/// # Errors
/// [`ProofError`] says why the proof does not show it.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    let nodes = inclusion_nodes(index, size).ok_or(ProofError::Beyond)?;
    same_length(nodes.len(), proof.len())?;
    let step = |hash: Hash, (node, other): (&Range<u64>, &Hash)| {
        if node.end <= index { node_hash(other, &hash) } else { node_hash(&hash, other) }
    };
    let found = nodes.iter().zip(proof).fold(*leaf, step);
    if found == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks that a tree has all leaves of an older one, in their places.
///
/// # Errors
/// [`ProofError`] says why the proof does not show it.
pub fn verify_consistency(
    (old_size, old_root): (u64, &Hash),
    (size, root): (u64, &Hash),
    proof: &[Hash],
) -> Result<(), ProofError> {
    let nodes = consistency_nodes(old_size, size).ok_or(ProofError::Beyond)?;
    same_length(nodes.len(), proof.len())?;
    if old_size == 0 {
        return if *old_root == Hash::EMPTY_ROOT {
            same_root(size, root)
        } else {
            Err(ProofError::OldRoot)
        };
    }
    if old_size == size {
        return if old_root == root { Ok(()) } else { Err(ProofError::Root) };
    }
    // What the path starts from is in the proof, except where it is the whole old tree.
    let mut steps = nodes.iter().zip(proof);
    let mut start = *old_root;
    if nodes.first().is_some_and(|first| first.end == old_size)
        && let Some((_node, hash)) = steps.next()
    {
        start = *hash;
    }
    let (mut old, mut new) = (start, start);
    for (node, other) in steps {
        if node.end <= old_size {
            (old, new) = (node_hash(other, &old), node_hash(other, &new));
        } else {
            new = node_hash(&new, other);
        }
    }
    if old != *old_root {
        return Err(ProofError::OldRoot);
    }
    if new == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// The root of an empty tree is known.
fn same_root(size: u64, root: &Hash) -> Result<(), ProofError> {
    if size > 0 || *root == Hash::EMPTY_ROOT { Ok(()) } else { Err(ProofError::Root) }
}

fn same_length(expected: usize, found: usize) -> Result<(), ProofError> {
    if expected == found { Ok(()) } else { Err(ProofError::Length { expected, found }) }
}

/// Returns the siblings on the way from a leaf to the root of a range, from the leaf's.
fn path(index: u64, mut range: Range<u64>) -> Vec<Range<u64>> {
    let mut nodes = Vec::new();
    while range.end.saturating_sub(range.start) > 1 {
        let middle = split(&range);
        if index < middle {
            nodes.push(middle..range.end);
            range.end = middle;
        } else {
            nodes.push(range.start..middle);
            range.start = middle;
        }
    }
    nodes.reverse();
    nodes
}

/// Returns where a range of at least two leaves divides: after the largest power of two of them
/// that is smaller than all.
fn split(range: &Range<u64>) -> u64 {
    let length = range.end.saturating_sub(range.start);
    let left = length.saturating_sub(1).checked_ilog2().map_or(0, |level| 1_u64 << level);
    range.start.saturating_add(left)
}
