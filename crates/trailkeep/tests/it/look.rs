//! Looking at a store changes nothing, and damage is never answered from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::tempdir;

use crate::command::run;
use crate::server::{Server, events, write};

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// What files hold and when they were changed.
fn state(folder: &Path) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let state = files(folder).into_iter().map(|path| {
        let changed_at = std::fs::metadata(&path).unwrap().modified().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        (path, (changed_at, bytes))
    });
    state.collect()
}

/// A copy that cannot be written to, of a server that was killed, is as good as the original.
#[test]
fn looking_changes_nothing() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    server.client().send_events(events("acme", 0, 100).as_bytes()).unwrap();
    server.kill();
    let data = folder.path().join("data");
    let before = state(&data);
    for _run in 0..2 {
        let listed = run(folder.path(), "search --data data --account acme --limit 0 --json").ok();
        assert_eq!(listed.lines().count(), 100);
        let count = run(folder.path(), "search --data data --count status:201").ok();
        assert_eq!(count, "33\n");
        run(folder.path(), "doctor --data data").ok();
    }
    assert!(before == state(&data), "a file was changed");
    // Nothing was lost by looking.
    let server = Server::start(folder.path());
    assert_eq!(server.count("--account acme"), 100);
}

/// Whatever is cut, lost or flipped: the right answer, or exit code 10 and what to do.
#[test]
fn damage_is_exit_10_with_a_way_out() {
    let folder = tempdir().unwrap();
    write(&folder.path().join("in.ndjson"), events("acme", 0, 300));
    run(folder.path(), "import --data data --format ndjson in.ndjson").ok();
    let data = folder.path().join("data");
    let mut n_noticed = 0;
    for path in files(&data) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if ["LOCK", "RESERVE"].contains(&name) || name.ends_with("-shm") {
            continue;
        }
        let sound = std::fs::read(&path).unwrap();
        if sound.is_empty() {
            continue;
        }
        let mut flipped = sound.clone();
        // In the middle of what was written: a journal file is mostly room.
        let written = sound.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        flipped[written / 2] ^= 1;
        let cut = sound[..written / 2].to_vec();
        for damaged in [Some(flipped), Some(cut), None] {
            match &damaged {
                Some(bytes) => write(&path, bytes),
                None => std::fs::remove_file(&path).unwrap(),
            }
            let text = "search --data data --account acme --limit 0 --json 'text:*'";
            let ran = run(folder.path(), &text.replace("text", "metadata.text"));
            let what = format!("{} {:?} {ran:?}", path.display(), damaged.map(|bytes| bytes.len()));
            match ran.code {
                Some(0) => assert_eq!(ran.out.lines().count(), 300, "{what}"),
                // Without its catalog a folder is no store.
                Some(4) => assert!(name == "catalog.sqlite", "{what}"),
                _ => {
                    assert_eq!(ran.code, Some(10), "{what}");
                    assert!(ran.err.contains("doctor") || ran.err.contains("restore"), "{what}");
                    n_noticed += 1;
                }
            }
            write(&path, &sound);
        }
    }
    assert!(n_noticed >= 6, "{n_noticed}");
}

#[test]
fn a_folder_that_is_no_store_is_not_made_one() {
    let folder = tempdir().unwrap();
    write(&folder.path().join("file"), "");
    run(folder.path(), "search --data file").failed(4);
    run(folder.path(), "doctor --data file").failed(4);
    let said = run(folder.path(), "serve --data file/x --listen 127.0.0.1:0").failed(1);
    assert!(said.contains("could not make the data directory"), "{said}");
}
