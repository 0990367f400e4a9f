//! Data on stdout, messages on stderr.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Stdout, Write};

/// Says that whoever read stdout has gone: the run ends, and nothing is wrong.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the output any more")]
pub(crate) struct Gone;

/// Stdout, buffered.
#[derive(Debug)]
pub(crate) struct Output(BufWriter<Stdout>);

impl Output {
    /// Takes stdout.
    pub(crate) fn new() -> Self {
        Self(BufWriter::with_capacity(64 * 1024, io::stdout()))
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, line: &str) -> anyhow::Result<()> {
        let written = self.0.write_all(line.as_bytes()).and_then(|()| self.0.write_all(b"\n"));
        written.map_err(gone)
    }

    /// Shows what was written so far.
    pub(crate) fn flush(&mut self) -> anyhow::Result<()> {
        self.0.flush().map_err(gone)
    }
}

fn gone(error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Gone.into();
    }
    anyhow::Error::from(error).context("could not write to stdout")
}

/// Writes one line of data to stdout.
pub(crate) fn print(line: &str) -> anyhow::Result<()> {
    let mut output = Output::new();
    output.line(line)?;
    output.flush()
}

/// Writes one message to stderr. Where stderr is closed there is nobody to tell.
pub(crate) fn say(message: &str) {
    drop(writeln!(io::stderr().lock(), "{message}"));
}

/// Returns a number with what it counts: `1 line`, `2 lines`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Appends a text of an event so that a terminal shows it and does not obey it.
pub(crate) fn push_safe(out: &mut String, text: &str) {
    for c in text.chars() {
        // Bidirectional marks could make a line read as another one.
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns {
            let _written = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_agree_with_what_they_count() {
        assert_eq!(counted(0, "line", "lines"), "0 lines");
        assert_eq!(counted(1, "record is", "records are"), "1 record is");
        assert_eq!(counted(2, "record is", "records are"), "2 records are");
    }

    /// An event's text may hold anything, also what moves a terminal's cursor.
    #[test]
    fn terminals_are_not_obeyed() {
        let mut out = String::new();
        push_safe(&mut out, "a\u{1b}[2J\r\nb\u{202e}c\u{9b}");
        assert_eq!(out, "a\\u{1b}[2J\\r\\nb\\u{202e}c\\u{9b}");
    }
}
