//! How a run ends: a number for programs, words for people.

use std::error::Error;
use std::fmt;

use crate::output::say;

/// How a run ends. The numbers are part of the interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// Something failed.
    Failed,
    /// The arguments, the configuration or a query are wrong.
    Usage,
    /// What was named does not exist.
    NotFound,
    /// The key may not do this.
    NotAllowed,
    /// The server cannot be reached.
    Unreachable,
    /// Stored bytes are not what was written.
    Tampered,
}

impl Exit {
    /// Returns the number that the process ends with.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 4,
            Self::NotAllowed => 5,
            Self::Unreachable => 6,
            Self::Tampered => 10,
        }
    }

    /// Returns how a run ends that met an error.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        if let Some(exit) = error.downcast_ref::<Self>() {
            return *exit;
        }
        error.chain().find_map(of_cause).unwrap_or(Self::Failed)
    }
}

/// As the context of an error, an exit only sets how the run ends; it is not printed.
impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {}", self.code())
    }
}

fn of_cause(cause: &(dyn Error + 'static)) -> Option<Exit> {
    use trailkeep_catalog::Error as Catalog;
    use trailkeep_duplicates::Error as Run;
    use trailkeep_journal::Error as Journal;
    use trailkeep_segment::Error as Segment;
    if let Some(failure) = find::<Failure>(cause) {
        return Some(failure.exit);
    }
    if let Some(error) = find::<trailkeep_client::Error>(cause) {
        return of_client(error);
    }
    let damaged =
        matches!(find(cause), Some(Journal::Corrupt { .. } | Journal::BehindCatalog { .. }))
            || matches!(find(cause), Some(Segment::Corrupt { .. } | Segment::Malformed { .. }))
            || matches!(find(cause), Some(Catalog::Damaged { .. }))
            || matches!(find(cause), Some(Run::Corrupt { .. }));
    damaged.then_some(Exit::Tampered)
}

/// Finds an error of one type; as a source it may be boxed.
fn find<'a, E: Error + 'static>(cause: &'a (dyn Error + 'static)) -> Option<&'a E> {
    cause.downcast_ref::<E>().or_else(|| cause.downcast_ref::<Box<E>>().map(AsRef::as_ref))
}

fn of_client(error: &trailkeep_client::Error) -> Option<Exit> {
    use trailkeep_client::Error as E;
    match error {
        E::Options { .. } => Some(Exit::Usage),
        E::Unreachable { .. } | E::Untrusted { .. } | E::AnswerLost { .. } => {
            Some(Exit::Unreachable)
        }
        E::NotAllowed { .. } => Some(Exit::NotAllowed),
        E::Refused { status: 404, .. } => Some(Exit::NotFound),
        E::Refused { status: 400, .. } => Some(Exit::Usage),
        E::Refused { .. } | E::Answer { .. } | E::Compress { .. } => None,
    }
}

/// A failure of the command itself: what ends the run, and what its reader can do.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// Makes a failure.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// Says what the reader can do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Prints an error with all that lies behind it.
pub(crate) fn report(error: &anyhow::Error) {
    let mut before = String::new();
    let mut label = "error";
    for cause in error.chain() {
        let text = cause.to_string();
        // Contexts that only set the exit are no words, and some errors repeat their cause.
        if cause.to_string().starts_with("exit ") || before.contains(&text) {
            continue;
        }
        say(&format!("{label}: {text}"));
        label = "  because";
        before = text;
    }
    let hint = error.chain().find_map(|cause| cause.downcast_ref::<Failure>()?.hint.as_ref());
    if let Some(hint) = hint {
        say(&format!("  hint: {hint}"));
    }
}
