//! Opens a catalog's file.

use std::path::Path;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::migrate::{Found, find, known_version, migrate};
use super::work::{Health, Work, is_damage};
use crate::limits::{BUSY_WAIT_MAX, READERS_MAX, TURN_WAIT_MAX};
use crate::{Error, Result};

/// The writer, of which there is one, and the readers.
#[derive(Clone, Debug)]
pub(super) struct Pools {
    pub(super) writer: SqlitePool,
    pub(super) readers: SqlitePool,
}

/// Opens or makes the file and brings its schema up to date.
pub(super) async fn open(path: &Path, health: &Health) -> Result<Pools> {
    let failed = |source: sqlx::Error| {
        if is_damage(&source) {
            let detail = format!("`{}` cannot be read as a database", path.display());
            return Error::Damaged { detail, source: Some(source.into()) };
        }
        Error::Open { path: path.to_owned(), source: source.into() }
    };
    let options =
        SqliteConnectOptions::new().filename(path).foreign_keys(true).busy_timeout(BUSY_WAIT_MAX);
    // FULL syncs the log at each commit; NORMAL would let a power cut take back an answer.
    let writing = options
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let writer = pool(1).connect_with(writing).await.map_err(failed)?;

    let mut work = Work::begin(&writer, "the schema", health).await?;
    match find(work.connection()).await.map_err(failed)? {
        Found::Foreign => return Err(Error::NotACatalog { path: path.to_owned() }),
        Found::Version(found) if found > known_version() => {
            let known = known_version();
            return Err(Error::NewerSchema { path: path.to_owned(), found, known });
        }
        Found::Version(found) => migrate(work.transaction(), found).await?,
        Found::Empty => migrate(work.transaction(), 0).await?,
    }
    work.commit().await?;

    let readers = pool(READERS_MAX).connect_with(options.read_only(true)).await.map_err(failed)?;
    Ok(Pools { writer, readers })
}

/// Connections that live as long as the catalog: a new one would pay for parsing the schema.
fn pool(n_connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(n_connections)
        .acquire_timeout(TURN_WAIT_MAX)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}
