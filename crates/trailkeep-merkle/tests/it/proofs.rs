//! Proofs of any tree hold, and no other proof does.

use std::collections::HashMap;
use std::ops::Range;

use proptest::prelude::*;
use trailkeep_merkle::{
    Edge, Hash, PROOF_HASHES_MAX, ProofError, Subtree, consistency_nodes, inclusion_nodes,
    leaf_hash, root_of, verify_consistency, verify_inclusion,
};

/// A tree, all nodes of it.
struct Tree {
    nodes: HashMap<Subtree, Hash>,
    roots: Vec<Hash>,
}

impl Tree {
    fn new(size: u64) -> Self {
        let (mut edge, mut nodes) = (Edge::default(), HashMap::new());
        let mut roots = vec![edge.root()];
        for n in 0..size {
            let leaf = leaf_hash(&n.to_be_bytes());
            nodes.insert(Subtree::leaf(n), leaf);
            edge.append(leaf, |subtree, hash| {
                nodes.insert(subtree, hash);
            });
            roots.push(edge.root());
        }
        Self { nodes, roots }
    }

    fn root(&self, size: u64) -> &Hash {
        &self.roots[usize::try_from(size).unwrap()]
    }

    fn resolve(&self, nodes: &[Range<u64>]) -> Vec<Hash> {
        let part = |node: &Range<u64>| {
            let parts = Subtree::cover(node.clone());
            root_of(&parts.iter().map(|part| self.nodes[part]).collect::<Vec<_>>())
        };
        nodes.iter().map(part).collect()
    }

    fn inclusion(&self, index: u64, size: u64) -> Vec<Hash> {
        self.resolve(&inclusion_nodes(index, size).unwrap())
    }

    fn consistency(&self, old: u64, size: u64) -> Vec<Hash> {
        self.resolve(&consistency_nodes(old, size).unwrap())
    }

    fn holds(&self, old: u64, size: u64, proof: &[Hash]) -> Result<(), ProofError> {
        verify_consistency((old, self.root(old)), (size, self.root(size)), proof)
    }
}

#[test]
fn every_leaf_and_every_pair_of_small_trees() {
    let tree = Tree::new(70);
    for size in 0..=70_u64 {
        for index in 0..size {
            let (leaf, proof) = (leaf_hash(&index.to_be_bytes()), tree.inclusion(index, size));
            let root = tree.root(size);
            assert_eq!(verify_inclusion(&leaf, index, size, &proof, root), Ok(()));
            for other in 0..=size {
                let result = verify_inclusion(&leaf, other, size, &proof, root);
                assert_eq!(result.is_ok(), other == index, "{index} {other} {size}");
            }
        }
        for old in 0..=size {
            assert_eq!(tree.holds(old, size, &tree.consistency(old, size)), Ok(()), "{old} {size}");
        }
    }
    assert_eq!(inclusion_nodes(70, 70), None);
    assert_eq!(consistency_nodes(71, 70), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn changed_proofs_do_not_hold(
        size in 2_u64..5_000,
        pick in any::<(u64, u64)>(),
        at in any::<prop::sample::Index>(),
        bit in 0_usize..256,
    ) {
        let tree = Tree::new(size);
        let (index, old) = (pick.0 % size, 1 + pick.1 % (size - 1));
        let leaf = leaf_hash(&index.to_be_bytes());
        let inclusion = tree.inclusion(index, size);
        let holds = |proof: &[Hash]| verify_inclusion(&leaf, index, size, proof, tree.root(size));
        prop_assert_eq!(holds(&inclusion), Ok(()));
        prop_assert!(inclusion.len() <= PROOF_HASHES_MAX);
        let consistency = tree.consistency(old, size);
        prop_assert_eq!(tree.holds(old, size, &consistency), Ok(()));
        for (proof, is_inclusion) in [(inclusion, true), (consistency, false)] {
            let result = |proof: &[Hash]| if is_inclusion { holds(proof) } else { tree.holds(old, size, proof) };
            let mut changed = proof.clone();
            if let Some(hash) = (!proof.is_empty()).then(|| at.get_mut(&mut changed)) {
                hash.0[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(result(&changed).is_err());
            }
            let longer = [proof.as_slice(), &[Hash::EMPTY_ROOT]].concat();
            let is_length = |it: Result<(), ProofError>| matches!(it, Err(ProofError::Length { .. }));
            prop_assert!(is_length(result(&longer)));
            if let Some((_last, shorter)) = proof.split_last() {
                prop_assert!(is_length(result(shorter)));
            }
        }
    }

    #[test]
    fn any_numbers_are_answered(old in any::<u64>(), size in any::<u64>(), n in 0_usize..70) {
        let proof = vec![Hash::EMPTY_ROOT; n];
        let root = Hash::EMPTY_ROOT;
        let _included = verify_inclusion(&root, old, size, &proof, &root);
        let _consistent = verify_consistency((old, &root), (size, &root), &proof);
    }
}
