//! The doctor finds what is damaged, and names it.

use std::path::{Path, PathBuf};

use tempfile::tempdir;

use crate::command::run;
use crate::server::{Server, events, write};

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    write(path, bytes);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn sound_store_is_sound() {
    let folder = tempdir().unwrap();
    write(&folder.path().join("in.ndjson"), events("acme", 0, 300));
    run(folder.path(), "import --data data --format ndjson in.ndjson").ok();
    let said = run(folder.path(), "doctor --data data").ok();
    for check in ["configuration", "permissions", "catalog", "journal", "source-id runs"] {
        assert!(said.contains(&format!("ok    {check}: ")), "{said}");
    }
    assert!(said.contains("segments: 1 with 300 entries"), "{said}");
    let json = run(folder.path(), "doctor --data data --json").ok();
    assert!(json.lines().all(|line| line.starts_with('{')), "{json}");
}

/// One flipped bit in a segment or a run: found and named, exit 10.
#[test]
fn damaged_objects_are_named() {
    let folder = tempdir().unwrap();
    write(&folder.path().join("in.ndjson"), events("acme", 0, 300));
    run(folder.path(), "import --data data --format ndjson in.ndjson").ok();
    for kind in ["seg", "dup"] {
        for path in files(&folder.path().join("data/objects").join(kind)) {
            let middle = std::fs::metadata(&path).unwrap().len() / 2;
            let middle = usize::try_from(middle).unwrap();
            flip(&path, middle);
            let ran = run(folder.path(), "doctor --data data");
            assert!(ran.out.contains("fail  "), "{}: {}", path.display(), ran.out);
            ran.failed(10);
            flip(&path, middle);
        }
    }
    run(folder.path(), "doctor --data data").ok();
}

/// A flipped bit in the journal stops the store; the doctor's cut is the way out and is recorded.
#[test]
fn damaged_journal_is_cut_only_on_demand() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let client = server.client();
    for number in 0..10 {
        client.send_events(events("acme", number, number + 1).as_bytes()).unwrap();
    }
    server.kill();
    let journal = files(&folder.path().join("data/journal")).remove(0);
    // The last written sector of the file: in the last acknowledged event.
    let bytes = std::fs::read(&journal).unwrap();
    let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    flip(&journal, last - 40);

    let message = run(folder.path(), "search --data data").failed(10);
    assert!(message.contains("is damaged at byte "), "{message}");
    let ran = run(folder.path(), "doctor --data data");
    assert!(ran.out.contains("fail  journal: journal file `"), "{}", ran.out);
    ran.failed(10);
    run(folder.path(), "doctor --data data --cut-tail").failed(2);
    let cut = run(folder.path(), "doctor --data data --cut-tail --yes").ok();
    assert!(cut.contains("warn  journal: cut "), "{cut}");
    // The next process that writes records it.
    run(folder.path(), "keys list --data data").ok();
    let count =
        |query: &str| run(folder.path(), &format!("search --data data --count {query}")).ok();
    assert_eq!(count("--account acme"), "9\n");
    assert_eq!(count("'category:system action:journal.tail_cut'"), "1\n");
    run(folder.path(), "doctor --data data").ok();
}

/// A damaged header of a journal file is written again, and nothing is lost.
#[test]
fn damaged_header_is_mended() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    server.client().send_events(events("acme", 0, 10).as_bytes()).unwrap();
    server.kill();
    flip(&files(&folder.path().join("data/journal")).remove(0), 9);
    let message = run(folder.path(), "search --data data").failed(10);
    assert!(message.contains("doctor --cut-tail --yes"), "{message}");
    let said = run(folder.path(), "doctor --data data").failed(10);
    assert!(said.contains("1 check failed"), "{said}");
    let mended = run(folder.path(), "doctor --data data --cut-tail --yes").ok();
    assert!(mended.contains("again; nothing is lost"), "{mended}");
    let count = run(folder.path(), "search --data data --count --account acme").ok();
    assert_eq!(count, "10\n");
}
