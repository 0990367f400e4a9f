//! What a catalog's file holds, and whether commits of it were lost.

use std::path::{Path, PathBuf};

use sqlx::SqliteConnection;

use super::mark::Mark;
use super::migrate::{Found, MARKED_SINCE, find, known_version};
use super::row::number;
use super::work::is_damage;
use crate::{Error, Result};

/// What a file holds that this program can read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// The version of its schema; 0 where it is empty.
    pub(super) version: i64,
    /// How many changes were committed.
    pub(super) changes: u64,
}

impl Seen {
    pub(super) const NOTHING: Self = Self { version: 0, changes: 0 };
}

/// Looks into the file of a connection.
pub(super) async fn look(connection: &mut SqliteConnection, path: &Path) -> Result<Seen> {
    let failed = |source| not_open(path, source);
    let version = match find(connection).await.map_err(failed)? {
        Found::Foreign => return Err(Error::NotACatalog { path: path.to_owned() }),
        Found::Version(found) if found > known_version() => {
            let known = known_version();
            return Err(Error::NewerSchema { path: path.to_owned(), found, known });
        }
        Found::Version(found) => found,
        Found::Empty => 0,
    };
    if version < MARKED_SINCE {
        return Ok(Seen { version, changes: 0 });
    }
    let (changes,): (i64,) = sqlx::query_as("SELECT n_changes FROM changes")
        .fetch_one(connection)
        .await
        .map_err(failed)?;
    Ok(Seen { version, changes: number(changes)? })
}

/// Checks that the mark knows of no change that is not in the file.
///
/// The database ends its log at the first record that is not right, without a word: a flipped bit
/// there takes back a commit and all behind it.
pub(super) fn check_mark(path: &Path, mark: &Mark, seen: Seen) -> Result<()> {
    let (file, log) = (path.display(), log_path(path));
    let log = log.display();
    match mark.changes() {
        Some(marked) if seen.changes < marked => Err(Error::damaged(format!(
            "`{file}` has {} changes, but {marked} were committed: its log `{log}` is damaged or \
             missing, or the file is an old copy; restore a backup into an empty folder",
            seen.changes
        ))),
        // Version 1 had no mark.
        None if seen.version == 0 || seen.version >= MARKED_SINCE => Err(Error::damaged(format!(
            "`{}` is missing, so nobody can tell whether `{log}` is whole: put it back, or \
             restore a backup into an empty folder",
            mark_path(path).display()
        ))),
        _ => Ok(()),
    }
}

/// Returns the path of the mark: that of `catalog.sqlite` is `catalog.mark`.
pub(super) fn mark_path(path: &Path) -> PathBuf {
    path.with_extension("mark")
}

/// Returns the path of the log that the database keeps beside its file.
pub(super) fn log_path(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// Says why a file could not be opened.
pub(super) fn not_open(path: &Path, source: sqlx::Error) -> Error {
    if is_damage(&source) {
        let detail = format!("`{}` cannot be read as a database", path.display());
        return Error::Damaged { detail, source: Some(source.into()) };
    }
    Error::Open { path: path.to_owned(), source: source.into() }
}
