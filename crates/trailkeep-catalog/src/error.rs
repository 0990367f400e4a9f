//! What can go wrong with the catalog.

use std::path::PathBuf;

/// What lies behind an [`Error`].
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The result of asking the catalog.
pub type Result<T> = std::result::Result<T, Error>;

/// Says why the catalog did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened or made.
    #[error("could not open the catalog `{}`", path.display())]
    Open {
        /// The catalog's file.
        path: PathBuf,
        /// What lies behind it.
        source: Cause,
    },
    /// The file is a database of something else.
    #[error("`{}` is a database, but not a catalog", path.display())]
    NotACatalog {
        /// The file.
        path: PathBuf,
    },
    /// A newer program wrote the catalog.
    #[error(
        "the catalog `{}` has schema version {found}, and this program knows versions up to \
         {known}: use the newer program that wrote it",
        path.display()
    )]
    NewerSchema {
        /// The catalog's file.
        path: PathBuf,
        /// The version of the file.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The schema could not be brought up to date; the catalog is as it was.
    #[error("could not bring the catalog to schema version {version}")]
    Migrate {
        /// The version that was being made.
        version: i64,
        /// What lies behind it.
        source: Cause,
    },
    /// Something could not be read.
    #[error("could not read {what} from the catalog")]
    Read {
        /// What was being read.
        what: &'static str,
        /// What lies behind it.
        source: Cause,
    },
    /// Something could not be written; the catalog is as it was.
    #[error("could not write {what} to the catalog")]
    Write {
        /// What was being written.
        what: &'static str,
        /// What lies behind it.
        source: Cause,
    },
    /// A commit failed. It may have been done or not: only reopening tells. Until then the
    /// catalog refuses.
    #[error("could not commit {what} to the catalog; reopening it tells whether it was done")]
    Commit {
        /// What was being committed.
        what: &'static str,
        /// What lies behind it.
        source: Cause,
    },
    /// An earlier failure stopped the catalog.
    #[error("the catalog refuses {what} because it failed before; reopen it")]
    Stopped {
        /// What was refused.
        what: &'static str,
    },
    /// What is stored cannot be right. The catalog refuses until it is reopened.
    #[error("the catalog is damaged: {detail}")]
    Damaged {
        /// What is wrong, and where.
        detail: String,
        /// What lies behind it, where the database said so itself.
        source: Option<Cause>,
    },
    /// What was to be written cannot be right; the catalog is as it was.
    #[error("the catalog refuses {what}: {detail}")]
    Invalid {
        /// What was to be written.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The copy could not be made.
    #[error("could not back up the catalog to `{}`", path.display())]
    Backup {
        /// Where the copy was to be.
        path: PathBuf,
        /// What lies behind it.
        source: Cause,
    },
}

impl Error {
    pub(crate) fn invalid(what: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid { what, detail: detail.into() }
    }

    pub(crate) fn damaged(detail: impl Into<String>) -> Self {
        Self::Damaged { detail: detail.into(), source: None }
    }
}
