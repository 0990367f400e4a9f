//! Proofs and a log that others made (`../shared/vectors`).

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use trailkeep_merkle::{
    Checkpoint, Edge, Hash, Note, ProofError, Subtree, Tile, TileKind, TilePath, Verdict, Verifier,
    consistency_nodes, inclusion_nodes, leaf_hash, root_of, verify_consistency, verify_inclusion,
};

/// Where the vectors are; a test says so and ends where they are not.
fn vectors() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    if !folder.exists() {
        println!("SKIPPED: {} is not there", folder.display());
        return None;
    }
    Some(folder)
}

fn cases(folder: &Path) -> Vec<(String, Value)> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            cases.extend(self::cases(&path));
        } else {
            let case = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            cases.push((path.display().to_string(), case));
        }
    }
    cases
}

/// `None` where a hash has another length than SHA-256 gives.
fn hash(value: &Value) -> Option<Hash> {
    Hash::from_base64(value.as_str().unwrap())
}

fn hashes(value: &Value) -> Option<Vec<Hash>> {
    value.as_array().map_or(Some(Vec::new()), |hashes| hashes.iter().map(hash).collect())
}

/// Checks all cases of a folder. `verify` is `None` where a hash has another length: such a proof is
/// refused when it is read.
fn check(kind: &str, verify: impl Fn(&Value) -> Option<Result<(), ProofError>>) {
    let Some(folder) = vectors() else { return };
    let (mut n_right, mut n_wrong, mut n_dummies) = (0, 0, 0);
    for (name, case) in cases(&folder.join(kind)) {
        let wrong = case["wantErr"].as_bool().unwrap();
        match verify(&case) {
            None if !wrong => n_dummies += 1,
            result => {
                let is_refused = result.is_none_or(|result| result.is_err());
                assert_eq!(is_refused, wrong, "{name}: {result:?}");
                if wrong { n_wrong += 1 } else { n_right += 1 }
            }
        }
    }
    println!("{kind}: {n_right} right, {n_wrong} wrong, {n_dummies} right with roots of 12 bytes");
    assert_eq!(n_right + n_wrong + n_dummies, 98);
    assert!(n_right > 4 && n_dummies < 2, "{kind}");
}

#[test]
fn inclusion_proofs_of_others() {
    check("inclusion", |case| {
        let number = |key: &str| case[key].as_u64().unwrap();
        let (leaf, root) = (hash(&case["leafHash"])?, hash(&case["root"])?);
        let proof = hashes(&case["proof"])?;
        Some(verify_inclusion(&leaf, number("leafIdx"), number("treeSize"), &proof, &root))
    });
}

#[test]
fn consistency_proofs_of_others() {
    check("consistency", |case| {
        let number = |key: &str| case[key].as_u64().unwrap();
        let (old_root, root) = (hash(&case["root1"])?, hash(&case["root2"])?);
        let (old, new) = ((number("size1"), &old_root), (number("size2"), &root));
        Some(verify_consistency(old, new, &hashes(&case["proof"])?))
    });
}

const TESSERA: &str =
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

/// A log that Tessera wrote: signatures, tiles, entries and every pair of its checkpoints.
#[test]
fn a_log_of_another_program() {
    let Some(folder) = vectors() else { return };
    let folder = folder.join("log");
    let verifier = Verifier::parse(TESSERA).unwrap();
    let checkpoint = |name: &str| {
        let note = Note::parse(&fs::read(folder.join(name)).unwrap()).unwrap();
        assert_eq!(verifier.verify(&note), Verdict::Valid(None), "{name}");
        Checkpoint::parse(note.text()).unwrap()
    };
    let heads: Vec<Checkpoint> = (0..=15).map(|n| checkpoint(&format!("checkpoint.{n}"))).collect();
    assert_eq!(checkpoint("checkpoint"), heads[15]);

    let tile = |kind, width| {
        let path = TilePath { kind, index: 0, width };
        fs::read(folder.join("tile").join(path.to_string())).unwrap()
    };
    let tile_0 = Tile::from_bytes(&tile(TileKind::Hashes(0), 15)).unwrap();
    let bundle = tile(TileKind::Entries, 15);
    let (mut entries, mut rest) = (Vec::new(), bundle.as_slice());
    while let Some(([high, low], behind)) = rest.split_first_chunk::<2>() {
        let (entry, behind) = behind.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        entries.push(leaf_hash(entry));
        rest = behind;
    }
    assert_eq!(entries, tile_0.hashes());

    let mut edge = Edge::default();
    for (n, head) in heads.iter().enumerate() {
        assert_eq!((head.size, head.root), (edge.size(), edge.root()), "{n}");
        if let Some(leaf) = entries.get(n) {
            edge.append(*leaf, |_subtree, _hash| {});
        }
    }
    let resolve = |nodes: &[std::ops::Range<u64>]| -> Vec<Hash> {
        let part = |node: &std::ops::Range<u64>| {
            let parts = Subtree::cover(node.clone());
            root_of(&parts.iter().map(|part| tile_0.node(*part).unwrap()).collect::<Vec<_>>())
        };
        nodes.iter().map(part).collect()
    };
    for new in &heads {
        for old in heads.iter().filter(|old| old.size <= new.size) {
            let proof = resolve(&consistency_nodes(old.size, new.size).unwrap());
            let (old, new) = ((old.size, &old.root), (new.size, &new.root));
            assert_eq!(verify_consistency(old, new, &proof), Ok(()));
        }
        for (index, leaf) in (0..new.size).zip(&entries) {
            let proof = resolve(&inclusion_nodes(index, new.size).unwrap());
            assert_eq!(verify_inclusion(leaf, index, new.size, &proof, &new.root), Ok(()));
        }
    }
}
