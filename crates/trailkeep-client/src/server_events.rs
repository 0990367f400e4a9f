//! A stream of server-sent events.

use std::io::{BufRead, BufReader, Read};

use ureq::BodyReader;

use crate::{Error, Result};

/// The longest line that is read; an entry is far shorter.
const LINE_BYTES_MAX: u64 = 4 << 20;

/// One event of the stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerEvent {
    /// What kind of event it is.
    pub event: String,
    /// Its data.
    pub data: String,
}

/// A stream of server-sent events; it ends where the server ends it.
pub struct ServerEvents {
    server: String,
    lines: BufReader<BodyReader<'static>>,
}

impl std::fmt::Debug for ServerEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerEvents").field("server", &self.server).finish_non_exhaustive()
    }
}

impl ServerEvents {
    pub(crate) fn new(server: &str, body: ureq::Body) -> Self {
        let body = body.into_with_config().limit(u64::MAX).reader();
        Self { server: server.to_owned(), lines: BufReader::new(body) }
    }

    fn event(&mut self) -> Result<Option<ServerEvent>> {
        let mut event = ServerEvent { event: String::new(), data: String::new() };
        loop {
            let Some(line) = self.line()? else { return Ok(None) };
            if line.is_empty() {
                if event.event.is_empty() && event.data.is_empty() {
                    continue;
                }
                return Ok(Some(event));
            }
            // A line that starts with a colon is a comment: the server lives.
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "event" => value.clone_into(&mut event.event),
                "data" => event.data.push_str(value),
                _ => {}
            }
        }
    }

    fn line(&mut self) -> Result<Option<String>> {
        let mut line = Vec::new();
        let read = self.lines.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let n_bytes = read.map_err(|source| Error::Gone {
            server: self.server.clone(),
            source: Box::new(ureq::Error::Io(source)),
        })?;
        if n_bytes == 0 {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') {
            let detail = "a line of the stream is too long, or ends early".to_owned();
            return Err(Error::Answer { server: self.server.clone(), detail });
        }
        while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            line.pop();
        }
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }
}

impl Iterator for ServerEvents {
    type Item = Result<ServerEvent>;

    fn next(&mut self) -> Option<Self::Item> {
        self.event().transpose()
    }
}
