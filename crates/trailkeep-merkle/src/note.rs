//! Signed notes: a text, and lines that say who signed it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::text::names_key;

/// The longest note that is read, in bytes.
const NOTE_BYTES_MAX: usize = 1 << 20;
/// The most signature lines of a note that is read.
const SIGNATURES_MAX: usize = 64;
/// What a signature line starts with: an em dash and a space.
const SIGNATURE_START: &str = "\u{2014} ";

/// Why bytes are no signed note.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoteError {
    /// It is longer than 1 MiB or has more than 64 signatures.
    #[error("the note is longer than 1 MiB, or has more than 64 signatures")]
    TooLarge,
    /// It is not UTF-8 or has control characters.
    #[error("the note is not UTF-8, or has control characters")]
    Characters,
    /// No blank line with signature lines follows the text.
    #[error("no blank line and signature lines follow the note's text")]
    Unsigned,
    /// A signature line is malformed.
    #[error("a signature line is not an em dash, a key's name and base64")]
    Line,
}

/// A text, and lines that say who signed it. Nothing is verified yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// A signature line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoteSignature {
    /// The key's name.
    pub name: String,
    /// What tells keys of one name apart; not a secure hash.
    pub key_id: u32,
    /// What the kind of key makes of a signature.
    pub bytes: Vec<u8>,
}

impl Note {
    /// Makes a note that nobody has signed yet; `None` where the text does not end with a line
    /// feed or has characters that no note has.
    pub fn new(text: String) -> Option<Self> {
        (text.ends_with('\n') && !has_controls(&text))
            .then_some(Self { text, signatures: Vec::new() })
    }

    /// Reads a signed note.
    ///
    /// # Errors
    /// [`NoteError`] says what it lacks.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLarge);
        }
        let whole = str::from_utf8(bytes).ok().filter(|it| !has_controls(it));
        let whole = whole.ok_or(NoteError::Characters)?;
        let (text, lines) = whole.rsplit_once("\n\n").ok_or(NoteError::Unsigned)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Unsigned)?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == SIGNATURES_MAX {
                return Err(NoteError::TooLarge);
            }
            signatures.push(NoteSignature::parse(line).ok_or(NoteError::Line)?);
        }
        Ok(Self { text: format!("{text}\n"), signatures })
    }

    /// Returns the text, its last line feed included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the signature lines, in their order.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature line; it takes the place of one of the same key. `false`, with nothing
    /// added, where the note has as many as are read.
    pub fn add(&mut self, signature: NoteSignature) -> bool {
        let same = |line: &&mut NoteSignature| {
            (&line.name, line.key_id) == (&signature.name, signature.key_id)
        };
        if let Some(line) = self.signatures.iter_mut().find(same) {
            *line = signature;
            return true;
        }
        if self.signatures.len() >= SIGNATURES_MAX {
            return false;
        }
        self.signatures.push(signature);
        true
    }
}

/// Shows the note as it is stored and sent.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| write!(f, "{signature}"))
    }
}

impl NoteSignature {
    /// Reads a line without its line feed.
    pub fn parse(line: &str) -> Option<Self> {
        let (name, base64) = line.strip_prefix(SIGNATURE_START)?.split_once(' ')?;
        let bytes = STANDARD.decode(base64).ok()?;
        let (key_id, bytes) = bytes.split_first_chunk::<4>()?;
        if !names_key(name) || bytes.is_empty() {
            return None;
        }
        let key_id = u32::from_be_bytes(*key_id);
        Some(Self { name: name.to_owned(), key_id, bytes: bytes.to_vec() })
    }
}

/// Shows the line, its line feed included.
impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.key_id.to_be_bytes().as_slice(), &self.bytes].concat();
        writeln!(f, "{SIGNATURE_START}{} {}", self.name, STANDARD.encode(bytes))
    }
}

fn has_controls(text: &str) -> bool {
    text.bytes().any(|byte| byte < 0x20 && byte != b'\n')
}
