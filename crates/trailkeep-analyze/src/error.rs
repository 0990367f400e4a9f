//! What can go wrong with an analysis.

/// Says why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name is not one of a field that can be used so.
    #[error("`{name}` {problem}")]
    Field {
        /// The name as written.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
        /// What to write instead.
        hint: Option<String>,
    },
    /// The question asks for something that does not exist.
    #[error("{what}")]
    Request {
        /// What is asked for, and what there is.
        what: String,
    },
    /// The statement is not one that may be run here.
    #[error("{what} is not allowed here")]
    NotAllowed {
        /// The part that is not allowed.
        what: String,
        /// What is.
        hint: &'static str,
    },
    /// The statement is not understood, or fails on the entries.
    #[error("could not run the statement: {message}")]
    Statement {
        /// What the engine says about it.
        message: String,
    },
    /// The answer needs more memory than it may take.
    #[error(
        "the answer needs more than {bytes} bytes; narrow it by account or time, or group by less"
    )]
    TooLarge {
        /// How many it may take.
        bytes: usize,
    },
    /// The answer took longer than it may.
    #[error("the answer took longer than {seconds} s; narrow it by account or time")]
    TooSlow {
        /// How long it may take.
        seconds: u64,
    },
    /// A segment cannot be read or is corrupt.
    #[error("could not read a segment")]
    Segment(#[source] Box<trailkeep_segment::Error>),
    /// The engine failed in a way that no statement should make it fail.
    #[error("the query engine failed")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub(crate) fn segment(source: trailkeep_segment::Error) -> Self {
        Self::Segment(Box::new(source))
    }

    pub(crate) fn engine(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Engine(source.into())
    }

    pub(crate) fn request(what: impl Into<String>) -> Self {
        Self::Request { what: what.into() }
    }

    /// Returns what to do instead, where that is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Field { hint, .. } => hint.as_deref(),
            Self::NotAllowed { hint, .. } => Some(hint),
            _ => None,
        }
    }
}
