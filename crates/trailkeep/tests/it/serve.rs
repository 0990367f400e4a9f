//! Starting, crashing and stopping.

use std::process::Stdio;

use tempfile::tempdir;

use crate::command::{run, trailkeep};
use crate::server::{KEY, Server, events, write};

/// Promise 1: what was acknowledged survives a kill at any moment, once, and is found by both
/// ways in.
#[test]
fn acknowledged_events_survive_a_kill() {
    let folder = tempdir().unwrap();
    let server = Server::start_busy(folder.path());
    let client = server.client();
    for batch in 0..20 {
        let sent = client.send_events(events("acme", batch * 50, batch * 50 + 50).as_bytes());
        assert_eq!(sent.unwrap().accepted, 50);
    }
    server.kill();

    let server = Server::start_busy(folder.path());
    assert_eq!(server.count("--account acme"), 1000);
    assert_eq!(server.count("--account acme status:201"), 333);
    let again = server.client().send_events(events("acme", 0, 1000).as_bytes()).unwrap();
    assert_eq!((again.accepted, again.duplicates.len()), (0, 1000));
    let found = server.run("search", "--account acme metadata.number:777 --json").ok();
    assert_eq!(found.lines().count(), 1);
    assert!(found.contains("\"source_id\":\"acme-777\""), "{found}");
    let all = server.run("search", "--account acme --limit 0 --order asc --json").ok();
    let times: Vec<&str> =
        all.lines().map(|line| line.split("occurred_at\":\"").nth(1).unwrap()).collect();
    assert_eq!(times.len(), 1000);
    assert!(times.is_sorted_by_key(|time| time.get(..24).unwrap()));

    let (code, log) = server.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("the store is closed"), "{log}");
    let count = run(folder.path(), "search --data data --account acme --count").ok();
    assert_eq!(count, "1000\n");
}

#[test]
fn one_process_holds_the_data_directory() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    for verb in ["search", "serve --listen 127.0.0.1:0", "doctor", "keys list"] {
        let message = run(folder.path(), &format!("{verb} --data data")).failed(1);
        assert!(message.contains("is in use by process "), "{verb}: {message}");
    }
    let (code, _log) = server.stop();
    assert_eq!(code, Some(0));
}

#[test]
fn first_start_shows_a_key_once() {
    let folder = tempdir().unwrap();
    let mut child = trailkeep(folder.path())
        .args(["serve", "--data", "data", "--listen", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    while !text.contains("\n  tk_") {
        use std::io::BufRead;
        assert!(log.read_line(&mut text).unwrap() > 0, "{text}");
    }
    let token = text.lines().last().unwrap().trim().to_owned();
    child.kill().unwrap();
    child.wait().unwrap();

    // It is good after a restart, and the environment's key is not taken any more.
    let server = Server::start(folder.path());
    assert!(server.client_of(&token).get("/api/v1/keys", &[]).is_ok());
    assert!(server.client_of(KEY).get("/api/v1/keys", &[]).is_err());
    let (_code, log) = server.stop();
    assert!(!log.contains(&token));
    let entries = run(folder.path(), "search --data data action:key.created --json").ok();
    assert_eq!(entries.lines().count(), 1, "{entries}");
    assert!(!entries.contains(&token) && entries.contains("\"category\":\"system\""), "{entries}");
}

#[test]
fn bootstrap_keys_are_checked() {
    let folder = tempdir().unwrap();
    let start = |name: &str, value: &str| {
        let mut command = trailkeep(folder.path());
        command.args(["serve", "--data", "data", "--listen", "127.0.0.1:0"]).env(name, value);
        crate::command::finish(&mut command)
    };
    let message = start("TRAILKEEP_BOOTSTRAP_KEY", "short").failed(2);
    assert!(message.contains("fewer than 32 bytes"), "{message}");
    assert!(!message.contains("short\n"), "{message}");
    start("TRAILKEEP_BOOTSTRAP_KEY_FILE", "nowhere").failed(2);
}

#[test]
fn plain_http_stays_on_loopback() {
    let folder = tempdir().unwrap();
    let message = run(folder.path(), "serve --data data --listen 0.0.0.0:0").failed(2);
    assert!(message.contains("refused to serve plain HTTP"), "{message}");
    assert!(!folder.path().join("data").exists());
    let message = run(folder.path(), "serve --data data --admin-listen 0.0.0.0:0").failed(2);
    assert!(message.contains("`server.admin_listen` is a loopback address"), "{message}");
}

/// A key that is shown for a server that never ran would be lost: the next start shows one.
#[test]
fn no_key_is_made_before_the_address_is_ours() {
    let folder = tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let serve = format!("serve --data data --listen {}", taken.local_addr().unwrap());
    let said = run(folder.path(), &serve).failed(1);
    assert!(said.contains("could not listen on"), "{said}");
    assert!(!said.contains("tk_"), "{said}");
    assert_eq!(run(folder.path(), "keys list --data data").ok(), "");
}

/// What the disk has no room for is said at the start, not when the first event is refused.
#[test]
fn a_disk_without_room_is_named_at_the_start() {
    let folder = tempdir().unwrap();
    write(&folder.path().join("huge.toml"), "[disk]\nreserve_bytes = \"1000 TiB\"\n");
    let serve = "serve --data data --listen 127.0.0.1:0 --config";
    let said = run(folder.path(), &format!("{serve} huge.toml")).failed(1);
    assert!(said.contains("MiB free, and a new store needs 1048576"), "{said}");
    assert!(said.contains("disk.reserve_bytes smaller"), "{said}");
    let marks = "[disk]\nhigh_bytes = \"1000 TiB\"\nlow_bytes = \"1000 TiB\"\n";
    write(&folder.path().join("full.toml"), marks);
    let server = Server::start_with(folder.path(), &["--data", "data", "--config", "full.toml"]);
    let (_code, log) = server.stop();
    assert!(log.contains("less than disk.low_bytes"), "{log}");
}

#[test]
fn demonstration_is_there_and_filled_once() {
    let folder = tempdir().unwrap();
    for _start in 0..2 {
        let server = Server::start_with(folder.path(), &["--data", "data", "--demo"]);
        assert_eq!(server.count("--account demo"), 60);
        let table = server.run("search", "--account demo --limit 3 outcome:denied").ok();
        assert!(table.starts_with("TIME "), "{table}");
        assert_eq!(table.lines().count(), 4, "{table}");
        let (code, log) = server.stop();
        assert_eq!(code, Some(0));
        assert!(log.contains("Three commands to try"), "{log}");
    }
}

#[test]
fn metrics_are_on_the_admin_address_only() {
    let folder = tempdir().unwrap();
    let arguments = ["--data", "data", "--admin-listen", "127.0.0.1:0"];
    let server = Server::start_with(folder.path(), &arguments);
    assert!(server.client().get("/metrics", &[]).is_err());
    assert!(server.client().get("/readyz", &[]).is_ok());
    let (_code, log) = server.stop();
    assert!(log.contains("metrics on http://127.0.0.1:"), "{log}");
}
