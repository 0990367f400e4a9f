//! Opens a catalog's file.

use std::io;
use std::path::Path;
use std::sync::Arc;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlitePool};
use trailkeep_io::RealDisk;

use super::look::{Seen, check_mark, log_path, look, mark_path, not_open};
use super::mark::{Mark, SharedMark};
use super::migrate::{known_version, migrate};
use super::work::{Health, Work, Writer};
use crate::limits::{BUSY_WAIT_MAX, READERS_MAX, TURN_WAIT_MAX};
use crate::{Error, Result};

/// Opens or makes the file and brings its schema up to date. Returns the writer, of which there
/// is one, and the readers.
///
/// A file that lost commits is refused, and neither it nor what is beside it is changed.
pub(super) async fn open(path: &Path) -> Result<(Writer, SqlitePool)> {
    let failed = |source| not_open(path, source);
    let mark = read_mark(path)?;
    let options =
        SqliteConnectOptions::new().filename(path).foreign_keys(true).busy_timeout(BUSY_WAIT_MAX);
    // Without a mark and a log the file is whole by itself: a new one, or a copy.
    if mark.changes().is_some() || has_log(path) {
        check_mark(path, &mark, look_only(path, &options).await?)?;
    }

    // FULL syncs the log at each commit; NORMAL would let a power cut take back an answer.
    let writing = options
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool = pool_of(1).connect_with(writing).await.map_err(failed)?;
    let writer = Writer { pool, mark: SharedMark::new(mark), health: Health::default() };

    let mut work = Work::begin(&writer, "the schema").await?;
    let seen = look(work.connection(), path).await?;
    // Before the first byte is in a log there is a mark: a crash here leaves one beside no log.
    writer.mark.raise(seen.changes).await.map_err(|source| mark_failed(path, source))?;
    if seen.version < known_version() {
        migrate(work.transaction(), seen.version).await?;
        work.commit().await?;
    } else {
        work.abandon().await?;
    }
    let readers =
        pool_of(READERS_MAX).connect_with(options.read_only(true)).await.map_err(failed)?;
    Ok((writer, readers))
}

/// Looks into the file through a connection that cannot write: one that can would put what is
/// left of a damaged log into the file when it is closed, and remove the log.
async fn look_only(path: &Path, options: &SqliteConnectOptions) -> Result<Seen> {
    if !path.exists() {
        return Ok(Seen::NOTHING);
    }
    let failed = |source| not_open(path, source);
    let mut connection = options.clone().read_only(true).connect().await.map_err(failed)?;
    let seen = look(&mut connection, path).await;
    connection.close().await.map_err(failed)?;
    seen
}

fn read_mark(path: &Path) -> Result<Mark> {
    let mark = mark_path(path);
    let read = || {
        let folder = folder_of(&mark);
        let name = mark.file_name().and_then(|name| name.to_str());
        let name = name.ok_or(io::ErrorKind::InvalidFilename)?;
        // A disk would make its folder.
        if !folder.is_dir() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Mark::read(Arc::new(RealDisk::open(folder)?), name.to_owned())
    };
    read().map_err(|source| mark_failed(path, source))
}

fn mark_failed(path: &Path, source: io::Error) -> Error {
    if source.kind() == io::ErrorKind::InvalidData {
        let detail = format!(
            "`{}` cannot be read, so nobody can tell whether `{}` is whole: restore a backup into \
             an empty folder",
            mark_path(path).display(),
            log_path(path).display()
        );
        return Error::Damaged { detail, source: Some(source.into()) };
    }
    Error::Open { path: path.to_owned(), source: source.into() }
}

fn has_log(path: &Path) -> bool {
    log_path(path).metadata().is_ok_and(|log| log.len() > 0)
}

/// Returns the folder of a file.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Connections that live as long as the catalog: a new one would pay for parsing the schema.
fn pool_of(n_connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(n_connections)
        .acquire_timeout(TURN_WAIT_MAX)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}
