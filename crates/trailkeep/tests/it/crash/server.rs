//! The server's process: started, watched through its log, killed.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use trailkeep_io::{Clock, SystemClock};

use super::step::Step;

const BOOTSTRAP_KEY: &str = "the-key-of-the-crash-test-0123456789";
const START_PATIENCE: Duration = Duration::from_secs(20);
const ANSWER_PATIENCE: Duration = Duration::from_secs(20);
/// How long to wait for a step before the server is killed wherever it is.
const STEP_PATIENCE: Duration = Duration::from_secs(2);
/// A thread is still in its last step where it logged that so short a time ago.
const STEP_AGE_MAX: Duration = Duration::from_millis(10);
/// The largest answer: a page of a thousand entries.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// Where a kill shall fall.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aim {
    /// So long after the load began.
    Instant(Duration),
    /// So long after that step began.
    Step(Step, Duration),
}

/// A step that began, and when.
type Begun = (Step, Duration);

/// What the server said.
#[derive(Debug)]
enum Said {
    Address(String),
    Step(Begun),
}

/// A running server. It dies with this value.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    clock: SystemClock,
    api: Api,
    said: Receiver<Said>,
    /// Ends with the server and returns its log without the steps.
    reader: Option<JoinHandle<Vec<String>>>,
    /// The last step of each thread.
    last: HashMap<&'static str, Begun>,
}

impl Server {
    /// Starts a server on the data directory and waits until it takes work.
    pub(crate) fn start(data: &Path, config: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_trailkeep"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .arg("--config")
            .arg(config)
            .env("TRAILKEEP_BOOTSTRAP_KEY", BOOTSTRAP_KEY)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, said) = channel();
        let stderr = child.stderr.take().unwrap();
        let clock = SystemClock::new();
        let reader_clock = clock.clone();
        let reader = std::thread::spawn(move || read_log(stderr, &reader_clock, &sender));
        let (reader, last, api) = (Some(reader), HashMap::new(), Api::new(String::new()));
        let mut server = Self { child, clock, api, said, reader, last };
        server.api = Api::new(server.wait_for_address());
        let ready = server.api.get("/readyz", &[]);
        assert_eq!(ready["status"], "ok", "{ready}");
        server
    }

    /// Returns a way to ask the server.
    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    /// Waits for the moment of a kill.
    pub(crate) fn wait_for(&mut self, aim: Aim) {
        // What began before the load is no aim any more.
        self.watch(Duration::ZERO, |_step| false);
        match aim {
            Aim::Instant(delay) => self.watch(delay, |_step| false),
            Aim::Step(aimed, delay) => {
                self.watch(STEP_PATIENCE, |step| step == aimed);
                self.watch(delay, |_step| false);
            }
        }
    }

    /// Kills the server and returns the step that each of its threads was in.
    pub(crate) fn kill(mut self) -> Vec<Step> {
        let killed_at = self.clock.monotonic();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let log = self.reader.take().unwrap().join().unwrap();
        let errors: Vec<_> = log.iter().filter(|line| line.contains("\"ERROR\"")).collect();
        assert!(errors.is_empty(), "the server complained: {errors:#?}\n{}", log.join("\n"));
        while let Ok(said) = self.said.try_recv() {
            self.note(&said);
        }
        let in_flight = |(_step, at): &&Begun| killed_at.saturating_sub(*at) <= STEP_AGE_MAX;
        self.last.values().filter(in_flight).map(|(step, _at)| *step).collect()
    }

    /// Follows the log until a step begins, at most `patience`.
    fn watch(&mut self, patience: Duration, until: impl Fn(Step) -> bool) {
        let end = self.clock.monotonic() + patience;
        loop {
            let left = end.saturating_sub(self.clock.monotonic());
            match self.said.recv_timeout(left) {
                Ok(said) => {
                    if self.note(&said).is_some_and(&until) {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => self.ended(),
            }
        }
    }

    fn note(&mut self, said: &Said) -> Option<Step> {
        let Said::Step((step, at)) = *said else { return None };
        self.last.insert(step.thread(), (step, at));
        Some(step)
    }

    fn wait_for_address(&mut self) -> String {
        let end = self.clock.monotonic() + START_PATIENCE;
        loop {
            let left = end.saturating_sub(self.clock.monotonic());
            match self.said.recv_timeout(left) {
                Ok(Said::Address(url)) => return url,
                Ok(said) => drop(self.note(&said)),
                Err(_timeout_or_end) => self.ended(),
            }
        }
    }

    /// Fails the test with the log of a server that ended, or never said where it listens.
    fn ended(&mut self) -> ! {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        let log = self.reader.take().unwrap().join().unwrap();
        panic!("the server was not killed and yet ended, {status}\n{}", log.join("\n"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(reader) = self.reader.take() else { return };
        drop(self.child.kill());
        drop(self.child.wait());
        if let Ok(log) = reader.join() {
            show(&log);
        }
    }
}

/// Shows the log of a server whose test has failed.
#[expect(clippy::print_stdout, reason = "it belongs to the failed test's output")]
fn show(log: &[String]) {
    println!("the server's log:\n{}", log.join("\n"));
}

/// Passes on what the log says of addresses and steps, and returns the rest of it.
fn read_log(stderr: ChildStderr, clock: &SystemClock, sender: &Sender<Said>) -> Vec<String> {
    let mut log = Vec::new();
    for line in BufReader::new(stderr).split(b'\n') {
        let line = String::from_utf8_lossy(&line.unwrap()).into_owned();
        let said = match (Step::of_line(&line), address(&line)) {
            (Some(step), _) => Said::Step((step, clock.monotonic())),
            (None, Some(url)) => Said::Address(url),
            (None, None) => {
                log.push(line);
                continue;
            }
        };
        // Nobody listens where the test has failed.
        drop(sender.send(said));
    }
    log
}

/// Returns the address that a line names.
fn address(line: &str) -> Option<String> {
    let (_before, after) = line.split_once("http://127.0.0.1:")?;
    let port: String = after.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("http://127.0.0.1:{port}"))
}

/// A way to ask a server. Cloning shares its connections.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    agent: ureq::Agent,
    url: String,
}

impl Api {
    fn new(url: String) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_PATIENCE))
            .build();
        Self { agent: config.into(), url }
    }

    /// Returns the answer to a question, which must be a good one.
    pub(crate) fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let request = self.agent.get(format!("{}{path}", self.url));
        let request = request.header("authorization", format!("Bearer {BOOTSTRAP_KEY}"));
        let response = request.query_pairs(query.iter().copied()).call().unwrap();
        let (status, answer) = (response.status(), read(response).unwrap());
        assert_eq!(status, 200, "{path} {query:?}: {answer}");
        answer
    }

    /// Sends events and returns the answer, or an error where none came. An answer that refuses
    /// fails the test: there is room and time for all of them.
    pub(crate) fn send(&self, ndjson: &str) -> Result<Value, ureq::Error> {
        let request = self.agent.post(format!("{}/api/v1/events", self.url));
        let request = request
            .header("authorization", format!("Bearer {BOOTSTRAP_KEY}"))
            .header("content-type", "application/x-ndjson");
        let response = request.query("return", "ids").send(ndjson)?;
        let (status, answer) = (response.status(), read(response)?);
        assert_eq!(status, 200, "{answer}");
        Ok(answer)
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Value, ureq::Error> {
    let text = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string()?;
    Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
