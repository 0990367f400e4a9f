//! Strict I-JSON in, canonical JSON (RFC 8785) out, in one pass.

mod skip;

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::number::write_number;
use crate::position::Admission;
use crate::{EventLimits, Rejection, RejectionCode};

/// Returns the canonical form (RFC 8785) of one JSON value.
///
/// # Errors
/// Anything that is not I-JSON within the limits: duplicate keys, lone surrogates, integers
/// beyond 2^53 - 1, bytes after the value.
pub fn canonical_json(input: &[u8], limits: &EventLimits) -> Result<String, Rejection> {
    let text = utf8(input)?;
    let mut scanner = Scanner::new(text, limits);
    let mut out = Vec::with_capacity(input.len());
    scanner.canonical(&mut out)?;
    scanner.end()?;
    into_string(out)
}

/// Checks UTF-8 and names the offset of the first bad byte.
pub(crate) fn utf8(input: &[u8]) -> Admission<&str> {
    std::str::from_utf8(input).map_err(|error| {
        let detail = format!("byte {} is not UTF-8", error.valid_up_to());
        Rejection::new(RejectionCode::InvalidUtf8, detail)
    })
}

/// Turns bytes that were copied from UTF-8 text piece by piece into a string.
pub(crate) fn into_string(bytes: Vec<u8>) -> Admission<String> {
    String::from_utf8(bytes)
        .map_err(|error| Rejection::new(RejectionCode::InvalidUtf8, error.to_string()))
}

/// The first byte of a value, which says what it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Object,
    List,
    String,
    Number,
    Bool,
    Null,
}

impl Kind {
    /// Returns the kind in words, for messages.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::List => "a list",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Bool => "a boolean",
            Self::Null => "null",
        }
    }
}

/// Reads JSON from the front of a text. Bounded: depth and keys by [`EventLimits`], memory by
/// the input's length.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    keys: usize,
    limits: &'a EventLimits,
}

/// One member of an object that is being written: its key and its bytes in the output.
struct Member<'a> {
    key: Cow<'a, str>,
    start: usize,
    end: usize,
}

impl<'a> Scanner<'a> {
    /// Starts at the front of `text`.
    pub(crate) fn new(text: &'a str, limits: &'a EventLimits) -> Self {
        Self { text, at: 0, depth: 0, keys: 0, limits }
    }

