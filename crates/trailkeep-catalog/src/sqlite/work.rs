//! One transaction of the writer, and when the catalog stops.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::query::{Query, QueryAs};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{FromRow, Sqlite, SqliteConnection, SqlitePool, Transaction};

use super::mark::SharedMark;
use super::row::number;
use crate::{Cause, Error, Result};

/// The only connection that writes, and what a commit there needs.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    pub(super) pool: SqlitePool,
    pub(super) mark: SharedMark,
    pub(super) health: Health,
}

/// A statement with its values.
pub(super) type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

/// A statement with its values whose rows are `T`.
pub(super) type Rows<'q, T> = QueryAs<'q, Sqlite, T, SqliteArguments>;

/// Whether the catalog still answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Health(Arc<AtomicBool>);

impl Health {
    pub(super) fn check(&self, what: &'static str) -> Result<()> {
        if self.0.load(Ordering::Acquire) { Err(Error::Stopped { what }) } else { Ok(()) }
    }

    /// Turns a failed read into an error; damage and a failing disk stop the catalog.
    pub(super) fn read_failed(&self, what: &'static str, source: sqlx::Error) -> Error {
        self.damaged(what, source)
            .unwrap_or_else(|source| Error::Read { what, source: source.into() })
    }

    pub(super) fn write_failed(&self, what: &'static str, source: sqlx::Error) -> Error {
        self.damaged(what, source)
            .unwrap_or_else(|source| Error::Write { what, source: source.into() })
    }

    fn damaged(
        &self,
        what: &'static str,
        source: sqlx::Error,
    ) -> std::result::Result<Error, sqlx::Error> {
        if is_damage(&source) {
            self.stop(what, &source);
            let detail = format!("the database says so of {what}");
            return Ok(Error::Damaged { detail, source: Some(source.into()) });
        }
        if primary_code(&source) == Some(DISK_FAILED) {
            self.stop(what, &source);
        }
        Err(source)
    }

    fn stop(&self, what: &'static str, source: &dyn fmt::Display) {
        self.0.store(true, Ordering::Release);
        tracing::error!(what, error = %source, "catalog stopped");
    }
}

const DISK_FAILED: u32 = 10;
const CORRUPT: u32 = 11;
const NOT_A_DATABASE: u32 = 26;

/// Tells whether the database found its file to be damaged.
pub(super) fn is_damage(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(CORRUPT | NOT_A_DATABASE))
}

/// Returns SQLite's result code without its extension.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// One transaction of the writer. Dropping it takes back what it did.
pub(super) struct Work {
    transaction: Transaction<'static, Sqlite>,
    what: &'static str,
    writer: Writer,
}

impl Work {
    /// Waits for the writer's turn and takes the file's write lock.
    pub(super) async fn begin(writer: &Writer, what: &'static str) -> Result<Self> {
        writer.health.check(what)?;
        let transaction = writer
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(|source| writer.health.write_failed(what, source))?;
        Ok(Self { transaction, what, writer: writer.clone() })
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    pub(super) fn transaction(&mut self) -> &mut Transaction<'static, Sqlite> {
        &mut self.transaction
    }

    /// Runs a statement and returns how many rows it changed.
    pub(super) async fn run(&mut self, statement: Statement<'_>) -> Result<u64> {
        let done = statement.execute(&mut *self.transaction).await;
        done.map(|done| done.rows_affected())
            .map_err(|source| self.writer.health.write_failed(self.what, source))
    }

    /// Runs a statement and returns its row, if it has one.
    pub(super) async fn row<T>(&mut self, rows: Rows<'_, T>) -> Result<Option<T>>
    where
        T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        rows.fetch_optional(&mut *self.transaction)
            .await
            .map_err(|source| self.writer.health.write_failed(self.what, source))
    }

    /// Runs a query and returns its rows.
    pub(super) async fn rows<T>(&mut self, rows: Rows<'_, T>) -> Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        rows.fetch_all(&mut *self.transaction)
            .await
            .map_err(|source| self.writer.health.write_failed(self.what, source))
    }

    /// Makes what was done durable, and the mark know of it.
    ///
    /// A crash before the log is synced leaves nothing of it, a crash after it all of it. An
    /// error leaves either, so it is final.
    pub(super) async fn commit(mut self) -> Result<()> {
        const COUNT: &str = "UPDATE changes SET n_changes = n_changes + 1 RETURNING n_changes";
        let counted: Option<(i64,)> = self.row(sqlx::query_as(COUNT)).await?;
        let counted = counted.ok_or_else(|| Error::damaged("its number of changes is missing"))?;
        let changes = number(counted.0)?;
        let Self { transaction, what, writer } = self;
        let failed = |source: Cause| {
            writer.health.stop(what, &source);
            Error::Commit { what, source }
        };
        transaction.commit().await.map_err(|source| failed(source.into()))?;
        // A crash here leaves a commit that the mark does not know, and that nobody was told of.
        writer.mark.raise(changes).await.map_err(|source| failed(source.into()))
    }

    /// Takes back what was done.
    pub(super) async fn abandon(self) -> Result<()> {
        let Self { transaction, what, writer } = self;
        transaction.rollback().await.map_err(|source| writer.health.write_failed(what, source))
    }
}
