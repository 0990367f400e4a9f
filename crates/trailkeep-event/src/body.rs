//! Splits a request body into events without reading them.

use crate::json::{Scanner, utf8};
use crate::{EventLimits, Rejection, RejectionCode};

/// How the sender declared the body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BodyFormat {
    /// One JSON object, one list of objects, or (by its shape) lines.
    Json,
    /// One object a line.
    Lines,
}

/// Says why a body as a whole cannot be split.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BodyError {
    /// The body is empty.
    #[error("the body is empty; send an object, a list of objects, or one object a line")]
    Empty,
    /// The body is not JSON.
    #[error("the body is not JSON: {0}")]
    NotJson(Rejection),
    /// The body holds more events than one request may.
    #[error("the body holds more than {0} events; send them in several requests")]
    TooManyEvents(usize),
}

/// Splits a body into the bytes of its events. Whether each is an event is not checked here,
/// except that a body which is one JSON value is scanned to its end.
///
/// # Errors
/// Where the body as a whole cannot be split: then nothing of it is admitted.
pub fn split_body<'a>(
    body: &'a [u8],
    format: BodyFormat,
    limits: &EventLimits,
    events_max: usize,
) -> Result<Vec<&'a [u8]>, BodyError> {
    let trimmed = body.trim_ascii();
    let events = match (format, trimmed.first()) {
        (_, None) => return Err(BodyError::Empty),
        (BodyFormat::Json, Some(b'[')) => list(trimmed, limits, events_max)?,
        (BodyFormat::Json, Some(b'{')) => object_or_lines(trimmed, limits, events_max)?,
        (BodyFormat::Json, Some(_)) => {
            let detail = "expected an object, a list of objects, or one object a line";
            let rejection = Rejection::new(RejectionCode::InvalidJson, detail);
            return Err(BodyError::NotJson(rejection));
        }
        (BodyFormat::Lines, Some(_)) => lines(trimmed, events_max)?,
    };
    Ok(events)
}

fn lines(body: &[u8], events_max: usize) -> Result<Vec<&[u8]>, BodyError> {
    let mut events = Vec::new();
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', body).chain([body.len()]) {
        let line = body.get(start..end).unwrap_or(&[]).trim_ascii();
        start = end.saturating_add(1);
        if line.is_empty() {
            continue;
        }
        if events.len() >= events_max {
            return Err(BodyError::TooManyEvents(events_max));
        }
        events.push(line);
    }
    Ok(events)
}

/// One object is one event, however many lines it takes; more than one is a list of lines.
fn object_or_lines<'a>(
    body: &'a [u8],
    limits: &EventLimits,
    events_max: usize,
) -> Result<Vec<&'a [u8]>, BodyError> {
    if let Some(end) = memchr::memchr(b'\n', body) {
        // The first line alone tells: where it is a whole value, the rest are lines.
        let first = body.get(..end).unwrap_or(body).trim_ascii();
        if first.len() > limits.input_bytes_max || skip_whole(first, limits).is_ok() {
            return lines(body, events_max);
        }
    }
    if body.len() > limits.input_bytes_max {
        // Not scanned: the event reader rejects it by its size.
        return Ok(vec![body]);
    }
    match skip_whole(body, limits) {
        Ok(()) => Ok(vec![body]),
        // The event's own rules are the event reader's to name, by index.
        Err(error) if !unreadable(error.code) => Ok(vec![body]),
        Err(error) => Err(BodyError::NotJson(error)),
    }
}

fn unreadable(code: RejectionCode) -> bool {
    matches!(
        code,
        RejectionCode::InvalidJson
            | RejectionCode::InvalidUtf8
            | RejectionCode::TooDeep
            | RejectionCode::LoneSurrogate
    )
}

/// How deep a body may be nested to be split into events at all.
const SPLIT_DEPTH_MAX: usize = 512;

/// Returns the limits of splitting: each event has its own, which its reader checks.
fn splitting(limits: &EventLimits) -> EventLimits {
    EventLimits { depth_max: limits.depth_max.max(SPLIT_DEPTH_MAX), ..*limits }
}

fn skip_whole(value: &[u8], limits: &EventLimits) -> Result<(), Rejection> {
    let limits = &splitting(limits);
    let mut scanner = Scanner::new(utf8(value)?, limits);
    scanner.skip()?;
    scanner.end()
}

fn list<'a>(
    body: &'a [u8],
    limits: &EventLimits,
    events_max: usize,
) -> Result<Vec<&'a [u8]>, BodyError> {
    let text = utf8(body).map_err(BodyError::NotJson)?;
    // An event that is nested too deeply is rejected by its index, not with the whole list.
    let limits = splitting(limits);
    let mut scanner = Scanner::new(text, &limits);
    let mut events = Vec::new();
    scanner.expect(b'[').map_err(BodyError::NotJson)?;
    if !scanner.accept(b']') {
        loop {
            if events.len() >= events_max {
                return Err(BodyError::TooManyEvents(events_max));
            }
            scanner.kind().map_err(BodyError::NotJson)?;
            let start = scanner.offset();
            scanner
                .skip()
                .map_err(|error| BodyError::NotJson(error.inside(&events.len().to_string())))?;
            events.push(body.get(start..scanner.offset()).unwrap_or(&[]));
            if !scanner.accept(b',') {
                break;
            }
        }
        scanner.expect(b']').map_err(BodyError::NotJson)?;
    }
    scanner.end().map_err(BodyError::NotJson)?;
    if events.is_empty() { Err(BodyError::Empty) } else { Ok(events) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(body: &str, format: BodyFormat) -> Result<Vec<String>, String> {
        split_body(body.as_bytes(), format, &EventLimits::STANDARD, 3)
            .map(|events| {
                events.iter().map(|event| String::from_utf8_lossy(event).into_owned()).collect()
            })
            .map_err(|error| error.to_string())
    }

    #[expect(clippy::unnecessary_wraps, reason = "compared with a result")]
    fn owned(events: &[&str]) -> Result<Vec<String>, String> {
        Ok(events.iter().map(|event| (*event).to_owned()).collect())
    }

    #[test]
    fn shapes() {
        use BodyFormat::{Json, Lines};
        assert_eq!(split("{\"a\":\n1}", Json), owned(&["{\"a\":\n1}"]));
        assert_eq!(split("[{\"a\":1},{}]", Json), owned(&["{\"a\":1}", "{}"]));
        assert_eq!(split("{\"a\":1}\n\n{}\r\n", Json), owned(&["{\"a\":1}", "{}"]));
        assert_eq!(split("{\"a\":1}\n{]\n", Json), owned(&["{\"a\":1}", "{]"]));
        assert_eq!(split("{\"a\":1}\nnope", Lines), owned(&["{\"a\":1}", "nope"]));
        assert_eq!(split("[1]", Json), owned(&["1"]));
        assert_eq!(split(r#"[{"a":"\ud83d"},{}]"#, Json), owned(&[r#"{"a":"\ud83d"}"#, "{}"]));
        let deep = format!("{}{}", "[".repeat(70), "]".repeat(70));
        assert_eq!(split(&format!("[{deep},{{}}]"), Json), owned(&[&deep, "{}"]));
        for bad in ["", " ", "[]", "NaN", "{", "[{}", "[{},]", "{}{}", "\"a\"", "[1,2,3,4]"] {
            assert!(split(bad, Json).is_err(), "{bad}");
        }
        assert!(split("1\n2\n3\n4", Lines).is_err());
    }
}