    /// Returns the next byte's offset.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    fn byte(&self) -> Option<u8> {
        self.bytes().get(self.at).copied()
    }

    fn advance(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn skip_space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.advance();
        }
    }

    /// Makes the rejection of what stands at the next byte.
    pub(crate) fn unexpected(&self, expected: &str) -> Rejection {
        let found = match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            None => "the end".to_owned(),
            Some(c) if c.is_control() => format!("control character U+{:04X}", u32::from(c)),
            Some(c) => format!("`{c}`"),
        };
        let detail = format!("expected {expected} at byte {}, found {found}", self.at);
        Rejection::new(RejectionCode::InvalidJson, detail)
    }

    /// Skips one byte that must be there.
    pub(crate) fn expect(&mut self, byte: u8) -> Admission<()> {
        self.skip_space();
        if self.byte() == Some(byte) {
            self.advance();
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{}`", char::from(byte))))
        }
    }

    /// Skips one byte if it is there.
    pub(crate) fn accept(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.byte() == Some(byte);
        if found {
            self.advance();
        }
        found
    }

    /// Checks that only white space is left.
    pub(crate) fn end(&mut self) -> Admission<()> {
        self.skip_space();
        if self.at == self.text.len() {
            Ok(())
        } else {
            Err(self.unexpected("the end of the value"))
        }
    }

    /// Returns what the next value is, from its first byte.
    pub(crate) fn kind(&mut self) -> Admission<Kind> {
        self.skip_space();
        match self.byte() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::List),
            Some(b'"') => Ok(Kind::String),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            _ => Err(self.unexpected("a JSON value")),
        }
    }

    /// Enters an object or list.
    pub(crate) fn enter(&mut self) -> Admission<()> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > self.limits.depth_max {
            let detail = format!("nested deeper than {} levels", self.limits.depth_max);
            return Err(Rejection::new(RejectionCode::TooDeep, detail));
        }
        Ok(())
    }

    /// Leaves an object or list.
    pub(crate) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Reads a member's key and the colon after it.
    pub(crate) fn key(&mut self) -> Admission<Cow<'a, str>> {
        self.keys = self.keys.saturating_add(1);
        if self.keys > self.limits.keys_max {
            let detail = format!("more than {} object members", self.limits.keys_max);
            return Err(Rejection::new(RejectionCode::TooManyKeys, detail));
        }
        self.skip_space();
        if self.byte() != Some(b'"') {
            return Err(self.unexpected("a member name"));
        }
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// Reads a string and decodes its escapes; borrows where there are none.
    pub(crate) fn string(&mut self) -> Admission<Cow<'a, str>> {
        self.expect(b'"')?;
        let start = self.at;
        self.skip_plain();
        if self.byte() == Some(b'"') {
            let text = self.text.get(start..self.at).unwrap_or("");
            self.advance();
            return Ok(Cow::Borrowed(text));
        }
        let mut decoded = String::with_capacity(self.at.saturating_sub(start).saturating_add(16));
        decoded.push_str(self.text.get(start..self.at).unwrap_or(""));
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.advance();
                    return Ok(Cow::Owned(decoded));
                }
                Some(b'\\') => {
                    self.advance();
                    decoded.push(self.escape()?);
                }
                Some(0..=0x1f) => return Err(self.unexpected("an escaped control character")),
                Some(_) => {
                    let plain = self.at;
                    self.skip_plain();
                    decoded.push_str(self.text.get(plain..self.at).unwrap_or(""));
                }
                None => return Err(self.unexpected("the end of the string (`\"`)")),
            }
        }
    }

    fn skip_plain(&mut self) {
        let rest = self.bytes().get(self.at..).unwrap_or(&[]);
        let plain = rest.iter().take_while(|&&b| b != b'"' && b != b'\\' && b >= 0x20).count();
        self.at = self.at.saturating_add(plain);
    }

    fn escape(&mut self) -> Admission<char> {
        let Some(byte) = self.byte() else { return Err(self.unexpected("an escape")) };
        let decoded = match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.advance();
                return self.unicode_escape();
            }
            _ => return Err(self.unexpected("an escape (one of \" \\ / b f n r t u)")),
        };
        self.advance();
        Ok(decoded)
    }

    fn unicode_escape(&mut self) -> Admission<char> {
        let first = self.four_hex()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first).ok_or_else(|| self.lone_surrogate());
        }
        let pair_follows = self.bytes().get(self.at..self.at.saturating_add(2)) == Some(b"\\u");
        if first >= 0xdc00 || !pair_follows {
            return Err(self.lone_surrogate());
        }
        self.at = self.at.saturating_add(2);
        let second = self.four_hex()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(self.lone_surrogate());
        }
        let high = first.wrapping_sub(0xd800) << 10;
        let code = 0x1_0000_u32.wrapping_add(high).wrapping_add(second.wrapping_sub(0xdc00));
        char::from_u32(code).ok_or_else(|| self.lone_surrogate())
    }

    fn four_hex(&mut self) -> Admission<u32> {
        let digits = self.text.get(self.at..self.at.saturating_add(4));
        let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(code) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
            return Err(self.unexpected("four hexadecimal digits"));
        };
        self.at = self.at.saturating_add(4);
        Ok(code)
    }

    fn lone_surrogate(&self) -> Rejection {
        let detail = format!("half of a surrogate pair before byte {}", self.at);
        Rejection::new(RejectionCode::LoneSurrogate, detail)
    }

    /// Reads `true` or `false`.
    pub(crate) fn boolean(&mut self) -> Admission<bool> {
        if self.literal("true") {
            Ok(true)
        } else if self.literal("false") {
            Ok(false)
        } else {
            Err(self.unexpected("`true` or `false`"))
        }
    }

    /// Reads `null`.
    pub(crate) fn null(&mut self) -> Admission<()> {
        if self.literal("null") { Ok(()) } else { Err(self.unexpected("`null`")) }
    }

    fn literal(&mut self, word: &str) -> bool {
        self.skip_space();
        let found = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        if found {
            self.at = self.at.saturating_add(word.len());
        }
        found
    }

    /// Reads a number and returns its token.
    pub(crate) fn number(&mut self) -> Admission<&'a str> {
        self.skip_space();
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.advance();
        }
        match self.byte() {
            Some(b'0') => self.advance(),
            Some(b'1'..=b'9') => self.skip_digits(),
            _ => return Err(self.unexpected("a digit")),
        }
        if self.byte() == Some(b'.') {
            self.advance();
            self.some_digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.advance();
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.advance();
            }
            self.some_digits()?;
        }
        Ok(self.text.get(start..self.at).unwrap_or(""))
    }

    fn some_digits(&mut self) -> Admission<()> {
        if !matches!(self.byte(), Some(b'0'..=b'9')) {
            return Err(self.unexpected("a digit"));
        }
        self.skip_digits();
        Ok(())
    }

    fn skip_digits(&mut self) {
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.advance();
        }
    }

    /// Reads one value of any kind and appends its canonical form.
    pub(crate) fn canonical(&mut self, out: &mut Vec<u8>) -> Admission<()> {
        match self.kind()? {
            Kind::Object => self.canonical_object(out),
            Kind::List => self.canonical_list(out),
            Kind::String => {
                let text = self.string()?;
                write_string(out, &text);
                Ok(())
            }
            Kind::Number => write_number(out, self.number()?),
            Kind::Bool => {
                let word: &[u8] = if self.boolean()? { b"true" } else { b"false" };
                out.extend_from_slice(word);
                Ok(())
            }
            Kind::Null => {
                self.null()?;
                out.extend_from_slice(b"null");
                Ok(())
            }
        }
    }

    fn canonical_list(&mut self, out: &mut Vec<u8>) -> Admission<()> {
        self.expect(b'[')?;
        self.enter()?;
        out.push(b'[');
        let mut n_items = 0_usize;
        if !self.accept(b']') {
            loop {
                self.canonical(out).map_err(|error| error.inside(&n_items.to_string()))?;
                n_items = n_items.saturating_add(1);
                if !self.accept(b',') {
                    break;
                }
                out.push(b',');
            }
            self.expect(b']')?;
        }
        out.push(b']');
        self.leave();
        Ok(())
    }

    fn canonical_object(&mut self, out: &mut Vec<u8>) -> Admission<()> {
        self.expect(b'{')?;
        self.enter()?;
        out.push(b'{');
        let body = out.len();
        let mut members: Vec<Member<'a>> = Vec::new();
        let mut sorted = true;
        if !self.accept(b'}') {
            loop {
                let key = self.key()?;
                match members.last().map(|last| utf16_order(&last.key, &key)) {
                    None | Some(Ordering::Less) => {}
                    Some(Ordering::Equal) => return Err(duplicate_key(&key)),
                    Some(Ordering::Greater) => sorted = false,
                }
                let start = out.len();
                write_string(out, &key);
                out.push(b':');
                self.canonical(out).map_err(|error| error.inside(&key))?;
                members.push(Member { key, start, end: out.len() });
                if !self.accept(b',') {
                    break;
                }
                out.push(b',');
            }
            self.expect(b'}')?;
        }
        if !sorted {
            sort_members(out, body, members)?;
        }
        out.push(b'}');
        self.leave();
        Ok(())
    }
}

