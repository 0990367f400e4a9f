//! Records to test with.

use std::time::Duration;

use trailkeep_event::{Cut, Micros, PARTITIONS};
use trailkeep_scope::{ReadScope, WriteScope};

use crate::{
    AccountRecord, Catalog, HeadRecord, KeyRecord, Lease, RunRecord, SealCommit, SegmentRecord,
    StoreIdentity,
};

/// Returns the cut that is at the same frame in each partition.
pub fn cut(frame: u64) -> Cut {
    Cut([frame; PARTITIONS])
}

/// Returns a segment of the frames between two cuts, with a row for each.
pub fn segment(id: &str, from: u64, to: u64) -> SegmentRecord {
    SegmentRecord {
        id: id.to_owned(),
        from: cut(from),
        to: cut(to),
        rows: to.saturating_sub(from),
        bytes: 4096,
        min_at: Micros(1_000),
        max_at: Micros(2_000),
        meta: format!("{{\"id\":\"{id}\"}}"),
    }
}

/// Returns a run.
pub fn run(id: &str) -> RunRecord {
    RunRecord { id: id.to_owned(), entries: 7, bytes: 112, meta: "{}".to_owned() }
}

/// Returns a head with as many microseconds as entries.
pub fn head(account_id: &str, size: u64) -> HeadRecord {
    let created_at = Micros(i64::try_from(size).unwrap());
    HeadRecord { account_id: account_id.to_owned(), size, created_at }
}

/// Returns an account whose slug is its id.
pub fn account(account_id: &str) -> AccountRecord {
    AccountRecord {
        account_id: account_id.to_owned(),
        slug: account_id.to_owned(),
        name: None,
        created_at: Micros(5),
    }
}

/// Returns a seal with one segment, one run and the head of one account.
pub fn seal(from: u64, to: u64) -> SealCommit {
    SealCommit {
        from: cut(from),
        to: cut(to),
        segments: vec![segment(&format!("s{from}-{to}"), from, to)],
        runs: vec![run(&format!("r{from}-{to}"))],
        heads: vec![head("acme", to)],
        accounts: vec![account("acme")],
    }
}

/// Returns a key whose hash is one byte repeated.
pub fn key(key_id: &str, byte: u8) -> KeyRecord {
    KeyRecord {
        key_id: key_id.to_owned(),
        name: format!("key {key_id}"),
        hash: [byte; 32],
        masked: "tk_abc...xyz".to_owned(),
        read: Some(ReadScope::everything()),
        write: Some(WriteScope::everything()),
        operator: true,
        created_at: Micros(i64::from(byte)),
        expires_at: Some(Micros(9_000)),
        revoked_at: None,
    }
}

/// Returns an identity whose keys are one byte repeated.
pub fn identity(store_id: &str, byte: u8) -> StoreIdentity {
    StoreIdentity {
        store_id: store_id.to_owned(),
        id_key: [byte; 16],
        source_key: [byte; 16],
        cursor_key: [byte; 32],
        created_at: Micros(1),
    }
}

/// Takes the lease under which the tests write.
pub async fn lease(catalog: &dyn Catalog, owner: &str) -> Lease {
    let taken = catalog.acquire("builder", owner, Micros(0), Duration::from_secs(10)).await;
    taken.unwrap().unwrap()
}
