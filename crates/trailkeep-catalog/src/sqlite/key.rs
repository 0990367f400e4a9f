//! API keys.

use serde::Serialize;
use serde::de::DeserializeOwned;
use trailkeep_event::Micros;

use super::work::Work;
use crate::text::{hex, unhex};
use crate::{Error, KeyRecord, Result};

/// `key_id, name, token_hash, masked, read_scope, write_scope, operates, created_at, expires_at,
/// revoked_at`
pub(super) type KeyRow = (
    String,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
);

pub(super) const ALL: &str = "SELECT key_id, name, token_hash, masked, read_scope, write_scope,
    operates, created_at, expires_at, revoked_at FROM api_keys";

pub(super) async fn create(work: &mut Work, key: &KeyRecord) -> Result<()> {
    const INSERT: &str = "INSERT INTO api_keys (key_id, name, token_hash, masked, read_scope,
        write_scope, operates, created_at, expires_at, revoked_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
    let insert = sqlx::query(INSERT)
        .bind(&key.key_id)
        .bind(&key.name)
        .bind(hex(&key.hash))
        .bind(&key.masked)
        .bind(scope_text(key.read.as_ref())?)
        .bind(scope_text(key.write.as_ref())?)
        .bind(i64::from(key.operator))
        .bind(key.created_at.0)
        .bind(key.expires_at.map(|at| at.0))
        .bind(key.revoked_at.map(|at| at.0));
    if work.run(insert).await? == 1 {
        return Ok(());
    }
    Err(Error::invalid("a key", "its id or its hash is taken"))
}

pub(super) fn read(row: KeyRow) -> Result<KeyRecord> {
    let (key_id, name, hash, masked, read, write, operates, created_at, expires_at, revoked_at) =
        row;
    let damaged = |part: &str| Error::damaged(format!("key `{key_id}` has no readable {part}"));
    Ok(KeyRecord {
        hash: unhex(&hash).ok_or_else(|| damaged("hash"))?,
        read: scope(read.as_deref()).ok_or_else(|| damaged("read scope"))?,
        write: scope(write.as_deref()).ok_or_else(|| damaged("write scope"))?,
        key_id,
        name,
        masked,
        operator: operates == 1,
        created_at: Micros(created_at),
        expires_at: expires_at.map(Micros),
        revoked_at: revoked_at.map(Micros),
    })
}

fn scope_text<T: Serialize>(scope: Option<&T>) -> Result<Option<String>> {
    scope
        .map(serde_json::to_string)
        .transpose()
        .map_err(|error| Error::invalid("a key", format!("its scope: {error}")))
}

/// Reads a scope; the outer `None` is one that cannot be read.
#[expect(clippy::option_option, reason = "a key without a scope is not a key with a bad one")]
fn scope<T: DeserializeOwned>(text: Option<&str>) -> Option<Option<T>> {
    match text {
        None => Some(None),
        Some(text) => serde_json::from_str(text).ok().map(Some),
    }
}
