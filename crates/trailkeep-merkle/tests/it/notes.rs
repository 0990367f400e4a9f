//! Signed notes, checkpoints and proofs as texts.

use proptest::prelude::*;
use trailkeep_merkle::{
    Checkpoint, CheckpointError, Hash, KeyError, KeyKind, Note, NoteError, Signer, TlogProof,
    TlogProofError, Verdict, Verifier, leaf_hash,
};

const EXAMPLE_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE: &str = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

fn signer(name: &str, kind: KeyKind) -> Signer {
    Signer::new(name, kind, &[9; 32]).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: "example.com/log/1".to_owned(), size: 7, root: leaf_hash(b"r") }
}

#[test]
fn the_specification_s_example() {
    let verifier = Verifier::parse(EXAMPLE_KEY).unwrap();
    assert_eq!(verifier.to_string(), EXAMPLE_KEY);
    assert_eq!(verifier.name(), "example.com/foo");
    let note = Note::parse(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(verifier.verify(&note), Verdict::Valid(None));
    assert_eq!(note.to_string(), EXAMPLE);
    let changed = Note::parse(EXAMPLE.replace("an example", "no example").as_bytes()).unwrap();
    assert_eq!(verifier.verify(&changed), Verdict::Wrong);
}

#[test]
fn lines_of_unknown_keys_are_passed_over() {
    let log = signer("example.com/log/1", KeyKind::Ed25519);
    let witness = signer("w.example", KeyKind::Cosignature);
    let stranger = Signer::new("example.com/log/1", KeyKind::Ed25519, &[1; 32]).unwrap();
    let mut note = Note::new(checkpoint().to_string()).unwrap();
    for _twice in 0..2 {
        note.add(stranger.sign(note.text(), 0));
        note.add(log.sign(note.text(), 0));
        note.add(witness.sign(note.text(), 1_700_000_000));
    }
    assert_eq!(note.signatures().len(), 3);
    let unknown =
        "\u{2014} pq.example AAAABgECAwQ=\n\u{2014} x y+z==\n".split_once('\n').unwrap().0;
    let note = Note::parse(format!("{note}{unknown}\n").as_bytes()).unwrap();
    assert_eq!(log.verifier().verify(&note), Verdict::Valid(None));
    assert_eq!(witness.verifier().verify(&note), Verdict::Valid(Some(1_700_000_000)));
    assert_eq!(Checkpoint::parse(note.text()), Ok(checkpoint()));
    let other = signer("other.example", KeyKind::Ed25519);
    assert_eq!(other.verifier().verify(&note), Verdict::Absent);
}

/// T15: a signature of one kind, name or text is none of another.
#[test]
fn signatures_are_for_one_use() {
    let log = signer("example.com/log/1", KeyKind::Ed25519);
    let witness = signer("example.com/log/1", KeyKind::Cosignature);
    assert_ne!(log.verifier(), witness.verifier());
    let mut note = Note::new(checkpoint().to_string()).unwrap();
    note.add(witness.sign(note.text(), 5));
    assert_eq!(log.verifier().verify(&note), Verdict::Absent);
    // The cosignature's bytes under the number of the log's key.
    let key_id = log.sign(note.text(), 0).key_id;
    let mut forged = Note::new(checkpoint().to_string()).unwrap();
    let mut line = note.signatures()[0].clone();
    line.key_id = key_id;
    line.bytes.drain(..8);
    forged.add(line);
    assert_eq!(log.verifier().verify(&forged), Verdict::Wrong);
    // A time that was changed.
    let mut line = note.signatures()[0].clone();
    line.bytes[7] ^= 1;
    let mut later = Note::new(checkpoint().to_string()).unwrap();
    later.add(line);
    assert_eq!(witness.verifier().verify(&later), Verdict::Wrong);
}

#[test]
fn malformed_notes_name_what_is_wrong() {
    let big = vec![b'a'; (1 << 20) + 1];
    let many = format!("a\n\n{}", "\u{2014} k AAAABgE=\n".repeat(65));
    let cases: [(&[u8], NoteError); 11] = [
        (b"", NoteError::Unsigned),
        (b"a\n", NoteError::Unsigned),
        (b"a\n\n", NoteError::Unsigned),
        (b"a\n\nb", NoteError::Unsigned),
        (b"a\n\nb\n", NoteError::Line),
        (b"a\r\n\nb\n", NoteError::Characters),
        (b"a\xff\n\nb\n", NoteError::Characters),
        ("a\n\n\u{2014} k AAAA\n".as_bytes(), NoteError::Line),
        ("a\n\n\u{2014} k+k AAAABgE=\n".as_bytes(), NoteError::Line),
        (&big, NoteError::TooLarge),
        (many.as_bytes(), NoteError::TooLarge),
    ];
    for (bytes, error) in cases {
        assert_eq!(Note::parse(bytes), Err(error), "{:?}", bytes.get(..20));
    }
    assert_eq!(Note::new("no line feed".to_owned()), None);
    let enough = format!("a\n\n{}", "\u{2014} k AAAABgE=\n".repeat(64));
    assert_eq!(Note::parse(enough.as_bytes()).unwrap().signatures().len(), 64);
}

#[test]
fn malformed_keys_name_what_is_wrong() {
    for (text, error) in [
        ("", KeyError::Form),
        ("a+b", KeyError::Form),
        ("example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Form),
        ("example.com/foo+530d903a+", KeyError::Form),
        ("example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Kind),
        ("example.com/foo+530d903a+Aeky", KeyError::Bytes),
        ("example.com/fob+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Id),
        ("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Form),
    ] {
        assert_eq!(Verifier::parse(text), Err(error), "{text}");
    }
}

#[test]
fn malformed_checkpoints_name_the_line() {
    let root = Hash::EMPTY_ROOT;
    for (text, error) in [
        (String::new(), CheckpointError::Lines),
        (format!("\n1\n{root}\n"), CheckpointError::Lines),
        (format!("o\n1\n{root}"), CheckpointError::Lines),
        (format!("o\n1\n{root}\n\n"), CheckpointError::Lines),
        (format!("o\n01\n{root}\n"), CheckpointError::Size),
        (format!("o\n-1\n{root}\n"), CheckpointError::Size),
        (format!("o\n9223372036854775808\n{root}\n"), CheckpointError::Size),
        ("o\n1\nAAAA\n".to_owned(), CheckpointError::Root),
    ] {
        assert_eq!(Checkpoint::parse(&text), Err(error), "{text:?}");
    }
    let extended = format!("o\n1\n{root}\nextension\n");
    assert_eq!(Checkpoint::parse(&extended).unwrap().size, 1);
}

#[test]
fn proofs_are_read_back_and_bad_lines_named() {
    let log = signer("example.com/log/1", KeyKind::Ed25519);
    let mut note = Note::new(checkpoint().to_string()).unwrap();
    note.add(log.sign(note.text(), 0));
    let hashes = vec![leaf_hash(b"a"), leaf_hash(b"b")];
    for extra in [None, Some(b"{}".to_vec()), Some(Vec::new())] {
        let proof = TlogProof { extra, index: 6, hashes: hashes.clone(), checkpoint: note.clone() };
        assert_eq!(TlogProof::parse(proof.to_string().as_bytes()), Ok(proof));
    }
    let text = TlogProof { extra: None, index: 6, hashes, checkpoint: note }.to_string();
    let lines = |from: &str, to: &str| TlogProof::parse(text.replacen(from, to, 1).as_bytes());
    assert_eq!(lines("proof@v1", "proof@v2"), Err(TlogProofError::Format));
    assert_eq!(lines("index 6", "index 06"), Err(TlogProofError::Line { line: 2 }));
    assert_eq!(lines("index 6", "extra !\nindex 6"), Err(TlogProofError::Line { line: 2 }));
    assert_eq!(lines("index 6\n", "index 6\nAAAA\n"), Err(TlogProofError::Line { line: 3 }));
    let hash = format!("{}\n", Hash::EMPTY_ROOT);
    let many = lines("index 6\n", &format!("index 6\n{}", hash.repeat(62)));
    assert_eq!(many, Err(TlogProofError::TooLarge));
    assert!(matches!(lines("\u{2014}", "-"), Err(TlogProofError::Checkpoint(_))));
}

proptest! {
    /// T17: whatever is read, reading it ends.
    #[test]
    fn any_text_is_read_or_refused(
        parts in prop::collection::vec(prop::sample::select(vec![
            "c2sp.org/tlog-proof@v1\n", "extra ", "index 0\n", "\n", "\u{2014} ", "a ", "AAAABgE=\n",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", "o\n1\n", "\u{2014}", "+", " ",
        ]), 0..14),
    ) {
        let text = parts.concat();
        if let Ok(note) = Note::parse(text.as_bytes()) {
            prop_assert_eq!(Note::parse(note.to_string().as_bytes()), Ok(note));
        }
        if let Ok(proof) = TlogProof::parse(text.as_bytes()) {
            prop_assert_eq!(TlogProof::parse(proof.to_string().as_bytes()), Ok(proof));
        }
        let _checkpoint = Checkpoint::parse(&text);
        let _verifier = Verifier::parse(&text);
    }
}
