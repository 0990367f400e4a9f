//! The schema and its versions.

use sqlx::{Sqlite, SqliteConnection, Transaction};

use crate::{Error, Result};

/// The schema changes, oldest first; the version is the number of those that were made. A change
/// that was released is never edited.
const MIGRATIONS: [&str; 2] = [include_str!("001_spine.sql"), include_str!("002_changes.sql")];

/// The version from which a catalog counts its changes and has a mark.
pub(super) const MARKED_SINCE: i64 = 2;

/// What a file holds before it is brought up to date.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// Nothing yet.
    Empty,
    /// Tables of something else.
    Foreign,
    /// A catalog of this version.
    Version(i64),
}

/// Returns the newest version that this program knows.
pub(super) fn known_version() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Tells what a file holds.
pub(super) async fn find(connection: &mut SqliteConnection) -> sqlx::Result<Found> {
    let names: Vec<(String,)> =
        sqlx::query_as("SELECT name FROM sqlite_master WHERE type = 'table'")
            .fetch_all(&mut *connection)
            .await?;
    if names.is_empty() {
        return Ok(Found::Empty);
    }
    if !names.iter().any(|(name,)| name == "schema_version") {
        return Ok(Found::Foreign);
    }
    let version: Option<(i64,)> =
        sqlx::query_as("SELECT version FROM schema_version").fetch_optional(connection).await?;
    Ok(version.map_or(Found::Foreign, |(version,)| Found::Version(version)))
}

/// Makes every change after `version`, in one transaction: a crash leaves the old schema.
pub(super) async fn migrate(
    transaction: &mut Transaction<'static, Sqlite>,
    version: i64,
) -> Result<()> {
    let made = usize::try_from(version).unwrap_or(0);
    for (number, change) in (1_i64..).zip(MIGRATIONS).skip(made) {
        apply(transaction, change, number)
            .await
            .map_err(|source| Error::Migrate { version: number, source: source.into() })?;
        tracing::info!(version = number, "catalog schema changed");
    }
    Ok(())
}

async fn apply(
    connection: &mut SqliteConnection,
    change: &'static str,
    number: i64,
) -> sqlx::Result<()> {
    const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_version (
        only_row BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
        version  BIGINT NOT NULL CHECK (version > 0)
    )";
    const RAISE: &str = "INSERT INTO schema_version (only_row, version) VALUES (1, $1)
        ON CONFLICT (only_row) DO UPDATE SET version = excluded.version";
    sqlx::query(TABLE).execute(&mut *connection).await?;
    sqlx::raw_sql(change).execute(&mut *connection).await?;
    sqlx::query(RAISE).bind(number).execute(connection).await?;
    Ok(())
}
