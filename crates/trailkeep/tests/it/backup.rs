//! Backup under load, and restore.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use tempfile::tempdir;

use crate::command::run;
use crate::server::{KEY, Server, events, write};

/// A backup taken under load restores to a store that answers the same.
#[test]
fn backup_under_load_restores_to_the_same_answers() {
    let folder = tempdir().unwrap();
    let server = Server::start_busy(folder.path());
    server.client().send_events(events("acme", 0, 2000).as_bytes()).unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let writer = {
        let (client, done) = (server.client(), Arc::clone(&done));
        std::thread::spawn(move || {
            let mut sent = 0;
            while !done.load(Ordering::SeqCst) {
                client.send_events(events("load", sent, sent + 100).as_bytes()).unwrap();
                sent += 100;
            }
        })
    };
    for number in 0..3 {
        let before = server.count("--account load");
        let made = server.run("backup", &format!("b{number} --json")).ok();
        let after = server.count("--account load");
        let made: Value = serde_json::from_str(&made).unwrap();
        run(folder.path(), &format!("backup --verify b{number}")).ok();
        let restored = format!("restore b{number} --data r{number} --config busy.toml --json");
        run(folder.path(), &restored).ok();
        let search = format!("search --config busy.toml --data r{number}");
        let count = |query: &str| -> u64 {
            run(folder.path(), &format!("{search} --count {query}")).ok().trim().parse().unwrap()
        };
        assert!((before..=after).contains(&count("--account load")));
        let listed = run(folder.path(), &format!("{search} --account acme --limit 0 --json")).ok();
        let same = server.run("search", "--account acme --limit 0 --json").ok();
        assert!(listed == same, "the restored store answers something else");
        // The entry that says so is the one that the backup does not have.
        assert_eq!(count("'category:system action:store.restored'"), 1);
        assert_eq!(count(""), made["rows"].as_u64().unwrap() + 1);
    }
    done.store(true, Ordering::SeqCst);
    writer.join().unwrap();
    let refused = server.run("backup", "b0").failed(1);
    assert!(refused.contains("is not empty"), "{refused}");
    drop(server);

    // The restored store takes events, knows its source ids, and survives a restart.
    let arguments = ["--data", "r0", "--config", "busy.toml"];
    let restored = Server::start_with(folder.path(), &arguments);
    let again = restored.client_of(KEY).send_events(events("acme", 1990, 2010).as_bytes()).unwrap();
    assert_eq!((again.accepted, again.duplicates.len()), (10, 10));
    restored.kill();
    let restored = Server::start_with(folder.path(), &arguments);
    assert_eq!(restored.count("--account acme"), 2010);
}

#[test]
fn damaged_backups_are_refused() {
    let folder = tempdir().unwrap();
    write(&folder.path().join("in.ndjson"), events("acme", 0, 100));
    run(folder.path(), "import --data data --format ndjson in.ndjson").ok();
    run(folder.path(), "backup --data data b").ok();
    let objects = folder.path().join("b/objects/seg");
    let object = std::fs::read_dir(objects).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&object).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    write(&object, bytes);
    for verb in ["backup --verify b", "restore b --data r"] {
        let message = run(folder.path(), verb).failed(10);
        assert!(message.contains("is not what was copied"), "{message}");
    }
    assert!(!folder.path().join("r").exists());
    std::fs::remove_file(folder.path().join("b/manifest.json")).unwrap();
    run(folder.path(), "restore b --data r").failed(4);
    run(folder.path(), "restore data --data r").failed(4);
}
