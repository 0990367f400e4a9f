//! What can go wrong.

use std::io;

use trailkeep_event::{BatchError, Partition};

use crate::WayOut;

/// The result of an operation of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Says what went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk failed. A journal that meets this while it changes files refuses until reopened.
    #[error("could not {doing} journal file `{file}`")]
    Io {
        /// What was being tried.
        doing: &'static str,
        /// The file, or the folder itself.
        file: String,
        /// Why it failed.
        source: io::Error,
    },
    /// There is no room for another journal file. Nothing was written; the journal goes on.
    #[error("no room to prepare journal file `{file}`")]
    NoSpace {
        /// The file that could not be made.
        file: String,
        /// What the disk said.
        source: io::Error,
    },
    /// Stored bytes are not what was written. Nothing was changed; a person decides.
    #[error("journal file `{file}` is damaged at byte {offset}: {what}; {way_out}")]
    Corrupt {
        /// The file.
        file: String,
        /// Where the damage was noticed.
        offset: u64,
        /// What is wrong there.
        what: &'static str,
        /// What a person can do about it.
        way_out: WayOut,
    },
    /// A newer program wrote the file.
    #[error(
        "journal file `{file}` has version {version}, which this program cannot read; \
         start the version that wrote it, or a later one"
    )]
    Version {
        /// The file.
        file: String,
        /// Its version.
        version: u32,
    },
    /// The journal ends before what the catalog has committed: acknowledged data is missing.
    #[error(
        "the journal of partition {partition} ends at frame {recovered}, \
         but the catalog has committed up to frame {committed}; restore a backup"
    )]
    BehindCatalog {
        /// The partition.
        partition: Partition,
        /// The next frame number of the journal.
        recovered: u64,
        /// The next frame number of the catalog.
        committed: u64,
    },
    /// A frame that was asked for is not held: released before (`found` is the first held one),
    /// or beyond the end (`found` is the next one to be written).
    #[error("partition {partition} has no frame {expected}; the nearest is {found}")]
    Gap {
        /// The partition.
        partition: Partition,
        /// The frame asked for.
        expected: u64,
        /// The nearest frame number.
        found: u64,
    },
    /// An earlier I/O error left the files in an unknown state; reopening finds out.
    #[error("the journal stopped after an I/O error and must be reopened")]
    Stopped,
    /// The batches are more than one write may hold. Nothing was written.
    #[error("a write of {bytes} bytes is more than the limit of {bytes_max}")]
    TooLarge {
        /// How many bytes the write would have.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The options contradict each other.
    #[error("journal options are not usable: {what}")]
    Options {
        /// What is wrong.
        what: &'static str,
    },
    /// A batch to be appended is not well formed.
    #[error("a batch for partition {partition} is malformed")]
    MakeBatch {
        /// The partition.
        partition: Partition,
        /// What is wrong.
        source: BatchError,
    },
    /// A frame whose checksum is right holds no batch that this program reads.
    #[error("could not read the batch in frame {frame} of partition {partition}")]
    ReadBatch {
        /// The partition.
        partition: Partition,
        /// The frame's number.
        frame: u64,
        /// What is wrong.
        source: BatchError,
    },
}

impl Error {
    /// Makes the mapping of a disk's error.
    pub(crate) fn io(doing: &'static str, file: &str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, file: file.to_owned(), source }
    }

    /// Says what can be done about damage, where more is known of it than where it was noticed.
    pub(crate) fn with_way_out(self, way_out: WayOut) -> Self {
        match self {
            Self::Corrupt { file, offset, what, .. } => {
                Self::Corrupt { file, offset, what, way_out }
            }
            other => other,
        }
    }
}
