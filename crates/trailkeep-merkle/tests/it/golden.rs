//! The ledger's formats over fixed inputs: `docs/format/ledger.md`. `scripts/check_ledger.py` makes
//! the same file from the page.

use std::fmt::Write;

use trailkeep_merkle::{
    Checkpoint, Edge, Hash, KeyKind, Leaf, LeafKind, LogId, Note, Salt, Secret, SecretBlock,
    Signer, event_digest, leaf_hash, log_signer, section_digest,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn leaf(text: &mut String, secret: u8, kind: LeafKind, sections: &[(u8, &str)]) {
    let secret = Secret([secret; 16]);
    let mask = sections.iter().fold(0, |mask, (n, _)| mask | 1 << n);
    let digest =
        |(n, bytes): &(u8, &str)| section_digest(*n, &Salt::of(&secret, *n), bytes.as_bytes());
    let digests: Vec<Hash> = sections.iter().map(digest).collect();
    let (created_at, id) = (1_767_225_600_123_456, [0x42; 16]);
    let event_digest = event_digest(mask, &digests);
    let leaf = Leaf { kind, sections: mask, created_at, id, event_digest };
    let told =
        sections.iter().fold(String::new(), |text, (n, bytes)| text + &format!(" {n}:{bytes}"));
    let (secret, id, number) = (hex(&secret.0), hex(&id), kind.number());
    let (bytes, hash) = (hex(&leaf.to_bytes()), hex(&leaf.hash().0));
    writeln!(text, "leaf {secret} {number} {created_at} {id}{told} = {bytes} {hash}").unwrap();
}

fn golden() -> String {
    let mut text = String::new();
    let key = [0x11; 32];
    for account in ["acme", "org_9f3c1d2e4b5a", "k\u{f6}nig"] {
        let id = LogId::of_account(&key, account);
        writeln!(text, "log_id {} {account} = {id}", hex(&key)).unwrap();
        let origin = id.origin("audit.example.com");
        let signer = log_signer(&[0x22; 32], &origin).unwrap();
        writeln!(text, "log_key {} {origin} = {}", hex(&[0x22; 32]), signer.verifier()).unwrap();
    }
    let seed = Secret([0x33; 16]);
    for k in [0, 1, 2, 255, 4_711, 32_768, 65_535] {
        let secret = SecretBlock::new(seed).secret(k).unwrap();
        writeln!(text, "secret {} {k} = {}", hex(&seed.0), hex(&secret.0)).unwrap();
    }
    for forgotten in [vec![0], vec![65_535], vec![4_711, 4_710, 9], vec![32_768, 0, 1, 2, 3]] {
        let mut block = SecretBlock::new(seed);
        for k in &forgotten {
            block.forget(*k);
        }
        let told: Vec<String> = forgotten.iter().map(u16::to_string).collect();
        writeln!(text, "nodes {} {} = {}", hex(&seed.0), told.join(","), hex(&block.to_bytes()))
            .unwrap();
    }
    leaf(&mut text, 0x44, LeafKind::Event, &[(0, r#"{"account_id":"acme"}"#)]);
    let all = ["{}", r#"{"a":1}"#, "x", "", "k\u{f6}nig", r#"{"b":[1,2]}"#, "6", "7"];
    let all: Vec<(u8, &str)> = (0_u8..).zip(all).collect();
    leaf(&mut text, 0x45, LeafKind::Erasure, &all);
    leaf(&mut text, 0x46, LeafKind::Anchored, &[(1, "a"), (4, "b"), (7, &"c".repeat(300))]);
    let mut edge = Edge::default();
    for n in 0..1_000_u64 {
        if [0, 1, 2, 3, 7, 8, 255, 256, 257, 999].contains(&n) {
            writeln!(text, "root {n} = {}", edge.root()).unwrap();
        }
        edge.append(leaf_hash(&n.to_be_bytes()), |_subtree, _hash| {});
    }
    let head =
        Checkpoint { origin: "audit.example.com/log/1".to_owned(), size: 1_000, root: edge.root() };
    let mut note = Note::new(head.to_string()).unwrap();
    let witness = Signer::new("witness.example.com", KeyKind::Cosignature, &[0x55; 32]).unwrap();
    note.add(log_signer(&[0x22; 32], &head.origin).unwrap().sign(note.text(), 0));
    note.add(witness.sign(note.text(), 1_767_225_600));
    writeln!(text, "note {} 1767225600 {} =\n{note}", hex(&[0x55; 32]), witness.verifier())
        .unwrap();
    text
}

#[test]
fn the_formats_are_what_they_were() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/v1/ledger.txt");
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    let found = golden();
    if found != expected {
        let written = concat!(env!("CARGO_TARGET_TMPDIR"), "/ledger.txt");
        #[expect(clippy::disallowed_methods, reason = "for whoever looks at the difference")]
        std::fs::write(written, &found).unwrap();
        panic!("the formats changed: compare {path} with {written}");
    }
}
