//! The backup of a catalog in memory.

use serde_json::{Value, json};
use trailkeep_event::Micros;

use super::state::{Files, State};
use crate::text::{cut_text, hex};
use crate::{AccountRecord, HeadRecord, KeyRecord, RunRecord, SegmentRecord, StoreIdentity};

/// Returns everything that is stored, secrets included, under the names of the tables.
pub(super) fn of(state: &State) -> Value {
    let leases = state.leases.iter().map(|(resource, holding)| {
        json!({
            "resource": resource,
            "owner": holding.owner,
            "epoch": holding.epoch,
            "until_at": holding.until.0,
        })
    });
    json!({
        "identity": state.identity.as_ref().map(identity),
        "leases": leases.collect::<Vec<_>>(),
        "cut": cut_text(&state.cut),
        "segments": files(&state.segments, segment),
        "runs": files(&state.runs, run),
        "heads": state.heads.values().map(head).collect::<Vec<_>>(),
        "accounts": state.accounts.values().map(account).collect::<Vec<_>>(),
        "api_keys": state.keys.values().map(key).collect::<Vec<_>>(),
        "settings": state.settings,
    })
}

fn files<T>(files: &Files<T>, write: fn(&T) -> Value) -> Vec<Value> {
    let row = |(record, removed_at): &(T, Option<Micros>)| {
        let mut row = write(record);
        row["removed_at"] = json!(micros(*removed_at));
        row
    };
    files.values().map(row).collect()
}

fn micros(at: Option<Micros>) -> Option<i64> {
    at.map(|at| at.0)
}

fn identity(identity: &StoreIdentity) -> Value {
    json!({
        "store_id": identity.store_id,
        "id_key": hex(&identity.id_key),
        "source_key": hex(&identity.source_key),
        "cursor_key": hex(&identity.cursor_key),
        "created_at": identity.created_at.0,
    })
}

fn segment(segment: &SegmentRecord) -> Value {
    json!({
        "id": segment.id,
        "cut_from": cut_text(&segment.from),
        "cut_to": cut_text(&segment.to),
        "n_rows": segment.rows,
        "n_bytes": segment.bytes,
        "min_at": segment.min_at.0,
        "max_at": segment.max_at.0,
        "meta": segment.meta,
    })
}

fn run(run: &RunRecord) -> Value {
    json!({ "id": run.id, "n_entries": run.entries, "n_bytes": run.bytes, "meta": run.meta })
}

fn head(head: &HeadRecord) -> Value {
    json!({
        "account_id": head.account_id,
        "n_entries": head.size,
        "created_at": head.created_at.0,
    })
}

fn account(account: &AccountRecord) -> Value {
    json!({
        "account_id": account.account_id,
        "slug": account.slug,
        "name": account.name,
        "created_at": account.created_at.0,
    })
}

fn key(key: &KeyRecord) -> Value {
    json!({
        "key_id": key.key_id,
        "name": key.name,
        "token_hash": hex(&key.hash),
        "masked": key.masked,
        "read_scope": key.read,
        "write_scope": key.write,
        "operates": key.operator,
        "created_at": key.created_at.0,
        "expires_at": micros(key.expires_at),
        "revoked_at": micros(key.revoked_at),
    })
}
