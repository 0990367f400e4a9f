//! Trust policies.

use trailkeep_merkle::{Checkpoint, Hash, KeyKind, Note, Policy, PolicyError, Seen, Signer};

const ORIGIN: &str = "example.com/log/1";

fn signer(name: &str, kind: KeyKind, seed: u8) -> Signer {
    Signer::new(name, kind, &[seed; 32]).unwrap()
}

fn witnesses() -> Vec<Signer> {
    (1..=6).map(|n| signer(&format!("w{n}.example"), KeyKind::Cosignature, n)).collect()
}

/// The policy of the specification's example.
fn policy() -> String {
    let log = signer(ORIGIN, KeyKind::Ed25519, 100);
    let line = |(name, witness): (&str, Signer)| {
        format!("\twitness {name}  {} https://w.example/{name}\n", witness.verifier())
    };
    let names = ["X1", "X2", "X3", "Y1", "Y2", "Y3"];
    let lines: String = names.into_iter().zip(witnesses()).map(line).collect();
    let log = log.verifier();
    format!("# who is trusted\n\nlog {log}\n{lines}")
        + "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n\
            group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
}

fn note(cosigners: &[usize]) -> (Note, Checkpoint) {
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 3, root: Hash::EMPTY_ROOT };
    let mut note = Note::new(checkpoint.to_string()).unwrap();
    note.add(signer(ORIGIN, KeyKind::Ed25519, 100).sign(note.text(), 0));
    let witnesses = witnesses();
    for place in cosigners {
        note.add(witnesses[*place].sign(note.text(), 50 + u64::try_from(*place).unwrap()));
    }
    (note, checkpoint)
}

#[test]
fn groups_need_as_many_as_they_say() {
    let policy = Policy::parse(&policy()).unwrap();
    assert_eq!((policy.logs().len(), policy.witnesses().len()), (1, 6));
    assert_eq!(policy.witnesses()[3].url.as_deref(), Some("https://w.example/Y1"));
    for (cosigners, quorum) in [
        (vec![], false),
        (vec![0, 1], false),
        (vec![0, 3], false),
        (vec![3, 4, 5], false),
        (vec![0, 2, 4], true),
        (vec![0, 1, 2, 3, 4, 5], true),
    ] {
        let (note, checkpoint) = note(&cosigners);
        let (told, seen) = policy.judge(&note).unwrap();
        assert_eq!(told, checkpoint);
        assert_eq!((seen.signed, seen.quorum), (true, quorum), "{cosigners:?}");
        assert_eq!(seen.is_accepted(), quorum);
        assert_eq!(seen.witnesses.len(), cosigners.len());
        assert!(seen.wrong.is_empty());
    }
}

#[test]
fn a_known_key_s_wrong_signature_is_told() {
    let policy = Policy::parse(&policy()).unwrap();
    let (good, checkpoint) = note(&[0, 2, 4]);
    let mut bad = Note::new(checkpoint.to_string()).unwrap();
    for (n, line) in good.signatures().iter().enumerate() {
        let mut line = line.clone();
        if n != 2 {
            line.bytes[20] ^= 1;
        }
        bad.add(line);
    }
    let (_told, seen) = policy.judge(&bad).unwrap();
    assert!(!seen.is_accepted());
    let Seen { signed, witnesses, quorum, wrong } = seen;
    assert_eq!((signed, quorum), (false, false));
    assert_eq!(witnesses, [("X3".to_owned(), 52)]);
    assert_eq!(wrong, [ORIGIN, "X1", "Y2"]);
    // The right note for another log.
    let other = Checkpoint { origin: "example.com/log/2".to_owned(), ..checkpoint };
    let mut other = Note::new(other.to_string()).unwrap();
    for line in good.signatures() {
        other.add(line.clone());
    }
    assert!(!policy.judge(&other).unwrap().1.signed);
    assert!(policy.judge(&Note::new("no checkpoint\n".to_owned()).unwrap()).is_err());
}

#[test]
fn no_quorum_is_asked_for_where_it_is_none() {
    let text = format!("log {}\nquorum none\n", signer(ORIGIN, KeyKind::Ed25519, 100).verifier());
    let policy = Policy::parse(&text).unwrap();
    let (note, _checkpoint) = note(&[]);
    assert!(!policy.has_quorum());
    assert!(policy.judge(&note).unwrap().1.is_accepted());
}

#[test]
fn mistakes_are_named_with_their_line() {
    let log = signer(ORIGIN, KeyKind::Ed25519, 1).verifier().to_string();
    let again = signer("other.example", KeyKind::Ed25519, 1).verifier().to_string();
    let w = signer("w.example", KeyKind::Cosignature, 2).verifier().to_string();
    for (text, line, what) in [
        (format!("log {log}\nlog {again}\nquorum none"), 2, "this key"),
        (format!("log {w}\nquorum none"), 1, "0x01"),
        (format!("witness W {log}\nquorum W"), 1, "0x04"),
        (format!("witness W {w}\nwitness V {w}\nquorum W"), 2, "this key"),
        (format!("witness none {w}\nquorum none"), 1, "no name"),
        (format!("witness W {w}\ngroup W any W\nquorum W"), 2, "given before"),
        (format!("witness W {w}\ngroup G 2 W\nquorum G"), 2, "1 to its size"),
        (format!("witness W {w}\ngroup G 0 W\nquorum G"), 2, "1 to its size"),
        (format!("witness W {w}\ngroup G any\nquorum G"), 2, "one member"),
        (format!("witness W {w}\ngroup G any V\nquorum G"), 2, "lines before"),
        (format!("witness W {w}\ngroup G all W W\nquorum G"), 2, "once"),
        (format!("witness W {w}\ngroup G any none\nquorum G"), 2, "lines before"),
        ("quorum W".to_owned(), 1, "line before it"),
        ("quorum none\nquorum none".to_owned(), 2, "one line"),
        ("quorum none\r\nlog".to_owned(), 1, "control"),
        ("quorum no\x01ne".to_owned(), 1, "control"),
        ("hello".to_owned(), 1, "expected"),
    ] {
        match Policy::parse(&text) {
            Err(PolicyError::Line { line: found, what: told }) => {
                assert_eq!(found, line, "{text}");
                assert!(told.contains(what), "{text}: {told}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    assert_eq!(Policy::parse("# nothing"), Err(PolicyError::NoQuorum));
    assert!(matches!(Policy::parse("log x\nquorum none"), Err(PolicyError::Key { line: 1, .. })));
    assert_eq!(Policy::parse(&"#".repeat((1 << 20) + 1)), Err(PolicyError::TooLarge));
}
