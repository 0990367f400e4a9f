//! Objects on disks.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::executor::block_on;
use futures::{StreamExt, TryStreamExt};
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetRange, MultipartUpload, ObjectStore,
    ObjectStoreExt, PutMode, PutOptions, PutPayload, path::Path,
};
use trailkeep_io::{
    DirEntry, Disk, DiskFile, DiskStore, Fault, FaultKind, FaultOp, OpenMode, RealDisk, SimDisk,
    Space,
};

#[test]
fn a_store_on_the_real_disk_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(RealDisk::open(folder.path()).unwrap());
    block_on(check(&DiskStore::new(disk, "objects")));
}

#[test]
fn a_store_on_the_simulated_disk_conforms() {
    block_on(check(&DiskStore::new(Arc::new(SimDisk::new(1)), "deep/objects")));
    block_on(check(&DiskStore::new(Arc::new(SimDisk::new(1)), "")));
}

async fn check(store: &DiskStore) {
    assert_eq!(list(store, None).await, [""; 0]);
    check_objects(store).await;
    check_listing(store).await;
    check_copies(store).await;
    check_upload(store).await;
}

async fn check_objects(store: &DiskStore) {
    let key = Path::from("a/one");
    assert!(matches!(store.get(&key).await, Err(Error::NotFound { .. })));
    store.put(&key, "0123456789".into()).await.unwrap();
    assert_eq!(store.get(&key).await.unwrap().bytes().await.unwrap(), "0123456789");
    assert_eq!(store.get_range(&key, 2..5).await.unwrap(), "234");
    let ranges = store.get_ranges(&key, &[0..1, 7..10]).await.unwrap();
    assert_eq!(ranges, ["0", "789"]);
    for (range, expected) in [(GetRange::Suffix(3), "789"), (GetRange::Offset(8), "89")] {
        let options = GetOptions { range: Some(range), ..GetOptions::default() };
        let result = store.get_opts(&key, options).await.unwrap();
        assert_eq!(result.bytes().await.unwrap(), expected);
    }
    assert!(matches!(store.get_range(&key, 10..11).await, Err(Error::Generic { .. })));
    let head = store.head(&key).await.unwrap();
    assert_eq!((head.location, head.size), (key.clone(), 10));

    // Create-only never replaces; overwriting does.
    let refused = put_new(store, &key, "other").await;
    assert!(matches!(refused, Err(Error::AlreadyExists { path, .. }) if path == "a/one"));
    store.put(&key, "new".into()).await.unwrap();
    assert_eq!(store.get(&key).await.unwrap().bytes().await.unwrap(), "new");
    put_new(store, &Path::from("a/empty"), "").await.unwrap();
    let empty = store.get(&Path::from("a/empty")).await.unwrap();
    assert_eq!(empty.bytes().await.unwrap(), "");

    store.delete(&key).await.unwrap();
    assert!(matches!(store.head(&key).await, Err(Error::NotFound { .. })));
    assert!(matches!(store.delete(&key).await, Err(Error::NotFound { .. })));
    store.delete(&Path::from("a/empty")).await.unwrap();

    // The names of unfinished files are not keys.
    assert!(store.put(&Path::from("a/x.tmp"), "x".into()).await.is_err());
    let update = PutMode::Update(object_store::UpdateVersion { e_tag: None, version: None });
    let updated = store.put_opts(&key, "x".into(), PutOptions::from(update)).await;
    assert!(matches!(updated, Err(Error::NotImplemented { .. })));
}

