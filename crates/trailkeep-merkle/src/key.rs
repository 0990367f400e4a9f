//! Keys that sign notes, and keys that verify them.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::text::names_key;
use crate::{Note, NoteSignature};

/// How many bytes the time of a cosignature has.
const TIME_BYTES: usize = 8;

/// What a signature says.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KeyKind {
    /// Ed25519 over the text: who has the key wrote it.
    Ed25519,
    /// Ed25519 over a time and the text: who has the key saw no other tree of this log.
    Cosignature,
}

impl KeyKind {
    /// Returns the byte that the specification gives the kind.
    fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// Why a text is no verifier key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// It is not `<name>+<8 hex>+<base64>`.
    #[error("the key is not of the form <name>+<8 hex digits>+<base64>")]
    Form,
    /// It is of a kind that is not known here.
    #[error("the key is not of type 0x01 (Ed25519) or 0x04 (cosignature)")]
    Kind,
    /// The number is not that of this name and key.
    #[error("the key's number is not that of its name and bytes")]
    Id,
    /// The bytes are no public key.
    #[error("the key's bytes are no Ed25519 public key")]
    Bytes,
}

/// What verifies the signatures of one key: a `vkey`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verifier {
    name: String,
    kind: KeyKind,
    key_id: u32,
    key: VerifyingKey,
}

/// What a verifier says of a note.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The note has no line of this key.
    Absent,
    /// The note has a line of this key, and it is not its signature: the note is to be rejected.
    Wrong,
    /// The key signed the text; a cosignature says when, in seconds since 1970.
    Valid(Option<u64>),
}

impl Verifier {
    /// Makes a verifier of a name and a key; `None` where the name cannot be one.
    pub fn new(name: &str, kind: KeyKind, key: [u8; 32]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(&key).ok()?;
        let key_id = key_id(name, kind, &key);
        names_key(name).then(|| Self { name: name.to_owned(), kind, key_id, key })
    }

    /// Reads a `vkey`.
    ///
    /// # Errors
    /// [`KeyError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(hex), Some(base64)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(KeyError::Form);
        };
        let is_hex =
            hex.len() == 8 && hex.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        let bytes = STANDARD.decode(base64).ok().filter(|_| is_hex).ok_or(KeyError::Form)?;
        let (kind, key) = bytes.split_first().ok_or(KeyError::Form)?;
        let kind = match kind {
            0x01 => KeyKind::Ed25519,
            0x04 => KeyKind::Cosignature,
            _ => return Err(KeyError::Kind),
        };
        let key = <[u8; 32]>::try_from(key).ok().ok_or(KeyError::Bytes)?;
        VerifyingKey::from_bytes(&key).ok().ok_or(KeyError::Bytes)?;
        let verifier = Self::new(name, kind, key).ok_or(KeyError::Form)?;
        let is_its = u32::from_str_radix(hex, 16) == Ok(verifier.key_id);
        if is_its { Ok(verifier) } else { Err(KeyError::Id) }
    }

    /// Returns the key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what its signatures say.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Returns the bytes of the public key.
    pub fn public_key(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// Looks for this key's signature on a note. Lines of other keys are passed over.
    pub fn verify(&self, note: &Note) -> Verdict {
        let is_ours = |line: &&NoteSignature| line.name == self.name && line.key_id == self.key_id;
        let mut verdict = Verdict::Absent;
        for line in note.signatures().iter().filter(is_ours) {
            match self.verify_bytes(note.text(), &line.bytes) {
                Some(valid) => verdict = latest(verdict, valid),
                None => return Verdict::Wrong,
            }
        }
        verdict
    }

    /// Checks a signature, and says that it is valid; `None` where it is not.
    fn verify_bytes(&self, text: &str, bytes: &[u8]) -> Option<Verdict> {
        match self.kind {
            KeyKind::Ed25519 => {
                let signature = Signature::from_slice(bytes).ok()?;
                self.key.verify_strict(text.as_bytes(), &signature).ok()?;
                Some(Verdict::Valid(None))
            }
            KeyKind::Cosignature => {
                let (time, signature) = bytes.split_first_chunk::<TIME_BYTES>()?;
                let time = u64::from_be_bytes(*time);
                let signature = Signature::from_slice(signature).ok()?;
                self.key.verify_strict(cosigned(text, time).as_bytes(), &signature).ok()?;
                (time < 1 << 63).then_some(Verdict::Valid(Some(time)))
            }
        }
    }
}

/// Shows the `vkey`.
impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [[self.kind.byte()].as_slice(), &self.key.to_bytes()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.key_id, STANDARD.encode(bytes))
    }
}

/// A private key that signs notes under a name.
#[derive(Clone)]
pub struct Signer {
    verifier: Verifier,
    key: SigningKey,
}

impl Signer {
    /// Makes a signer of a 32-byte seed; `None` where the name cannot be one.
    pub fn new(name: &str, kind: KeyKind, seed: &[u8; 32]) -> Option<Self> {
        let key = SigningKey::from_bytes(seed);
        let verifier = Verifier::new(name, kind, key.verifying_key().to_bytes())?;
        Some(Self { verifier, key })
    }

    /// Returns what verifies these signatures.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Signs a note's text. `time`, in seconds since 1970, is what a cosignature states; a plain
    /// signature has none.
    pub fn sign(&self, text: &str, time: u64) -> NoteSignature {
        let bytes = match self.verifier.kind {
            KeyKind::Ed25519 => self.key.sign(text.as_bytes()).to_bytes().to_vec(),
            KeyKind::Cosignature => {
                let signature = self.key.sign(cosigned(text, time).as_bytes());
                [time.to_be_bytes().as_slice(), &signature.to_bytes()].concat()
            }
        };
        NoteSignature { name: self.verifier.name.clone(), key_id: self.verifier.key_id, bytes }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("verifier", &self.verifier).field("key", &"****").finish()
    }
}

/// Returns what a cosignature signs.
fn cosigned(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// Of two valid signatures of one key, the later one counts.
fn latest(before: Verdict, valid: Verdict) -> Verdict {
    match (before, valid) {
        (Verdict::Valid(before), Verdict::Valid(time)) => Verdict::Valid(before.max(time)),
        _ => valid,
    }
}

fn key_id(name: &str, kind: KeyKind, key: &VerifyingKey) -> u32 {
    let digest = Sha256::new_with_prefix(name)
        .chain_update([b'\n', kind.byte()])
        .chain_update(key.to_bytes())
        .finalize();
    let [a, b, c, d, ..] = <[u8; 32]>::from(digest);
    u32::from_be_bytes([a, b, c, d])
}
