//! The proof that one entry is in a log, for whoever was not there.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::text::{decimal, line};
use crate::{Hash, Note, NoteError, PROOF_HASHES_MAX};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// The longest proof that is read, in bytes: the extra data of an entry of 64 KiB, and a note.
const PROOF_BYTES_MAX: usize = 2 << 20;

/// Why a text is no proof.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TlogProofError {
    /// It is longer than 2 MiB, or has more than 63 hashes.
    #[error("the proof is longer than 2 MiB, or has more than 63 hashes")]
    TooLarge,
    /// It is not UTF-8.
    #[error("the proof is not UTF-8")]
    Characters,
    /// It does not start with the name of the format.
    #[error("the proof does not start with the line {FIRST_LINE}")]
    Format,
    /// A line is malformed.
    #[error("line {line} of the proof is malformed")]
    Line {
        /// Which, from 1.
        line: usize,
    },
    /// What follows is no signed note.
    #[error("the proof's checkpoint is no signed note")]
    Checkpoint(#[source] NoteError),
}

/// The proof that one entry is in a log: a `.tlog-proof` file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlogProof {
    /// What else the reader needs; nothing vouches for it.
    pub extra: Option<Vec<u8>>,
    /// The entry's index.
    pub index: u64,
    /// The inclusion proof.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: Note,
}

impl TlogProof {
    /// Reads a proof. Nothing is verified.
    ///
    /// # Errors
    /// [`TlogProofError`] says which line is malformed.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(TlogProofError::TooLarge);
        }
        let text = str::from_utf8(bytes).ok().ok_or(TlogProofError::Characters)?;
        let (first, mut rest) = line(text).ok_or(TlogProofError::Format)?;
        if first != FIRST_LINE {
            return Err(TlogProofError::Format);
        }
        let mut number = 1_usize;
        let mut next = || {
            number = number.saturating_add(1);
            let malformed = TlogProofError::Line { line: number };
            let (line, behind) = line(rest).ok_or(malformed)?;
            rest = behind;
            Ok((line, malformed))
        };
        let (mut told, mut malformed) = next()?;
        let mut extra = None;
        if let Some(base64) = told.strip_prefix("extra ") {
            extra = Some(STANDARD.decode(base64).ok().ok_or(malformed)?);
            (told, malformed) = next()?;
        }
        let index = told.strip_prefix("index ").and_then(decimal).ok_or(malformed)?;
        let mut hashes = Vec::new();
        loop {
            (told, malformed) = next()?;
            if told.is_empty() {
                break;
            }
            if hashes.len() == PROOF_HASHES_MAX {
                return Err(TlogProofError::TooLarge);
            }
            hashes.push(Hash::from_base64(told).ok_or(malformed)?);
        }
        let checkpoint = Note::parse(rest.as_bytes()).map_err(TlogProofError::Checkpoint)?;
        Ok(Self { extra, index, hashes, checkpoint })
    }
}

/// Shows the file.
impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