async fn check_listing(store: &DiskStore) {
    for key in ["s/2-b", "s/2/c", "s/1", "t/3"] {
        store.put(&Path::from(key), key.into()).await.unwrap();
    }
    assert_eq!(list(store, None).await, ["s/1", "s/2-b", "s/2/c", "t/3"]);
    assert_eq!(list(store, Some("s/2")).await, ["s/2/c"]);
    assert_eq!(list(store, Some("s/1")).await, [""; 0]);
    assert_eq!(list(store, Some("none")).await, [""; 0]);
    let level = store.list_with_delimiter(Some(&Path::from("s"))).await.unwrap();
    assert_eq!(level.common_prefixes, [Path::from("s/2")]);
    let objects = level.objects.iter().map(|meta| (meta.location.as_ref(), meta.size));
    assert_eq!(objects.collect::<Vec<_>>(), [("s/1", 3), ("s/2-b", 5)]);
    let after = store.list_with_offset(None, &Path::from("s/2-b"));
    assert_eq!(after.count().await, 2);
}

async fn check_copies(store: &DiskStore) {
    let (from, to, moved) = (Path::from("s/1"), Path::from("u/copy"), Path::from("v/moved"));
    store.copy(&from, &to).await.unwrap();
    let create = CopyOptions { mode: CopyMode::Create, ..CopyOptions::default() };
    let refused = store.copy_opts(&from, &to, create).await;
    assert!(matches!(refused, Err(Error::AlreadyExists { path, .. }) if path == "u/copy"));
    let refused = store.rename_if_not_exists(&from, &to).await;
    assert!(matches!(refused, Err(Error::AlreadyExists { .. })));
    store.rename(&to, &moved).await.unwrap();
    assert_eq!(store.get(&moved).await.unwrap().bytes().await.unwrap(), "s/1");
    let missing = store.rename(&to, &moved).await;
    assert!(matches!(missing, Err(Error::NotFound { path, .. }) if path == "u/copy"));
    let all = store.list(None).map_ok(|meta| meta.location).boxed();
    store.delete_stream(all).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(list(store, None).await, [""; 0]);
}

async fn check_upload(store: &DiskStore) {
    let key = Path::from("big/one");
    let mut upload = store.put_multipart(&key).await.unwrap();
    upload.put_part("first ".into()).await.unwrap();
    upload.put_part(PutPayload::from_iter(["sec", "ond"].map(bytes::Bytes::from))).await.unwrap();
    assert_eq!(list(store, None).await, [""; 0]);
    upload.complete().await.unwrap();
    assert_eq!(store.get(&key).await.unwrap().bytes().await.unwrap(), "first second");
    assert!(upload.put_part("late".into()).await.is_err());
    assert!(upload.complete().await.is_err());

    let mut upload = store.put_multipart(&Path::from("big/two")).await.unwrap();
    upload.put_part("gone".into()).await.unwrap();
    upload.abort().await.unwrap();
    assert_eq!(store.remove_leftovers().unwrap(), 0);
    assert_eq!(list(store, None).await, ["big/one"]);
    store.delete(&key).await.unwrap();
}

/// Promise 1 for objects: whole and durable, or absent, wherever the power goes.
#[test]
fn an_object_is_whole_and_durable_or_absent() {
    let key = Path::from("2026/segment");
    let bytes = "x".repeat(3_000);
    let ops = [FaultOp::Write, FaultOp::Sync, FaultOp::SyncDir, FaultOp::Open, FaultOp::Rename];
    for (op, nth) in ops.into_iter().flat_map(|op| (1..=4).map(move |nth| (op, nth))) {
        for kind in [FaultKind::NotDone, FaultKind::Done, FaultKind::NoSpace, FaultKind::PowerOff] {
            for seed in 0..8 {
                let disk = SimDisk::new(seed);
                // A killed process left the folder without syncing it.
                disk.create_dir_all("objects/2026").unwrap();
                disk.arm(Fault { op, nth, kind });
                let store = DiskStore::new(Arc::new(disk.clone()), "objects");
                let answer = block_on(put_new(&store, &key, &bytes));

                let survived = disk.power_cut();
                let store = DiskStore::new(Arc::new(survived.clone()), "objects");
                store.remove_leftovers().unwrap();
                let found = block_on(async { store.get(&key).await?.bytes().await });
                match (answer, found) {
                    (_, Ok(found)) => assert_eq!(found, bytes),
                    (Err(_), Err(Error::NotFound { .. })) => {}
                    (answer, found) => panic!("{op:?} {nth} {kind:?}: {answer:?}, {found:?}"),
                }
                assert!(block_on(list(&store, None)).len() <= 1);
            }
        }
    }
}

