//! The conformance suite, for each implementation.

use tempfile::TempDir;
use trailkeep_catalog::conformance::{conformance, identity, key};
use trailkeep_catalog::{MemoryCatalog, SqliteCatalog};

#[tokio::test]
async fn memory_conforms() {
    conformance(async || MemoryCatalog::new()).await;
}

#[tokio::test]
async fn sqlite_conforms() {
    let folder = TempDir::new().unwrap();
    let made = std::cell::Cell::new(0);
    conformance(async || {
        made.set(made.get() + 1);
        SqliteCatalog::open(&folder.path().join(format!("{}.db", made.get()))).await.unwrap()
    })
    .await;
}

/// A secret is not printed, neither as a list of bytes nor in hexadecimal.
#[test]
fn secrets_are_not_printed() {
    for printed in [format!("{:?}", identity("store", 0xab)), format!("{:?}", key("k", 0xab))] {
        assert!(!printed.contains("171, 171") && !printed.contains("abab"), "{printed}");
        assert!(printed.contains("****"), "{printed}");
    }
}
