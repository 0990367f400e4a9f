//! The same store on a real disk with the catalog of a server.

use std::sync::Arc;

use tokio::runtime::Builder;
use trailkeep_catalog::SqliteCatalog;
use trailkeep_ingest::Env;
use trailkeep_io::{Disk, DiskStore, RealDisk, SystemClock, SystemEntropy};

use crate::machine::{Running, event, identified, small};
use crate::stored::Stored;

#[test]
fn a_store_on_a_real_disk_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let runtime =
            Arc::new(Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());
        let disk: Arc<dyn Disk> = Arc::new(RealDisk::open(folder.path()).unwrap());
        let path = folder.path().join("catalog.db");
        let catalog = SqliteCatalog::open(&path);
        let env = Env {
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(SystemEntropy),
            objects: Arc::new(DiskStore::new(Arc::clone(&disk), "objects")),
            disk,
            catalog: Arc::new(runtime.block_on(catalog).unwrap()),
            runtime: runtime.handle().clone(),
        };
        Running::open(env, small(), runtime).unwrap()
    };
    let running = open();
    let first = running.submit(&[identified("acme", "a"), event("globex", "b")]).unwrap();
    running.store.flush().unwrap();
    running.submit(&[event("acme", "c")]).unwrap();
    running.close().unwrap();

    let running = open();
    let again = running.submit(&[identified("acme", "a")]).unwrap();
    assert_eq!(again.duplicates, [(0, first.ids[0].unwrap())]);
    let stored = Stored::of(&running.store);
    stored.check(&running.store);
    assert_eq!(stored.len(), 3);
    running.close().unwrap();
}
