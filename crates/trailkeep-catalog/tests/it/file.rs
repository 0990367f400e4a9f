//! The catalog's file: reopening, backup, files of others.

use std::path::Path;

use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;
use trailkeep_catalog::conformance::{account, cut, head, identity, key, lease, seal};
use trailkeep_catalog::{Catalog, CommitOutcome, Error, MemoryCatalog, SqliteCatalog};

async fn filled(catalog: &dyn Catalog) {
    catalog.identity(&identity("store", 1)).await.unwrap();
    let lease = lease(catalog, "a").await;
    let outcome = catalog.commit_seal(&lease, &seal(0, 3)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
    catalog.create_key(&key("k", 4)).await.unwrap();
    catalog.set_setting("logging", "{}").await.unwrap();
}

async fn assert_filled(catalog: &dyn Catalog) {
    catalog.check().await.unwrap();
    let stored = catalog.identity(&identity("another", 2)).await.unwrap();
    assert_eq!(stored, identity("store", 1));
    let snapshot = catalog.snapshot().await.unwrap();
    assert_eq!(snapshot.cut, cut(3));
    assert_eq!(snapshot.segments, seal(0, 3).segments);
    assert_eq!(snapshot.runs, seal(0, 3).runs);
    assert_eq!(catalog.heads().await.unwrap(), [head("acme", 3)]);
    assert_eq!(catalog.accounts().await.unwrap(), [account("acme")]);
    assert_eq!(catalog.keys().await.unwrap(), [key("k", 4)]);
    assert_eq!(catalog.setting("logging").await.unwrap().as_deref(), Some("{}"));
}

async fn execute(path: &Path, sql: &'static str) {
    let mut connection =
        SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", path.display())).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn reopening_keeps_everything() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("catalog.db");
    filled(&SqliteCatalog::open(&path).await.unwrap()).await;
    let reopened = SqliteCatalog::open(&path).await.unwrap();
    assert_filled(&reopened).await;
    assert_eq!(lease(&reopened, "a").await.epoch, 2);
}

#[tokio::test]
async fn a_backup_of_a_live_catalog_opens() {
    let folder = TempDir::new().unwrap();
    let catalog = SqliteCatalog::open(&folder.path().join("catalog.db")).await.unwrap();
    filled(&catalog).await;
    let copy = folder.path().join("it's a copy.db");
    catalog.backup_to(&copy).await.unwrap();
    let lease = lease(&catalog, "a").await;
    catalog.commit_seal(&lease, &seal(3, 4)).await.unwrap();
    assert_filled(&SqliteCatalog::open(&copy).await.unwrap()).await;
    let refused = catalog.backup_to(&copy).await;
    assert!(matches!(refused, Err(Error::Backup { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_backup_of_memory_is_json() {
    let folder = TempDir::new().unwrap();
    let catalog = MemoryCatalog::new();
    filled(&catalog).await;
    let copy = folder.path().join("catalog.json");
    catalog.backup_to(&copy).await.unwrap();
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&copy).unwrap()).unwrap();
    assert_eq!(json["segments"][0]["id"], "s0-3");
    assert_eq!(json["identity"]["store_id"], "store");
    assert!(matches!(catalog.backup_to(&copy).await, Err(Error::Backup { .. })));
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("catalog.db");
    filled(&SqliteCatalog::open(&path).await.unwrap()).await;
    execute(&path, "UPDATE schema_version SET version = 99").await;
    let refused = SqliteCatalog::open(&path).await;
    assert!(matches!(refused, Err(Error::NewerSchema { found: 99, known: 2, .. })), "{refused:?}");
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("version 99") && message.contains("newer program"), "{message}");
    execute(&path, "UPDATE schema_version SET version = 2").await;
    assert_filled(&SqliteCatalog::open(&path).await.unwrap()).await;
}

#[tokio::test]
async fn a_file_of_something_else_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("text.db");
    std::fs::File::create(&path).unwrap().set_len(0).unwrap();
    SqliteCatalog::open(&path).await.unwrap().check().await.unwrap();

    let path = folder.path().join("noise.db");
    std::fs::copy(std::env::current_exe().unwrap(), &path).unwrap();
    let refused = SqliteCatalog::open(&path).await;
    assert!(matches!(refused, Err(Error::Damaged { .. })), "{refused:?}");

    let path = folder.path().join("other.db");
    execute(&path, "CREATE TABLE wages (name TEXT, amount BIGINT)").await;
    let refused = SqliteCatalog::open(&path).await;
    assert!(matches!(refused, Err(Error::NotACatalog { .. })), "{refused:?}");

    let refused = SqliteCatalog::open(&folder.path().join("no/such/folder.db")).await;
    assert!(matches!(refused, Err(Error::Open { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_check_finds_what_cannot_be() {
    let cases = [
        "DELETE FROM segments",
        "DELETE FROM cuts WHERE partition_no = 3",
        "UPDATE cuts SET frame = 4 WHERE partition_no = 3",
        "UPDATE segments SET cut_to = '1,2'",
        "UPDATE segments SET min_at = max_at + 1",
        "UPDATE api_keys SET read_scope = '{}'",
        "UPDATE api_keys SET token_hash = 'xyz'",
    ];
    for damage in cases {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("catalog.db");
        filled(&SqliteCatalog::open(&path).await.unwrap()).await;
        execute(&path, damage).await;
        let found = SqliteCatalog::open(&path).await.unwrap().check().await;
        assert!(matches!(found, Err(Error::Damaged { .. })), "{damage}: {found:?}");
    }
}

/// A flipped page stops the catalog: what it read before cannot be trusted either.
#[tokio::test]
async fn a_damaged_page_stops_the_catalog() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("catalog.db");
    filled(&SqliteCatalog::open(&path).await.unwrap()).await;
    execute(&path, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    let length = std::fs::metadata(&path).unwrap().len();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let garbage = vec![0xa5_u8; usize::try_from(length - 4096).unwrap()];
    std::os::unix::fs::FileExt::write_all_at(&file, &garbage, 4096).unwrap();
    drop(file);
    let opened = SqliteCatalog::open(&path).await;
    let Ok(catalog) = opened else {
        assert!(matches!(opened, Err(Error::Damaged { .. })), "{opened:?}");
        return;
    };
    let found = catalog.snapshot().await;
    assert!(matches!(found, Err(Error::Damaged { .. })), "{found:?}");
    let refused = catalog.heads().await;
    assert!(matches!(refused, Err(Error::Stopped { .. })), "{refused:?}");
}
