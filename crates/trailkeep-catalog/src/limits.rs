//! What the catalog holds at most.

use std::time::Duration;

/// How many garbage records one call of [`Catalog::garbage`](crate::Catalog::garbage) returns.
pub const GARBAGE_PAGE_MAX: usize = 1000;

/// How many bytes a setting's value may have.
pub const SETTING_BYTES_MAX: usize = 1 << 20;

/// How many bytes the `meta` of a segment or a run may have.
pub const META_BYTES_MAX: usize = 16 << 20;

/// How many numbered slugs are tried for an account whose slug is taken.
pub(crate) const SLUG_TRIES_MAX: u32 = 100;

/// How many rows one statement writes: four values each, of which SQLite takes 32,766 and Postgres
/// 65,535.
pub(crate) const STATEMENT_ROWS_MAX: usize = 500;

/// How many connections read at the same time.
pub(crate) const READERS_MAX: u32 = 4;

/// How long a call waits for its turn.
pub(crate) const TURN_WAIT_MAX: Duration = Duration::from_secs(30);

/// How long a statement waits for another process that holds the file.
pub(crate) const BUSY_WAIT_MAX: Duration = Duration::from_secs(5);
