//! A lean HTTP/1.1 client: what a load client costs is taken from the server's cores.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::workload::Encoding;

/// No answer takes longer, on the slowest machine that is measured.
const TIMEOUT: Duration = Duration::from_mins(2);
const HEAD_BYTES_MAX: usize = 64 * 1024;
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One answer.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// What `Retry-After` says.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads the body as JSON, where the answer is a success.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        ensure!((200..300).contains(&self.status), "{}", self.describe());
        serde_json::from_slice(&self.body).with_context(|| self.describe())
    }

    /// Returns the status and the beginning of the body.
    pub(crate) fn describe(&self) -> String {
        let start = self.body.get(..300).unwrap_or(&self.body);
        format!("answered {}: {}", self.status, String::from_utf8_lossy(start))
    }
}

/// One connection that stays open.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    token: String,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr, token: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .with_context(|| format!("could not connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Self { stream, token: token.to_owned() })
    }

    pub(crate) fn get(&mut self, target: &str) -> Result<Answer> {
        let head = self.head("GET", target, "");
        self.stream.write_all(head.as_bytes()).context("could not send a request")?;
        read_answer(&mut self.stream)
    }

    /// Sends one JSON document.
    pub(crate) fn post_json(&mut self, target: &str, body: &[u8]) -> Result<Answer> {
        let lines = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        let mut request = self.head("POST", target, &lines).into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request).context("could not send a request")?;
        read_answer(&mut self.stream)
    }

    /// Sends a body of events.
    pub(crate) fn post_events(&mut self, body: &[u8], encoding: Encoding) -> Result<Answer> {
        let coding = match encoding {
            Encoding::Plain => "",
            Encoding::Zstd => "Content-Encoding: zstd\r\n",
        };
        let length = body.len();
        let lines =
            format!("Content-Type: application/x-ndjson\r\nContent-Length: {length}\r\n{coding}");
        let head = self.head("POST", "/api/v1/events", &lines);
        self.stream.write_all(head.as_bytes()).context("could not send a request")?;
        self.stream.write_all(body).context("could not send a body")?;
        read_answer(&mut self.stream)
    }

    fn head(&self, method: &str, target: &str, lines: &str) -> String {
        let token = &self.token;
        format!(
            "{method} {target} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n{lines}\r\n"
        )
    }
}

fn read_answer(stream: &mut impl Read) -> Result<Answer> {
    let mut bytes = Vec::with_capacity(4096);
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        ensure!(bytes.len() < HEAD_BYTES_MAX, "an answer's head does not end");
        let mut part = [0; 4096];
        let n_bytes = stream.read(&mut part).context("could not read an answer")?;
        ensure!(n_bytes > 0, "the connection was closed before the answer");
        bytes.extend_from_slice(part.get(..n_bytes).unwrap_or(&[]));
    };
    let mut body = bytes.split_off(head_end);
    let head = String::from_utf8(bytes).context("an answer's head is not text")?;
    let mut answer = Answer { status: status_of(&head)?, retry_after: None, body: Vec::new() };
    let mut length = 0_usize;
    for (name, value) in head.lines().filter_map(|line| line.split_once(':')) {
        let (name, value) = (name.to_ascii_lowercase(), value.trim());
        match name.as_str() {
            "content-length" => length = value.parse().context("a length is not a number")?,
            "retry-after" => answer.retry_after = value.parse().ok().map(Duration::from_secs),
            "transfer-encoding" => bail!("an answer without a length is not read"),
            _ => {}
        }
    }
    ensure!(length <= ANSWER_BYTES_MAX, "an answer of {length} bytes is not read");
    ensure!(body.len() <= length, "an answer goes on after its end");
    let n_read = body.len();
    body.resize(length, 0);
    if let Some(rest) = body.get_mut(n_read..) {
        stream.read_exact(rest).context("could not read an answer's body")?;
    }
    Ok(Answer { body, ..answer })
}

fn status_of(head: &str) -> Result<u16> {
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
    status.with_context(|| format!("not an HTTP answer: {head:?}"))
}

/// Returns a query string with its values escaped.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        out.push(if out.is_empty() { '?' } else { '&' });
        out.push_str(name);
        out.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push('%');
                for nibble in [byte >> 4, byte & 15] {
                    out.extend(char::from_digit(u32::from(nibble), 16));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_to_their_end() {
        let bytes = b"HTTP/1.1 429 Too Many\r\nretry-after: 2\r\nContent-Length: 4\r\n\r\nbody";
        let answer = read_answer(&mut &bytes[..]).unwrap();
        let retry_after = Some(Duration::from_secs(2));
        assert_eq!(answer, Answer { status: 429, retry_after, body: b"body".to_vec() });

        let bad: [&[u8]; 4] = [
            b"",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"hello\r\n\r\n",
        ];
        for bytes in bad {
            assert!(read_answer(&mut &bytes[..]).is_err(), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn queries_are_escaped() {
        let text = query(&[("q", "status:500 path:\"/a\""), ("limit", "50")]);
        assert_eq!(text, "?q=status%3a500%20path%3a%22%2fa%22&limit=50");
    }
}
