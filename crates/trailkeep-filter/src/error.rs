//! Why a text is not a filter, and where.

/// Says why a text is not a filter.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("could not read the filter at column {column}: {message}")]
pub struct ParseError {
    /// Where, counted in characters from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
    /// What to write instead, where that is known.
    pub hint: Option<String>,
}

impl ParseError {
    pub(crate) fn new(text: &str, fault: Fault) -> Self {
        let before = text.char_indices().take_while(|(at, _)| *at < fault.at).count();
        Self { column: before.saturating_add(1), message: fault.message, hint: fault.hint }
    }
}

/// An error inside the parser, which knows bytes only.
#[derive(Debug)]
pub(crate) struct Fault {
    at: usize,
    message: String,
    hint: Option<String>,
}

impl Fault {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

pub(crate) type Parsed<T> = Result<T, Fault>;
