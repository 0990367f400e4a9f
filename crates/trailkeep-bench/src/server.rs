//! The server that is measured: the release binary, as a child process.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::connection::{Connection, query};
use crate::vitals;

/// The key of the measured stores, which nobody else reaches.
pub(crate) const TOKEN: &str = "bench-operator-key-of-a-store-that-is-thrown-away";
/// How long a start may take.
const START_TIMEOUT: Duration = Duration::from_mins(2);
/// What stands before the address of the API ...
const LISTENING: &str = "listening on http://";
/// ... and before that of `/metrics`, in the server's messages.
const METRICS: &str = "metrics on http://";

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
struct Addresses {
    api: SocketAddr,
    metrics: SocketAddr,
}

/// A running server. It ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where the API is.
    pub(crate) address: SocketAddr,
    metrics: SocketAddr,
    log: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Total {
    total: u64,
}

impl Server {
    /// Starts the server on a data directory and waits until it listens. `config` is the text of
    /// its configuration file; without one it starts as it comes.
    pub(crate) fn start(data: &Path, config: Option<&str>) -> Result<Self> {
        let own = std::env::current_exe().context("could not find this program")?;
        let program = own.with_file_name("trailkeep");
        ensure!(
            program.is_file(),
            "there is no server beside this program: cargo build --release -p trailkeep"
        );
        let mut command = Command::new(program);
        command.arg("serve").arg("--data").arg(data).args(["--listen", "127.0.0.1:0"]);
        command.args(["--admin-listen", "127.0.0.1:0"]);
        if let Some(text) = config {
            let path = data.with_extension("toml");
            let mut file = File::create(&path).context("could not make a configuration file")?;
            file.write_all(text.as_bytes()).context("could not write a configuration file")?;
            command.arg("--config").arg(path);
        }
        command.env("TRAILKEEP_BOOTSTRAP_KEY", TOKEN);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().context("could not start the server")?;
        let log = data.with_extension("log");
        let addresses = match listening(child.stderr.take(), &log) {
            Ok(addresses) => addresses,
            Err(error) => {
                end(&mut child)?;
                return Err(error);
            }
        };
        Ok(Self { child, address: addresses.api, metrics: addresses.metrics, log })
    }

    /// Opens a connection with the operator's key.
    pub(crate) fn connect(&self) -> Result<Connection> {
        Connection::open(self.address, TOKEN)
            .with_context(|| format!("the server's log is {}", self.log.display()))
    }

    pub(crate) fn rss_peak_bytes(&self) -> Result<u64> {
        vitals::rss_peak_bytes(self.child.id())
    }

    pub(crate) fn cpu(&self) -> Result<Duration> {
        vitals::cpu(self.child.id())
    }

    /// Returns one of the numbers that `/metrics` shows.
    pub(crate) fn metric(&self, name: &str) -> Result<u64> {
        let answer = Connection::open(self.metrics, TOKEN)?.get("/metrics")?;
        ensure!(answer.status == 200, "/metrics {}", answer.describe());
        let text = String::from_utf8(answer.body).context("/metrics is not text")?;
        metric_of(&text, name).with_context(|| format!("/metrics does not show {name}"))
    }

    /// Returns how many entries of producers there are: all but Trailkeep's own.
    pub(crate) fn n_entries(&self) -> Result<u64> {
        let pairs = [("q", "-category:system"), ("limit", "1"), ("include_total", "true")];
        let answer = self.connect()?.get(&format!("/api/v1/events{}", query(&pairs)))?;
        answer.json::<Total>().map(|page| page.total)
    }

    /// Asks the server to end, and waits for it.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.context("the server has no process id")?;
        kill_process(pid, Signal::TERM).context("could not stop the server")?;
        let status = self.child.wait().context("could not wait for the server")?;
        ensure!(status.success(), "the server ended with {status}; see {}", self.log.display());
        Ok(())
    }

    /// Kills the server as a crash would.
    pub(crate) fn kill(mut self) -> Result<()> {
        end(&mut self.child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and an ended child answers with one.
        drop(end(&mut self.child));
    }
}

fn end(child: &mut Child) -> Result<()> {
    child.kill().context("could not kill the server")?;
    child.wait().context("could not wait for the server")?;
    Ok(())
}

/// Waits until the server says where it listens. Its messages go to the log until it ends.
fn listening(stderr: Option<ChildStderr>, log: &Path) -> Result<Addresses> {
    let stderr = stderr.context("the server has no messages")?;
    let mut file =
        File::create(log).with_context(|| format!("could not make {}", log.display()))?;
    let (sender, receiver) = sync_channel(1);
    thread::spawn(move || copy(stderr, &mut file, sender));
    match receiver.recv_timeout(START_TIMEOUT) {
        Ok(addresses) => Ok(addresses),
        Err(_ended) => {
            let text = fs::read_to_string(log).unwrap_or_default();
            bail!("the server does not listen; it said:\n{text}")
        }
    }
}

/// Copies messages to the log and sends the addresses when both were named.
fn copy(stderr: ChildStderr, log: &mut File, found: SyncSender<Addresses>) {
    let (mut found, mut api, mut metrics) = (Some(found), None, None);
    for line in BufReader::new(stderr).lines() {
        let Ok(line) = line else { return };
        api = api.or_else(|| address_after(LISTENING, &line));
        metrics = metrics.or_else(|| address_after(METRICS, &line));
        if let (Some(api), Some(metrics)) = (api, metrics)
            && let Some(found) = found.take()
            && found.send(Addresses { api, metrics }).is_err()
        {
            // Nobody waits any more: the server is being ended.
            return;
        }
        // A log that cannot be written is missed when it is read.
        drop(writeln!(log, "{line}"));
    }
}

fn address_after(words: &str, line: &str) -> Option<SocketAddr> {
    let (_before, rest) = line.split_once(words)?;
    let is_part = |c: char| c.is_ascii_digit() || c == '.' || c == ':';
    let (address, _after) = rest.split_at(rest.find(|c| !is_part(c)).unwrap_or(rest.len()));
    address.parse().ok()
}

fn metric_of(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_are_found() {
        let cases = [
            (LISTENING, "INFO serve: listening on http://127.0.0.1:4711", Some("127.0.0.1:4711")),
            (LISTENING, "{\"message\":\"listening on http://127.0.0.1:80\"}", Some("127.0.0.1:80")),
            (LISTENING, "INFO metrics on http://127.0.0.1:81/metrics", None),
            (METRICS, "INFO metrics on http://127.0.0.1:81/metrics", Some("127.0.0.1:81")),
            (METRICS, "starting", None),
        ];
        for (words, line, expected) in cases {
            let expected = expected.map(|text: &str| text.parse().unwrap());
            assert_eq!(address_after(words, line), expected, "{line}");
        }
    }

    #[test]
    fn a_metric_is_found_by_its_whole_name() {
        let text = "# TYPE a counter\na_total_more 9\na_total 7\n# EOF\n";
        assert_eq!(metric_of(text, "a_total"), Some(7));
        assert_eq!(metric_of(text, "b_total"), None);
    }
}
