//! A tree's head: whose, how large, and its root.

use std::fmt;

use crate::Hash;
use crate::text::{decimal, line};

/// Why a text is no checkpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CheckpointError {
    /// It has fewer than three lines, or one of them is empty.
    #[error("the checkpoint has no three lines: origin, size, root hash")]
    Lines,
    /// The second line is no size.
    #[error("the checkpoint's second line is no decimal size below 2^63")]
    Size,
    /// The third line is no root hash.
    #[error("the checkpoint's third line is no root hash in base64")]
    Root,
}

/// A tree's head, as the text of a signed note.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    /// Which log it is of.
    pub origin: String,
    /// How many leaves the tree has.
    pub size: u64,
    /// The root hash at that size.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads a note's text. Extension lines are passed over.
    ///
    /// # Errors
    /// [`CheckpointError`] says which line is missing or malformed.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let (origin, rest) = line(text).ok_or(CheckpointError::Lines)?;
        let (size, rest) = line(rest).ok_or(CheckpointError::Lines)?;
        let (root, rest) = line(rest).ok_or(CheckpointError::Lines)?;
        let mut extensions = rest.split_terminator('\n');
        if origin.is_empty() || extensions.any(str::is_empty) {
            return Err(CheckpointError::Lines);
        }
        let size = decimal(size).filter(|size| *size < 1 << 63).ok_or(CheckpointError::Size)?;
        let root = Hash::from_base64(root).ok_or(CheckpointError::Root)?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}

/// Shows the note's text.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root)
    }
}
