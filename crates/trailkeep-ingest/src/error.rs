//! What can go wrong with the store.

use std::time::Duration;

/// Why a submission was not taken or not finished. Nothing of it may be assumed stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unavailable {
    /// The key sends faster than it may.
    #[error("this key sends more events a second than it may")]
    KeyQuota {
        /// When to try again.
        retry_after: Duration,
    },
    /// An account receives faster than it may.
    #[error("this account receives more events a second than it may")]
    AccountQuota {
        /// When to try again.
        retry_after: Duration,
    },
    /// Too much of this key waits.
    #[error("too many events of this key wait to be written")]
    KeyBusy,
    /// Too much waits.
    #[error("too many events wait to be written")]
    Busy,
    /// The disk is nearly full.
    #[error("the disk is nearly full: no events are taken until there is room")]
    DiskFull,
    /// Whether a source id was seen before cannot be told: its index cannot be read.
    #[error("the index of source ids cannot be read; send the events again later")]
    SourceIds,
    /// The store is shutting down.
    #[error("the store is shutting down")]
    Closing,
    /// The store stopped after an I/O error and must be reopened.
    #[error("the store stopped after an I/O error; restart the server")]
    Stopped,
}

/// Says which operation of the store failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The catalog failed.
    #[error("could not {doing} in the catalog")]
    Catalog {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<trailkeep_catalog::Error>,
    },
    /// The journal failed.
    #[error("could not {doing} the journal")]
    Journal {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<trailkeep_journal::Error>,
    },
    /// A segment could not be written, read or merged.
    #[error("could not {doing} a segment")]
    Segment {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<trailkeep_segment::Error>,
    },
    /// The index of source ids failed.
    #[error("could not {doing} the index of source ids")]
    SourceIds {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<trailkeep_duplicates::Error>,
    },
    /// What the catalog remembers of a file is not readable.
    #[error("the catalog's record of `{id}` is not readable")]
    Record {
        /// The segment or run.
        id: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Another node holds the store.
    #[error("another node holds the store; wait {wait_s} s for its lease to end or stop it")]
    Held {
        /// How long a lease lasts, in seconds.
        wait_s: u64,
    },
    /// Another node took the store over.
    #[error("another node took the store over; this one stops")]
    Fenced,
    /// The store had a journal, and its files are gone.
    #[error(
        "the journal's files are gone, and with them what was acknowledged and not sealed; \
         restore a backup"
    )]
    JournalLost,
    /// The catalog names objects that are not there, or not as long as they were written.
    #[error(
        "{n_lost} objects of sealed segments are missing or cut short, among them `{key}`; \
         restore a backup"
    )]
    SegmentLost {
        /// The first of them.
        key: String,
        /// How many there are.
        n_lost: usize,
    },
    /// A file of the data directory could not be read or written.
    #[error("could not {doing}")]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A thread could not be started.
    #[error("could not start the store's threads")]
    Threads(#[source] trailkeep_io::Error),
    /// The tail could not be sealed.
    #[error("could not seal; the journal holds the entries, and sealing is tried again")]
    Unsealed,
    /// The writer or the sealer ended.
    #[error("the store has stopped")]
    Stopped,
}

impl Error {
    /// Tells whether only a restart finds out what is stored, or who owns it. What failed before
    /// anything was changed is tried again instead.
    pub(crate) fn is_final(&self) -> bool {
        use trailkeep_catalog::Error as Catalog;
        match self {
            Self::Catalog { source, .. } => !matches!(
                **source,
                Catalog::Read { .. } | Catalog::Write { .. } | Catalog::Backup { .. }
            ),
            Self::Segment { source, .. } => {
                matches!(**source, trailkeep_segment::Error::RowChanged { .. })
            }
            Self::Fenced | Self::Journal { .. } | Self::Record { .. } | Self::Stopped => true,
            Self::SourceIds { .. }
            | Self::Disk { .. }
            | Self::Held { .. }
            | Self::JournalLost
            | Self::SegmentLost { .. }
            | Self::Threads(_)
            | Self::Unsealed => false,
        }
    }

    pub(crate) fn catalog(doing: &'static str) -> impl FnOnce(trailkeep_catalog::Error) -> Self {
        move |source| Self::Catalog { doing, source: Box::new(source) }
    }

    pub(crate) fn journal(doing: &'static str) -> impl FnOnce(trailkeep_journal::Error) -> Self {
        move |source| Self::Journal { doing, source: Box::new(source) }
    }

    pub(crate) fn segment(doing: &'static str) -> impl Fn(trailkeep_segment::Error) -> Self + Copy {
        move |source| Self::Segment { doing, source: Box::new(source) }
    }

    pub(crate) fn source_ids(
        doing: &'static str,
    ) -> impl FnOnce(trailkeep_duplicates::Error) -> Self {
        move |source| Self::SourceIds { doing, source: Box::new(source) }
    }
}

/// Returns an error in the form that logs take: they print it with all that lies behind it.
pub(crate) fn logged<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> &'a (dyn std::error::Error + 'static) {
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailkeep_event::Position;

    /// The journal still has the row: trying again with what is in memory would lose it.
    #[test]
    fn a_row_that_changed_in_memory_stops_the_store() {
        let position = Position::parse("p0-1-2").unwrap();
        let changed = trailkeep_segment::Error::RowChanged { segment: "a".to_owned(), position };
        assert!(Error::segment("seal")(changed).is_final());
        assert!(!Error::segment("seal")(trailkeep_segment::Error::Empty).is_final());
    }
}
