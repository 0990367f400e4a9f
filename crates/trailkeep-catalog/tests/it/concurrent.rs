//! Owners who act at the same time.

use std::time::Duration;

use tempfile::TempDir;
use trailkeep_catalog::conformance::{cut, head, segment};
use trailkeep_catalog::{Catalog, CommitOutcome, MemoryCatalog, SealCommit, SqliteCatalog};
use trailkeep_event::Micros;

const ROUNDS: i64 = 25;

/// Takes the lease over in each round and seals one frame; returns how many seals were done.
async fn build(catalog: &dyn Catalog, owner: &str) -> u64 {
    let mut n_done = 0;
    for round in 0..ROUNDS {
        let now = Micros(round * 1000);
        let ttl = Duration::from_micros(1);
        let Some(lease) = catalog.acquire("builder", owner, now, ttl).await.unwrap() else {
            continue;
        };
        let from = catalog.snapshot().await.unwrap().cut.0[0];
        let commit = SealCommit {
            from: cut(from),
            to: cut(from + 1),
            segments: vec![segment(&format!("{owner}-{from}"), from, from + 1)],
            heads: vec![head("acme", from + 1)],
            ..SealCommit::default()
        };
        match catalog.commit_seal(&lease, &commit).await.unwrap() {
            CommitOutcome::Committed => n_done += 1,
            CommitOutcome::Fenced | CommitOutcome::Stale => {}
        }
    }
    n_done
}

async fn race(first: &dyn Catalog, second: &dyn Catalog) {
    let before = first.snapshot().await.unwrap().cut.0[0];
    let (n_first, n_second) = tokio::join!(build(first, "a"), build(second, "b"));
    assert!(n_first + n_second > 0, "the last lease taken always commits");
    assert_eq!(first.snapshot().await.unwrap().cut, cut(before + n_first + n_second));
    second.check().await.unwrap();
}

#[tokio::test]
async fn every_commit_of_two_owners_counts_once() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("catalog.db");
    let first = SqliteCatalog::open(&path).await.unwrap();
    let second = SqliteCatalog::open(&path).await.unwrap();
    race(&first, &second).await;
    race(&first, &first.clone()).await;
    let memory = MemoryCatalog::new();
    race(&memory, &memory.reopen()).await;
}
