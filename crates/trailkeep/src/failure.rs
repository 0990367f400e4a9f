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
    use trailkeep_api::Error as Api;
    if let Some(failure) = find::<Failure>(cause) {
        return Some(failure.exit);
    }
    if let Some(error) = find::<trailkeep_client::Error>(cause) {
        return of_client(error);
    }
    match find(cause) {
        Some(Api::Bind { .. } | Api::WriteDocument { .. }) | None => {}
        Some(_wrong_settings) => return Some(Exit::Usage),
    }
    is_damage(cause).then_some(Exit::Tampered)
}

/// What to do about damage whose message does not say so itself.
const DAMAGE_HINT: &str = "`trailkeep doctor --data DIR` names everything that is damaged; then \
                           restore a backup by `trailkeep restore`";

/// Tells whether a cause says that stored bytes are lost or are not what was written.
fn is_damage(cause: &(dyn Error + 'static)) -> bool {
    use trailkeep_catalog::Error as Catalog;
    use trailkeep_duplicates::Error as Run;
    use trailkeep_ingest::Error as Store;
    use trailkeep_segment::Error as Segment;
    let segment = match find(cause) {
        Some(
            Segment::Corrupt { .. }
            | Segment::Malformed { .. }
            | Segment::Meta { .. }
            | Segment::Decode { .. },
        ) => true,
        Some(Segment::Store { .. }) => is_missing(cause),
        _ => false,
    };
    let run = match find(cause) {
        Some(Run::Corrupt { .. }) => true,
        Some(Run::Read { .. }) => is_missing(cause),
        _ => false,
    };
    segment
        || run
        || is_journal_damage(cause)
        || matches!(find(cause), Some(Catalog::Damaged { .. } | Catalog::NotACatalog { .. }))
        || matches!(
            find(cause),
            Some(Store::Record { .. } | Store::JournalLost | Store::SegmentLost { .. })
        )
}

/// The journal's own message says what can be done.
fn is_journal_damage(cause: &(dyn Error + 'static)) -> bool {
    use trailkeep_journal::Error as Journal;
    matches!(
        find(cause),
        Some(
            Journal::Corrupt { .. }
                | Journal::BehindCatalog { .. }
                | Journal::Gap { .. }
                | Journal::ReadBatch { .. }
        )
    )
}

/// Tells whether a file is gone, or shorter than what is to be read.
fn is_missing(cause: &(dyn Error + 'static)) -> bool {
    use std::io::ErrorKind::{NotFound, UnexpectedEof};
    let mut cause = Some(cause);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| matches!(io.kind(), NotFound | UnexpectedEof)) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Finds an error of one type; as a source it may be boxed.
fn find<'a, E: Error + 'static>(cause: &'a (dyn Error + 'static)) -> Option<&'a E> {
    cause.downcast_ref::<E>().or_else(|| cause.downcast_ref::<Box<E>>().map(AsRef::as_ref))
}

fn of_client(error: &trailkeep_client::Error) -> Option<Exit> {
    use trailkeep_client::Error as E;
    match error {
        E::Options { .. } => Some(Exit::Usage),
        E::Unreachable { .. }
        | E::UnknownHost { .. }
        | E::Gone { .. }
        | E::Untrusted { .. }
        | E::AnswerLost { .. } => Some(Exit::Unreachable),
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
    if let Some(hint) = hint_of(error) {
        say(&format!("  hint: {hint}"));
    }
}

fn hint_of(error: &anyhow::Error) -> Option<&str> {
    let own = error.chain().find_map(|cause| cause.downcast_ref::<Failure>()?.hint.as_deref());
    let damage = || {
        let unsaid = |cause: &(dyn Error + 'static)| is_damage(cause) && !is_journal_damage(cause);
        error.chain().any(unsaid).then_some(DAMAGE_HINT)
    };
    own.or_else(damage)
}

/// Returns an error and the last cause behind it in one line.
pub(crate) fn in_one_line(error: &dyn Error) -> String {
    let mut last = None;
    let mut cause = error.source();
    while let Some(behind) = cause {
        last = Some(behind);
        cause = behind.source();
    }
    last.map_or_else(|| error.to_string(), |last| format!("{error}: {last}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DESIGN 8: the exit codes of what can happen on the way to a server.
    #[test]
    fn errors_of_the_client_have_their_exit_codes() {
        use trailkeep_client::Error as E;
        let server = String::new;
        let refused = |status| E::Refused { server: server(), status, problem: Box::default() };
        let refused_io = || Box::new(ureq::Error::ConnectionFailed);
        for (error, code) in [
            (E::Options { what: "the key", detail: String::new() }, 2),
            (E::Unreachable { server: server(), source: refused_io() }, 6),
            (E::UnknownHost { server: server(), source: refused_io() }, 6),
            (E::Gone { server: server(), source: refused_io() }, 6),
            (E::AnswerLost { server: server(), source: None }, 6),
            (E::NotAllowed { server: server(), detail: String::new() }, 5),
            (refused(404), 4),
            (refused(400), 2),
            (refused(503), 1),
        ] {
            let error = anyhow::Error::from(error).context("the import stopped");
            assert_eq!(Exit::of(&error).code(), code, "{error:?}");
        }
    }
}
