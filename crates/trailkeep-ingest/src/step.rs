//! The steps between which a crash may fall.

/// A step of the write path. Each is logged when it begins, so that a crash can be placed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    Append,
    Acknowledge,
    SealObjects,
    SealCommit,
    SealPublish,
    JournalRelease,
    CompactObjects,
    CompactCommit,
    Garbage,
}

impl Step {
    pub(crate) fn begin(self) {
        let step = match self {
            Self::Append => "append",
            Self::Acknowledge => "acknowledge",
            Self::SealObjects => "seal_objects",
            Self::SealCommit => "seal_commit",
            Self::SealPublish => "seal_publish",
            Self::JournalRelease => "journal_release",
            Self::CompactObjects => "compact_objects",
            Self::CompactCommit => "compact_commit",
            Self::Garbage => "garbage",
        };
        tracing::debug!(target: "trailkeep::step", step);
    }
}