#[test]
fn a_part_that_fails_ends_its_upload() {
    let disk = SimDisk::new(1);
    let store = DiskStore::new(Arc::new(disk.clone()), "objects");
    block_on(async {
        let mut upload = store.put_multipart(&Path::from("one")).await.unwrap();
        disk.arm(Fault { op: FaultOp::Write, nth: 1, kind: FaultKind::NoSpace });
        assert!(upload.put_part("a".into()).await.is_err());
        assert!(upload.put_part("b".into()).await.is_err());
        assert!(upload.complete().await.is_err());
    });
    assert_eq!(disk.list("objects").unwrap(), []);
}

#[test]
fn leftovers_are_hidden_and_removed() {
    let disk = SimDisk::new(1);
    for path in ["objects/a.0.tmp", "objects/deep/b.7.tmp", "objects/deep/c"] {
        disk.write_raw(path, b"x").unwrap();
    }
    let store = DiskStore::new(Arc::new(disk.clone()), "objects");
    assert_eq!(block_on(list(&store, None)), ["deep/c"]);
    assert_eq!(store.remove_leftovers().unwrap(), 2);
    assert!(disk.open("objects/a.0.tmp", OpenMode::Read).is_err());
    assert_eq!(block_on(list(&store, None)), ["deep/c"]);
}

/// Of those who create one object at the same moment, one does.
#[test]
fn creation_has_one_winner() {
    let disk = SlowToAnswer { disk: SimDisk::new(1), n_absent: AtomicU64::new(0) };
    let store = DiskStore::new(Arc::new(disk), "objects");
    let create = |text: &str| block_on(put_new(&store, &Path::from("one"), text)).is_ok();
    let (left, right) = std::thread::scope(|scope| {
        let left = scope.spawn(|| create("left"));
        (create("right"), left.join().unwrap())
    });
    assert_ne!(left, right);
}

/// A disk on which the answer that a file is absent takes long enough for a second to ask.
#[derive(Debug)]
struct SlowToAnswer {
    disk: SimDisk,
    n_absent: AtomicU64,
}

impl Disk for SlowToAnswer {
    fn open(&self, path: &str, mode: OpenMode) -> io::Result<Box<dyn DiskFile>> {
        let opened = self.disk.open(path, mode);
        if opened.is_err() && mode == OpenMode::Read {
            self.n_absent.fetch_add(1, Ordering::SeqCst);
            let met = |_: &u32| self.n_absent.load(Ordering::SeqCst) == 2;
            (0..10_000).inspect(|_| std::thread::yield_now()).find(met);
        }
        opened
    }

    fn list(&self, folder: &str) -> io::Result<Vec<DirEntry>> {
        self.disk.list(folder)
    }

    fn create_dir_all(&self, folder: &str) -> io::Result<()> {
        self.disk.create_dir_all(folder)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn sync_dir(&self, folder: &str) -> io::Result<()> {
        self.disk.sync_dir(folder)
    }

    fn space(&self) -> io::Result<Space> {
        self.disk.space()
    }
}

async fn put_new(store: &DiskStore, key: &Path, text: &str) -> object_store::Result<()> {
    let options = PutOptions::from(PutMode::Create);
    store.put_opts(key, text.to_owned().into(), options).await.map(drop)
}

async fn list(store: &DiskStore, prefix: Option<&str>) -> Vec<String> {
    let prefix = prefix.map(Path::from);
    let listed = store.list(prefix.as_ref()).map_ok(|meta| meta.location.to_string());
    listed.try_collect().await.unwrap()
}
