//! Commits that the log lost: the catalog is refused, and what is there left as it is.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;
use trailkeep_catalog::conformance::{cut, key, lease, seal};
use trailkeep_catalog::{Catalog, Error, Result, SqliteCatalog};
use trailkeep_event::Micros;

const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const LOG_FRAME: usize = FRAME_HEADER + 4096;

/// A catalog's files, in a folder of their own.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("catalog.sqlite")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("catalog.sqlite-wal")
    }

    fn mark(&self) -> PathBuf {
        self.folder.path().join("catalog.mark")
    }

    /// Copies the files as a crash would leave them.
    fn crash(&self) -> Self {
        let left = Self::new();
        let pairs = [
            (self.database(), left.database()),
            (self.log(), left.log()),
            (self.mark(), left.mark()),
        ];
        for (from, to) in pairs {
            if from.exists() {
                fs::copy(from, to).unwrap();
            }
        }
        left
    }

    async fn open(&self) -> Result<SqliteCatalog> {
        SqliteCatalog::open(&self.database()).await
    }
}

fn overwrite(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}

/// Makes a catalog whose log holds a seal and the revocation of a key, and nothing else.
async fn revoked(files: &Files) -> SqliteCatalog {
    let catalog = files.open().await.unwrap();
    let lease = lease(&catalog, "a").await;
    catalog.create_key(&key("k", 1)).await.unwrap();
    catalog.close().await.unwrap();
    let catalog = files.open().await.unwrap();
    catalog.commit_seal(&lease, &seal(0, 3)).await.unwrap();
    assert!(catalog.revoke_key("k", Micros(50)).await.unwrap());
    catalog
}

async fn assert_revoked(catalog: &SqliteCatalog) {
    assert_eq!(catalog.keys().await.unwrap()[0].revoked_at, Some(Micros(50)));
    assert_eq!(catalog.snapshot().await.unwrap().cut, cut(3));
    catalog.check().await.unwrap();
}

fn assert_refused(opened: Result<SqliteCatalog>, part: &str, name: &str) {
    let Err(Error::Damaged { detail, .. }) = opened else { panic!("{name}: {opened:?}") };
    assert!(detail.contains(part) && detail.contains("restore a backup"), "{name}: {detail}");
}

/// A revoked key does not come back: one flipped bit anywhere in the log makes the database drop
/// a commit and all behind it, and the catalog is refused.
#[tokio::test]
async fn a_flipped_bit_in_the_log_is_refused() {
    let files = Files::new();
    let _catalog = revoked(&files).await;
    let log = fs::read(files.log()).unwrap();
    assert!(log.len() > LOG_HEADER + 3 * LOG_FRAME, "{}", log.len());
    let sampled = |at: &usize| match at.checked_sub(LOG_HEADER) {
        None => true,
        Some(at) => at % LOG_FRAME < FRAME_HEADER || at % 229 == 0,
    };
    for at in (0..log.len()).filter(sampled) {
        let left = files.crash();
        let mut damaged = log.clone();
        damaged[at] ^= 1 << (at % 8);
        overwrite(&left.log(), &damaged);
        assert_refused(left.open().await, "were committed", &format!("byte {at}"));
        assert_eq!(fs::read(left.log()).unwrap(), damaged, "byte {at}: left as it is");
    }
    assert_revoked(&files.crash().open().await.unwrap()).await;
}

#[tokio::test]
async fn a_lost_log_or_mark_is_refused() {
    let files = Files::new();
    let catalog = revoked(&files).await;
    let left = files.crash();
    fs::remove_file(left.log()).unwrap();
    assert_refused(left.open().await, "3 changes, but 5 were committed", "no log");

    let left = files.crash();
    fs::remove_file(left.log()).unwrap();
    fs::remove_file(left.database()).unwrap();
    assert_refused(left.open().await, "0 changes, but 5 were committed", "nothing but a mark");
    assert!(!left.database().exists(), "no new one is made in its place");

    let left = files.crash();
    fs::remove_file(left.mark()).unwrap();
    assert_refused(left.open().await, "catalog.mark` is missing", "no mark");

    let left = files.crash();
    let mut mark = fs::read(left.mark()).unwrap();
    mark[4] ^= 1;
    mark[4100] ^= 1;
    overwrite(&left.mark(), &mark);
    assert_refused(left.open().await, "catalog.mark` cannot be read", "a damaged mark");
    drop(catalog);
}

/// What a crash between a commit and its mark leaves, and what a copy is: whole.
#[tokio::test]
async fn an_old_mark_or_none_beside_a_whole_file_is_raised() {
    let files = Files::new();
    let catalog = files.open().await.unwrap();
    catalog.create_key(&key("k", 1)).await.unwrap();
    let mark = fs::read(files.mark()).unwrap();
    catalog.close().await.unwrap();
    let catalog = files.open().await.unwrap();
    assert!(catalog.revoke_key("k", Micros(50)).await.unwrap());
    let left = files.crash();
    overwrite(&left.mark(), &mark);
    let opened = left.open().await.unwrap();
    assert_eq!(opened.keys().await.unwrap()[0].revoked_at, Some(Micros(50)));
    assert_eq!(fs::read(left.mark()).unwrap(), fs::read(files.mark()).unwrap());

    catalog.close().await.unwrap();
    assert!(!files.log().exists(), "an orderly close leaves one file");
    let copy = files.crash();
    fs::remove_file(copy.mark()).unwrap();
    let opened = copy.open().await.unwrap();
    assert_eq!(opened.keys().await.unwrap()[0].revoked_at, Some(Micros(50)));
    opened.create_key(&key("l", 2)).await.unwrap();
    fs::remove_file(copy.log()).unwrap();
    assert_refused(copy.crash().open().await, "were committed", "a copy has a mark of its own");
}

/// A catalog of version 1 has neither a count nor a mark.
#[tokio::test]
async fn a_catalog_of_version_1_gets_a_mark() {
    let files = Files::new();
    revoked(&files).await.close().await.unwrap();
    fs::remove_file(files.mark()).unwrap();
    let path = format!("sqlite://{}", files.database().display());
    let mut old = SqliteConnection::connect(&path).await.unwrap();
    let back = "DROP TABLE changes; UPDATE schema_version SET version = 1";
    sqlx::raw_sql(back).execute(&mut old).await.unwrap();
    let left = files.crash();
    assert!(left.log().exists());
    let catalog = left.open().await.unwrap();
    assert_revoked(&catalog).await;
    assert!(left.mark().exists());
}
