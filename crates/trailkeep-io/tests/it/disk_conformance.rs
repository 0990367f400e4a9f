//! What every disk does alike.

use std::io::ErrorKind;

use trailkeep_io::{DirEntry, Disk, DiskFile, OpenMode, RealDisk, SimDisk};

#[test]
fn the_real_disk_conforms() {
    let folder = tempfile::tempdir().unwrap();
    check(&RealDisk::open(folder.path().join("a/b")).unwrap());
}

#[test]
fn the_simulated_disk_conforms() {
    check(&SimDisk::new(1));
}

#[test]
fn a_real_disk_is_locked_once() {
    let folder = tempfile::tempdir().unwrap();
    let disk = RealDisk::open(folder.path()).unwrap();
    let lock = disk.lock().unwrap();
    let refused = RealDisk::open(folder.path()).unwrap().lock().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WouldBlock);
    drop(lock);
    disk.lock().unwrap();
}

fn check(disk: &dyn Disk) {
    check_files(disk);
    check_names(disk);
    check_refusals(disk);
    let space = disk.space().unwrap();
    assert!(space.free_bytes > 0 && space.free_bytes <= space.total_bytes);
}

fn check_files(disk: &dyn Disk) {
    let file = disk.open("bytes", OpenMode::CreateNew).unwrap();
    assert_eq!(file.len().unwrap(), 0);
    file.write_all_at(b"hello", 0).unwrap();
    file.write_all_at(&[7; 1_500], 1_000).unwrap();
    assert_eq!(file.len().unwrap(), 2_500);
    assert_eq!(read(&*file, 0, 7).unwrap(), b"hello\0\0");
    assert_eq!(read(&*file, 998, 4).unwrap(), [0, 0, 7, 7]);
    assert_eq!(read(&*file, 2_499, 2), Err(ErrorKind::UnexpectedEof));
    assert_eq!(read(&*file, 9_999, 1), Err(ErrorKind::UnexpectedEof));

    // What is cut and grown again is zero.
    file.set_len(1_001).unwrap();
    file.set_len(2_000).unwrap();
    assert_eq!(read(&*file, 1_000, 1_000).unwrap(), [&[7_u8][..], &[0; 999]].concat());
    file.sync().unwrap();

    let reader = disk.open("bytes", OpenMode::Read).unwrap();
    assert!(reader.write_all_at(b"x", 0).is_err());
    let writer = disk.open("bytes", OpenMode::ReadWrite).unwrap();
    writer.write_all_at(b"J", 0).unwrap();
    assert_eq!(read(&*reader, 0, 5).unwrap(), b"Jello");

    // An open file outlives its name.
    disk.remove("bytes").unwrap();
    assert_eq!(read(&*reader, 0, 5).unwrap(), b"Jello");
    assert_eq!(open(disk, "bytes", OpenMode::Read), Err(ErrorKind::NotFound));
}

fn check_names(disk: &dyn Disk) {
    disk.create_dir_all("one/two").unwrap();
    disk.create_dir_all("one/two").unwrap();
    for (path, bytes) in [("one/b", "bb"), ("one/a", "a"), ("one/two/c", "ccc")] {
        let file = disk.open(path, OpenMode::CreateNew).unwrap();
        file.write_all_at(bytes.as_bytes(), 0).unwrap();
    }
    assert_eq!(open(disk, "one/a", OpenMode::CreateNew), Err(ErrorKind::AlreadyExists));
    assert_eq!(
        disk.list("one").unwrap(),
        [entry("a", 1), entry("b", 2), DirEntry { name: "two".into(), bytes: 0, folder: true }]
    );
    assert!(disk.list("").unwrap().iter().any(|entry| entry.name == "one" && entry.folder));

    disk.rename("one/a", "one/b").unwrap();
    disk.rename("one/two/c", "one/d").unwrap();
    disk.rename("one/d", "one/d").unwrap();
    for folder in ["one/two", "one", ""] {
        disk.sync_dir(folder).unwrap();
    }
    assert_eq!(disk.list("one/two").unwrap(), []);
    let names = disk.list("one").unwrap();
    assert_eq!(names[..2], [entry("b", 1), entry("d", 3)]);
}

fn check_refusals(disk: &dyn Disk) {
    for path in ["", "/etc/passwd", "..", "one/../b", "one//b", "one/", ".", "one/./b", "a\0b"] {
        assert_eq!(open(disk, path, OpenMode::Read), Err(ErrorKind::InvalidInput), "{path:?}");
        assert_eq!(disk.rename("one/b", path).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(disk.remove(path).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(open(disk, "none/x", OpenMode::CreateNew), Err(ErrorKind::NotFound));
    assert_eq!(open(disk, "one", OpenMode::Read), Err(ErrorKind::IsADirectory));
    assert_eq!(open(disk, "one/b/c", OpenMode::Read), Err(ErrorKind::NotADirectory));
    assert_eq!(disk.list("none").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(disk.list("one/b").unwrap_err().kind(), ErrorKind::NotADirectory);
    assert_eq!(disk.sync_dir("none").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(disk.remove("one/none").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(disk.rename("one/none", "one/x").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(disk.rename("one/b", "none/x").unwrap_err().kind(), ErrorKind::NotFound);
    assert!(disk.create_dir_all("one/b/c").is_err());
}

fn entry(name: &str, bytes: u64) -> DirEntry {
    DirEntry { name: name.to_owned(), bytes, folder: false }
}

fn open(disk: &dyn Disk, path: &str, mode: OpenMode) -> Result<(), ErrorKind> {
    disk.open(path, mode).map(drop).map_err(|error| error.kind())
}

fn read(file: &dyn DiskFile, offset: u64, n: usize) -> Result<Vec<u8>, ErrorKind> {
    let mut bytes = vec![0xee; n];
    file.read_exact_at(&mut bytes, offset).map_err(|error| error.kind())?;
    Ok(bytes)
}
