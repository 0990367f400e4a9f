//! Hands out one record at a time.

use std::io::{self, BufRead, ErrorKind};

use crate::{Layout, Unreadable};

/// The largest record in bytes; a larger one is reported, not kept.
pub const RECORD_BYTES_MAX: usize = 1024 * 1024;
/// The longest beginning of a document in bytes that is looked at to tell what it is.
const HEAD_BYTES_MAX: usize = 256;

/// Says where a record was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RecordAt {
    /// The record's line, from 1. A record inside a list has the number after the previous one.
    pub line: u64,
    /// The record's length in bytes, also where it is more than was kept.
    pub bytes: u64,
}

impl RecordAt {
    /// Returns why the record cannot be read, where it is too large.
    pub fn oversized(&self) -> Option<Unreadable> {
        let large = usize::try_from(self.bytes).map_or(true, |bytes| bytes > RECORD_BYTES_MAX);
        large.then(|| {
            Unreadable::new(format!(
                "the record has {} bytes, at most {RECORD_BYTES_MAX} are read",
                self.bytes
            ))
        })
    }
}

/// Reads records one at a time, in bounded memory.
///
/// A record is a line. Where the layout is JSON, it may also be an item of a list, or of the
/// list in `{"Records":[...]}`; such documents may have any length, may follow each other, and
/// may stand among lines. Blank lines are skipped.
#[derive(Debug)]
pub struct RecordReader<R> {
    input: R,
    layout: Layout,
    place: Place,
    line: u64,
    /// Bytes that were looked at but belong to what comes next.
    head: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// At the front of the input, where a byte order mark may stand.
    Front,
    /// Between documents.
    Between,
    /// In a list; its end may be followed by the brace of the object around it.
    List,
}

/// What the beginning of a document says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Head {
    /// More bytes are needed to tell.
    Open,
    /// A line.
    Line,
    /// A list whose items start after so many bytes.
    List(usize),
}

impl<R: BufRead> RecordReader<R> {
    /// Makes a reader.
    pub fn new(input: R, layout: Layout) -> Self {
        Self { input, layout, place: Place::Front, line: 0, head: Vec::new() }
    }

    /// Reads the next record into `record`, or returns `None` at the end. Of a record that is
    /// larger than [`RECORD_BYTES_MAX`], only the first bytes are kept.
    ///
    /// # Errors
    /// Whatever the input reports.
    pub fn next(&mut self, record: &mut Vec<u8>) -> io::Result<Option<RecordAt>> {
        loop {
            record.clear();
            let found = match self.place {
                Place::Front => {
                    self.skip_byte_order_mark()?;
                    self.place = Place::Between;
                    continue;
                }
                Place::List => self.item(record)?,
                Place::Between => {
                    if self.enters_list()? {
                        self.place = Place::List;
                        continue;
                    }
                    self.line(record)?
                }
            };
            match found {
                None if self.place == Place::Between => return Ok(None),
                None => self.place = Place::Between,
                Some(bytes) => {
                    self.line = self.line.saturating_add(1);
                    let blank = bytes <= to_u64(record.len()) && record.trim_ascii().is_empty();
                    if !blank {
                        return Ok(Some(RecordAt { line: self.line, bytes }));
                    }
                }
            }
        }
    }

    fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        while self.head.len() < MARK.len() && MARK.starts_with(&self.head) && self.look_further()? {
        }
        if self.head == MARK {
            self.head.clear();
        }
        Ok(())
    }

    /// Tells whether a list starts here, and skips to its first item.
    fn enters_list(&mut self) -> io::Result<bool> {
        if self.layout == Layout::Combined {
            return Ok(false);
        }
        loop {
            match head(&self.head) {
                Head::Line => return Ok(false),
                Head::List(n_bytes) => {
                    self.head.drain(..n_bytes);
                    return Ok(true);
                }
                Head::Open if self.head.len() >= HEAD_BYTES_MAX => return Ok(false),
                Head::Open => {
                    if !self.look_further()? {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Reads a line without its end; `None` at the end of the input.
    fn line(&mut self, record: &mut Vec<u8>) -> io::Result<Option<u64>> {
        let mut n_bytes = 0_u64;
        loop {
            let chunk = self.chunk()?;
            let Some(end) = memchr::memchr(b'\n', chunk) else {
                if chunk.is_empty() {
                    return Ok((n_bytes > 0).then_some(n_bytes));
                }
                let length = chunk.len();
                n_bytes = n_bytes.saturating_add(keep(record, chunk));
                self.consume(length);
                continue;
            };
            n_bytes = n_bytes.saturating_add(keep(record, chunk.get(..end).unwrap_or(&[])));
            self.consume(end.saturating_add(1));
            if record.last() == Some(&b'\r') && n_bytes == to_u64(record.len()) {
                record.pop();
                n_bytes = n_bytes.saturating_sub(1);
            }
            return Ok(Some(n_bytes));
        }
    }

    /// Reads an item of a list; `None` at the end of the list.
    fn item(&mut self, record: &mut Vec<u8>) -> io::Result<Option<u64>> {
        match self.skip(|byte| is_space(byte) || byte == b',')? {
            None => return Ok(None),
            Some(b']') => {
                self.consume(1);
                self.leave_list()?;
                return Ok(None);
            }
            Some(_) => {}
        }
        let mut scan = Scan::default();
        let mut n_bytes = 0_u64;
        while !scan.done {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                break;
            }
            let taken = scan.advance(chunk);
            n_bytes = n_bytes.saturating_add(keep(record, chunk.get(..taken).unwrap_or(&[])));
            self.consume(taken);
        }
        Ok(Some(n_bytes))
    }

    /// Skips the brace around a list, where there is one, and the end of its line. Anything else
    /// there is left for the next record, so that nothing vanishes.
    fn leave_list(&mut self) -> io::Result<()> {
        if self.skip(is_space)? == Some(b'}') {
            self.consume(1);
        }
        if self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\r'))? == Some(b'\n') {
            self.consume(1);
        }
        Ok(())
    }

    /// Skips bytes and returns the first other one, which is not skipped.
    fn skip(&mut self, skipped: fn(u8) -> bool) -> io::Result<Option<u8>> {
        loop {
            let chunk = self.chunk()?;
            let n_skipped = chunk.iter().take_while(|byte| skipped(**byte)).count();
            let next = chunk.get(n_skipped).copied();
            let ended = chunk.is_empty();
            self.consume(n_skipped);
            if next.is_some() || ended {
                return Ok(next);
            }
        }
    }

    /// Moves one more byte into `head`; tells whether there was one.
    fn look_further(&mut self) -> io::Result<bool> {
        self.fill()?;
        let byte = self.input.fill_buf()?.first().copied();
        self.head.extend(byte);
        self.input.consume(usize::from(byte.is_some()));
        Ok(byte.is_some())
    }

    fn fill(&mut self) -> io::Result<()> {
        loop {
            match self.input.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(_) => return Ok(()),
            }
        }
    }

    /// Returns the next bytes; none at the end.
    fn chunk(&mut self) -> io::Result<&[u8]> {
        if self.head.is_empty() {
            self.fill()?;
            self.input.fill_buf()
        } else {
            Ok(&self.head)
        }
    }

    fn consume(&mut self, n_bytes: usize) {
        if self.head.is_empty() {
            self.input.consume(n_bytes);
        } else {
            self.head.drain(..n_bytes.min(self.head.len()));
        }
    }
}

/// Appends what still fits; returns how many bytes there were.
fn keep(record: &mut Vec<u8>, bytes: &[u8]) -> u64 {
    let room = RECORD_BYTES_MAX.saturating_sub(record.len());
    record.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    to_u64(bytes.len())
}

fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Tells from the first bytes whether a document is a list of records: `[{` or `{"Records":[`.
fn head(bytes: &[u8]) -> Head {
    let mut rest = bytes;
    while let Some((b' ' | b'\t', after)) = rest.split_first() {
        rest = after;
    }
    let steps: &[&[u8]] = match rest.first() {
        None => return Head::Open,
        Some(b'[') => &[b"["],
        Some(_) => &[b"{", b"\"Records\"", b":", b"["],
    };
    let listed = steps.len() == 1;
    for step in steps {
        rest = rest.trim_ascii_start();
        match rest.strip_prefix(*step) {
            Some(after) => rest = after,
            None if step.starts_with(rest) => return Head::Open,
            None => return Head::Line,
        }
    }
    // A log line may start with `[` as well: only an object makes it a list of records.
    match rest.trim_ascii_start().first() {
        None if listed => Head::Open,
        Some(byte) if listed && *byte != b'{' => Head::Line,
        _ => Head::List(bytes.len().saturating_sub(rest.len())),
    }
}

/// Finds the end of one JSON value without reading it.
#[derive(Debug, Default)]
struct Scan {
    depth: usize,
    text: Text,
    done: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Text {
    #[default]
    Outside,
    Inside,
    Escaped,
}

impl Scan {
    /// Returns how many bytes of a chunk belong to the value.
    fn advance(&mut self, chunk: &[u8]) -> usize {
        for (at, &byte) in chunk.iter().enumerate() {
            match (self.text, byte) {
                (Text::Escaped, _) => self.text = Text::Inside,
                (Text::Inside, b'\\') => self.text = Text::Escaped,
                (Text::Inside, b'"') => self.text = Text::Outside,
                (Text::Inside, _) => {}
                (Text::Outside, b'"') => self.text = Text::Inside,
                (Text::Outside, b'{' | b'[') => self.depth = self.depth.saturating_add(1),
                (Text::Outside, b'}' | b']' | b',') if self.depth == 0 => {
                    self.done = true;
                    // A brace that closes nothing is taken, or it would stand here for ever.
                    return if byte == b'}' { at.saturating_add(1) } else { at };
                }
                (Text::Outside, b'}' | b']') => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        self.done = true;
                        return at.saturating_add(1);
                    }
                }
                (Text::Outside, _) => {}
            }
        }
        chunk.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::BufReader;

    fn all(input: &[u8], layout: Layout, buffer_bytes: usize) -> Vec<(u64, String)> {
        let mut reader = RecordReader::new(BufReader::with_capacity(buffer_bytes, input), layout);
        let mut records = Vec::new();
        let mut record = Vec::new();
        while let Some(at) = reader.next(&mut record).unwrap() {
            assert_eq!(at.bytes, to_u64(record.len()));
            records.push((at.line, String::from_utf8_lossy(&record).into_owned()));
        }
        records
    }

    #[test]
    fn records_of_every_shape() {
        let cases: [(&str, &[(u64, &str)]); 20] = [
            ("", &[]),
            ("\n \n", &[]),
            (
                "{\"a\":1}\n\n{\"b\":2}\r\n{\"c\"",
                &[(1, "{\"a\":1}"), (3, "{\"b\":2}"), (4, "{\"c\"")],
            ),
            ("\u{feff}{}\n", &[(1, "{}")]),
            ("{\"Records\":[]}", &[]),
            (
                "{\"Records\":[{\"a\":\"]}\\\"\"},{\"b\":[{}]}]}\n",
                &[(1, "{\"a\":\"]}\\\"\"}"), (2, "{\"b\":[{}]}")],
            ),
            (
                "{\n  \"Records\" : [\n  {\n\"a\":1},\n {}\n ]\n}\n",
                &[(1, "{\n\"a\":1}"), (2, "{}")],
            ),
            (
                "{\"Records\":[{}]}{\"Records\":[{},{}]}\n{\"Records\":[{}]}",
                &[(1, "{}"), (2, "{}"), (3, "{}"), (4, "{}")],
            ),
            ("[{\"a\":1},{}]\n{\"b\":1}\n", &[(1, "{\"a\":1}"), (2, "{}"), (3, "{\"b\":1}")]),
            ("[ 1]\n[]\n", &[(1, "[ 1]"), (2, "[]")]),
            ("[2026-01-01] info\n{}", &[(1, "[2026-01-01] info"), (2, "{}")]),
            ("{\"Recordings\":[1]}\n", &[(1, "{\"Recordings\":[1]}")]),
            ("{\"Records\":1}\n", &[(1, "{\"Records\":1}")]),
            // Broken lists: each piece is handed out, none vanishes.
            ("{\"Records\":[{},x,{}]}", &[(1, "{}"), (2, "x"), (3, "{}")]),
            ("{\"Records\":[{},{\"a\":", &[(1, "{}"), (2, "{\"a\":")]),
            ("{\"Records\":[{}]\n{\"Records\":[{}]}", &[(1, "{}"), (2, "{}")]),
            ("{\"Records\":[{}],\"next\":1}\n{}", &[(1, "{}"), (2, ",\"next\":1}"), (3, "{}")]),
            ("{\"Records\":[}]}\n{}", &[(1, "}"), (2, "{}")]),
            ("{\n\n{}\n", &[(1, "{"), (3, "{}")]),
            ("plain\n\"Records\"\n", &[(1, "plain"), (2, "\"Records\"")]),
        ];
        for (input, expected) in cases {
            for buffer_bytes in [1, 2, 3, 7, 8192] {
                let found = all(input.as_bytes(), Layout::Json, buffer_bytes);
                let found: Vec<(u64, &str)> =
                    found.iter().map(|(line, text)| (*line, text.as_str())).collect();
                assert_eq!(found, expected, "{input} by {buffer_bytes}");
            }
        }
    }

    #[test]
    fn an_access_log_has_only_lines() {
        let found = all(b"[{}]\n{\"Records\":[{}]}\n", Layout::Combined, 8);
        let expected = [(1, "[{}]".to_owned()), (2, "{\"Records\":[{}]}".to_owned())];
        assert_eq!(found, expected);
    }

    #[test]
    fn large_records_are_reported_and_not_kept() {
        let large = "x".repeat(RECORD_BYTES_MAX + 1);
        for input in [format!("{large}\n{{}}"), format!("{{\"Records\":[\"{large}\",{{}}]}}")] {
            let mut reader = RecordReader::new(input.as_bytes(), Layout::Json);
            let mut record = Vec::new();
            let at = reader.next(&mut record).unwrap().unwrap();
            assert_eq!((at.line, record.len()), (1, RECORD_BYTES_MAX));
            let reason = at.oversized().unwrap().reason;
            assert_eq!(
                reason,
                format!("the record has {} bytes, at most 1048576 are read", at.bytes)
            );
            let at = reader.next(&mut record).unwrap().unwrap();
            assert_eq!((at.oversized(), record.as_slice()), (None, b"{}".as_slice()));
            assert_eq!(reader.next(&mut record).unwrap(), None);
        }
        // Exactly the limit is kept whole.
        let input = "x".repeat(RECORD_BYTES_MAX);
        let mut record = Vec::new();
        let at = RecordReader::new(input.as_bytes(), Layout::Json).next(&mut record).unwrap();
        assert_eq!(at.unwrap().oversized(), None);
    }

    proptest! {
        /// Whatever the bytes, the reader ends, and the pieces do not depend on the buffer.
        #[test]
        fn any_bytes(input in "[\\[\\]{}\",\\\\a\n ]{0,30}", listed in any::<bool>()) {
            let input = if listed { format!("{{\"Records\":[{input}") } else { input };
            let whole = all(input.as_bytes(), Layout::Json, 8192);
            prop_assert!(whole.windows(2).all(|pair| pair[0].0 < pair[1].0));
            prop_assert_eq!(all(input.as_bytes(), Layout::Json, 1), whole);
        }
    }
}
