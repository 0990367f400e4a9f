//! Power cuts: whatever is left of the log's end, the catalog opens at a commit.

use std::path::Path;

use tempfile::TempDir;
use trailkeep_catalog::conformance::{cut, head, lease, run, seal, segment};
use trailkeep_catalog::{Catalog, CommitOutcome, SqliteCatalog};
use trailkeep_event::Micros;

const LOG_HEADER: u64 = 32;
const LOG_FRAME: u64 = 24 + 4096;

fn log_of(path: &Path) -> std::path::PathBuf {
    path.with_extension("db-wal")
}

/// Promise 1 for seals: a cut at any write of the log leaves the last commit whose end is before
/// it, and nothing of the next.
#[tokio::test]
async fn a_power_cut_at_any_write_leaves_a_commit() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("catalog.db");
    let catalog = SqliteCatalog::open(&path).await.unwrap();
    let lease = lease(&catalog, "a").await;
    let mut log_ends = vec![std::fs::metadata(log_of(&path)).unwrap().len()];
    for frame in 0..4 {
        let outcome = catalog.commit_seal(&lease, &seal(frame, frame + 1)).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed);
        log_ends.push(std::fs::metadata(log_of(&path)).unwrap().len());
    }
    let removed = ["r0-1".to_owned(), "r1-2".to_owned()];
    catalog.swap_runs(&lease, &removed, &[run("big")], Micros(9)).await.unwrap();
    let removed = ["s0-1".to_owned(), "s1-2".to_owned()];
    let added = [segment("big", 0, 2)];
    catalog.swap_segments(&lease, &removed, &added, Micros(9)).await.unwrap();
    let end = std::fs::metadata(log_of(&path)).unwrap().len();

    let mut lengths: Vec<u64> = (0..=end / LOG_FRAME)
        .map(|n| LOG_HEADER + n * LOG_FRAME)
        .flat_map(|length| [length, length + 24, length + 1000])
        .filter(|length| *length >= log_ends[0] && *length <= end)
        .collect();
    lengths.push(end);
    assert!(lengths.len() > 20, "{lengths:?}");
    for length in lengths {
        let left = TempDir::new().unwrap();
        let copy = left.path().join("catalog.db");
        std::fs::copy(&path, &copy).unwrap();
        std::fs::copy(log_of(&path), log_of(&copy)).unwrap();
        let log = std::fs::OpenOptions::new().write(true).open(log_of(&copy)).unwrap();
        log.set_len(length).unwrap();
        let reopened = SqliteCatalog::open(&copy).await.unwrap();
        reopened.check().await.unwrap();
        let n_ends = log_ends.iter().filter(|end| **end <= length).count();
        let n_seals = u64::try_from(n_ends).unwrap() - 1;
        assert_eq!(reopened.snapshot().await.unwrap().cut, cut(n_seals), "{length} of {end}");
        let heads = reopened.heads().await.unwrap();
        assert_eq!(heads.first(), (n_seals > 0).then(|| head("acme", n_seals)).as_ref());
    }
}
