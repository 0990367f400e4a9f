//! A server that is spawned for one test.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use trailkeep_client::{Client, ClientOptions, RetryOptions, Secret};

use crate::command::{Ran, run, trailkeep};

/// The operator's key of every spawned server.
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Seals, merges and removes files all the time.
pub(crate) const BUSY: &str = "[store]\nseal_bytes = \"64 KiB\"\ngarbage_delay_s = 1\n\
    [compaction]\ninputs_min = 2\n[disk]\nhigh_bytes = 0\nlow_bytes = 0\nreserve_bytes = 0\n";

/// A server that runs until it is stopped or dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    pub(crate) folder: PathBuf,
    log: Option<JoinHandle<String>>,
}

impl Server {
    /// Starts a server on `<folder>/data` with a bootstrap key.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with(folder, &["--data", "data"])
    }

    /// Starts one that seals, merges and removes all the time.
    pub(crate) fn start_busy(folder: &Path) -> Self {
        write(&folder.join("busy.toml"), BUSY);
        Self::start_with(folder, &["--data", "data", "--config", "busy.toml"])
    }

    pub(crate) fn start_with(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = trailkeep(folder)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .env("TRAILKEEP_BOOTSTRAP_KEY", KEY)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        let url = loop {
            let start = log.len();
            assert!(lines.read_line(&mut log).unwrap() > 0, "the server ended:\n{log}");
            if let Some((_before, url)) = log.get(start..).unwrap().split_once("listening on ") {
                break url.trim().to_owned();
            }
        };
        let log = std::thread::spawn(move || rest(lines, log));
        Self { child, url, folder: folder.to_owned(), log: Some(log) }
    }

    /// Runs a verb against the server.
    pub(crate) fn run(&self, verb: &str, arguments: &str) -> Ran {
        run(&self.folder, &format!("{verb} --server {} --key {KEY} {arguments}", self.url))
    }

    /// Counts what matches a query.
    #[track_caller]
    pub(crate) fn count(&self, arguments: &str) -> u64 {
        self.run("search", &format!("--count {arguments}")).ok().trim().parse().unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        self.client_of(KEY)
    }

    pub(crate) fn client_of(&self, key: &str) -> Client {
        Client::new(ClientOptions {
            server: self.url.clone(),
            key: Secret::new(key),
            trusted_pem: None,
            timeout: Duration::from_secs(30),
            retry: RetryOptions::NONE,
        })
        .unwrap()
    }

    /// Kills the server where it stands, as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the server to stop, and returns its exit code and its log.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        let code = self.child.wait().unwrap().code();
        (code, self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed must not leave its server; one that ended is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn rest(lines: BufReader<ChildStderr>, mut log: String) -> String {
    for line in lines.lines() {
        log.push_str(&line.unwrap());
        log.push('\n');
    }
    log
}

/// Makes the lines of events `from..to` of an account.
pub(crate) fn events(account: &str, from: usize, to: usize) -> String {
    let mut lines = String::new();
    for number in from..to {
        let event = serde_json::json!({
            "account_id": account,
            "action": "thing.done",
            "occurred_at": format!("2026-04-20T12:{:02}:{:02}Z", number / 60 % 60, number % 60),
            "source_id": format!("{account}-{number}"),
            "status": 200 + number % 3,
            "metadata": { "number": number, "text": "x".repeat(100) },
        });
        lines.push_str(&event.to_string());
        lines.push('\n');
    }
    lines
}

pub(crate) fn write(path: &Path, text: impl AsRef<[u8]>) {
    let mut file = std::fs::File::create(path).unwrap();
    file.write_all(text.as_ref()).unwrap();
}
