//! Power cuts: whatever is left of the log's end, the catalog opens at a commit.

use std::io::Write;
use std::path::Path;

use tempfile::TempDir;
use trailkeep_catalog::conformance::{cut, head, lease, run, seal, segment};
use trailkeep_catalog::{Catalog, CommitOutcome, Error, SqliteCatalog};
use trailkeep_event::Micros;

const LOG_HEADER: u64 = 32;
const LOG_FRAME: u64 = 24 + 4096;

fn log_of(path: &Path) -> std::path::PathBuf {
    path.with_extension("db-wal")
}

fn mark_of(path: &Path) -> std::path::PathBuf {
    path.with_extension("mark")
}

/// How long the log is, and the mark, after a commit.
fn after_commit(path: &Path) -> (u64, Vec<u8>) {
    (std::fs::metadata(log_of(path)).unwrap().len(), std::fs::read(mark_of(path)).unwrap())
}

/// Promise 1 for seals: a cut at any write of the log leaves the last commit whose end is before
/// it, and nothing of the next. With the mark of a later commit, that commit was answered, and
/// the catalog is refused.
#[tokio::test]
async fn a_power_cut_at_any_write_leaves_a_commit() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("catalog.db");
    let catalog = SqliteCatalog::open(&path).await.unwrap();
    let lease = lease(&catalog, "a").await;
    let mut commits = vec![after_commit(&path)];
    for frame in 0..4 {
        let outcome = catalog.commit_seal(&lease, &seal(frame, frame + 1)).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed);
        commits.push(after_commit(&path));
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
        .filter(|length| *length >= commits[0].0 && *length <= end)
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
        let n_answered = commits.iter().filter(|(end, _mark)| *end <= length).count();
        if let Some((_end, later)) = commits.get(n_answered) {
            std::fs::File::create(mark_of(&copy)).unwrap().write_all(later).unwrap();
            let refused = SqliteCatalog::open(&copy).await;
            assert!(matches!(refused, Err(Error::Damaged { .. })), "{length}: {refused:?}");
        }
        let (_end, mark) = &commits[n_answered - 1];
        std::fs::File::create(mark_of(&copy)).unwrap().write_all(mark).unwrap();
        let reopened = SqliteCatalog::open(&copy).await.unwrap();
        reopened.check().await.unwrap();
        let n_seals = u64::try_from(n_answered).unwrap() - 1;
        assert_eq!(reopened.snapshot().await.unwrap().cut, cut(n_seals), "{length} of {end}");
        let heads = reopened.heads().await.unwrap();
        assert_eq!(heads.first(), (n_seals > 0).then(|| head("acme", n_seals)).as_ref());
    }
}
