//! Following entries.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use tempfile::tempdir;

use crate::command::trailkeep;
use crate::server::{KEY, Server, events};

#[test]
fn tail_shows_entries_as_they_come() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let mut tail = trailkeep(folder.path())
        .args(["tail", "--server", &server.url, "--key", KEY, "--account", "acme", "--json"])
        .arg("status:201")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap());
    // The tail sees what comes after it is connected: events are sent until one is seen.
    let client = server.client();
    let sender = std::thread::spawn(move || {
        for number in 0.. {
            let sent = client.send_events(events("acme", number, number + 1).as_bytes());
            if sent.is_err() {
                return;
            }
        }
    });
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert!(line.contains("\"status\":201"), "{line}");
    tail.kill().unwrap();
    tail.wait().unwrap();
    server.kill();
    sender.join().unwrap();
}
