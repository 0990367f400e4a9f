//! What can go wrong with a query.

/// Says why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cursor is not one of ours, or belongs to another query.
    #[error("the cursor {what}")]
    Cursor {
        /// What is wrong with it.
        what: &'static str,
    },
    /// A segment cannot be read or is corrupt.
    #[error("could not read a segment")]
    Segment(#[source] Box<trailkeep_segment::Error>),
    /// The query took longer than it may.
    #[error("the query took longer than {seconds} s; narrow it by account or time")]
    TooSlow {
        /// How long it may take.
        seconds: u64,
    },
}

impl Error {
    pub(crate) fn segment(source: trailkeep_segment::Error) -> Self {
        Self::Segment(Box::new(source))
    }
}