fn duplicate_key(key: &str) -> Rejection {
    let short: String = key.chars().take(64).collect();
    Rejection::new(RejectionCode::DuplicateKey, format!("the member `{short}` stands twice"))
        .inside(key)
}

/// Rewrites an object's members in order; `body` is where the first one starts.
fn sort_members(out: &mut Vec<u8>, body: usize, mut members: Vec<Member<'_>>) -> Admission<()> {
    members.sort_by(|a, b| utf16_order(&a.key, &b.key));
    for pair in members.windows(2) {
        if let [first, second] = pair
            && first.key == second.key
        {
            return Err(duplicate_key(&first.key));
        }
    }
    let mut ordered = Vec::with_capacity(out.len().saturating_sub(body));
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            ordered.push(b',');
        }
        ordered.extend_from_slice(out.get(member.start..member.end).unwrap_or(&[]));
    }
    out.truncate(body);
    out.extend_from_slice(&ordered);
    Ok(())
}

/// Orders keys by their UTF-16 code units, as RFC 8785 asks.
fn utf16_order(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}

/// Appends a string in its canonical form, quotes included.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut plain = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(bytes.get(plain..at).unwrap_or(&[]));
        write_escape(out, byte);
        plain = at.saturating_add(1);
    }
    out.extend_from_slice(bytes.get(plain..).unwrap_or(&[]));
    out.push(b'"');
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        0x08 => out.extend_from_slice(b"\\b"),
        0x09 => out.extend_from_slice(b"\\t"),
        0x0a => out.extend_from_slice(b"\\n"),
        0x0c => out.extend_from_slice(b"\\f"),
        0x0d => out.extend_from_slice(b"\\r"),
        _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::write_int;
    use proptest::prelude::*;

    fn check(input: &str) -> Result<String, RejectionCode> {
        canonical_json(input.as_bytes(), &EventLimits::STANDARD).map_err(|error| error.code)
    }

    #[test]
    fn canonical_forms() {
        let cases = [
            (r#" { "b" : 1.0 , "a" : [ true , null ] } "#, r#"{"a":[true,null],"b":1}"#),
            (r#""\u20ac\u0024\u000F\nA'\u0042\u0022\u005c\\\"\/""#, r#""€$\u000f\nA'B\"\\\\\"/""#),
            (
                "[333333333.33333329,1E30,4.50,2e-3,-0,-0.0]",
                "[333333333.3333333,1e+30,4.5,0.002,0,0]",
            ),
            ("{\"\u{fb33}\":1,\"\u{1f600}\":2}", "{\"\u{1f600}\":2,\"\u{fb33}\":1}"),
        ];
        for (input, canonical) in cases {
            assert_eq!(check(input).as_deref(), Ok(canonical), "{input}");
        }
    }

    #[test]
    fn refusals() {
        use RejectionCode as C;
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let wide: Vec<String> = (0..10_000).map(|n| format!("\"k{n}\":1")).collect();
        let cases = [
            ("", C::InvalidJson),
            ("{", C::InvalidJson),
            ("[1,]", C::InvalidJson),
            ("NaN", C::InvalidJson),
            ("01", C::InvalidJson),
            ("1 2", C::InvalidJson),
            ("\"a\nb\"", C::InvalidJson),
            (r#"{"a":1,"a":2}"#, C::DuplicateKey),
            (r#"{"b":1,"a":1,"b":2}"#, C::DuplicateKey),
            (r#"{"a":1,"\u0061":2}"#, C::DuplicateKey),
            (r#""\ud800""#, C::LoneSurrogate),
            (r#""\udc00\ud800""#, C::LoneSurrogate),
            ("9007199254740992", C::NumberTooLarge),
            ("-9007199254740993", C::NumberTooLarge),
            ("1e400", C::NumberTooLarge),
            ("1e20", C::NumberTooLarge),
            ("-9007199254740992.0", C::NumberTooLarge),
            (&deep, C::TooDeep),
            (&format!("{{{}}}", wide.join(",")), C::TooManyKeys),
        ];
        for (input, code) in cases {
            let short: String = input.chars().take(40).collect();
            assert_eq!(check(input), Err(code), "{short}");
        }
        assert_eq!(
            canonical_json(b"\"\xff\"", &EventLimits::STANDARD).map_err(|error| error.code),
            Err(C::InvalidUtf8)
        );
    }

    proptest! {
        #[test]
        fn canonical_is_idempotent_and_means_the_same(value in any_json()) {
            let once = canonical_json(value.to_string().as_bytes(), &EventLimits::STANDARD).unwrap();
            let twice = canonical_json(once.as_bytes(), &EventLimits::STANDARD).unwrap();
            prop_assert_eq!(&once, &twice);
            let read: serde_json::Value = serde_json::from_str(&once).unwrap();
            prop_assert_eq!(read, value);
        }

        #[test]
        fn hostile_bytes_never_panic(bytes: Vec<u8>) {
            let _result = canonical_json(&bytes, &EventLimits::STANDARD);
        }

        #[test]
        fn integers_are_written_in_full(value: i64) {
            let mut out = Vec::new();
            write_int(&mut out, value);
            prop_assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }

    pub(crate) fn any_json() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
            ".{0,12}".prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                proptest::collection::btree_map(".{0,6}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
