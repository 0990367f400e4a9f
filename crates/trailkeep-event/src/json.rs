//! Strict I-JSON in, canonical JSON (RFC 8785) out, in one pass.

mod canonical;
mod plain;
mod skip;
mod text;

use std::borrow::Cow;

use self::canonical::Member;
pub(crate) use self::text::{Plain, write_opened, write_string};
use crate::number::leading_integer;
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

/// Returns a key for messages and pointers.
pub(crate) fn lossy(key: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(key)
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
    /// The members read so far of the objects that are being written, the innermost last.
    members: Vec<Member<'a>>,
    limits: &'a EventLimits,
}

impl<'a> Scanner<'a> {
    /// Starts at the front of `text`.
    pub(crate) fn new(text: &'a str, limits: &'a EventLimits) -> Self {
        Self { text, at: 0, depth: 0, keys: 0, members: Vec::new(), limits }
    }

    /// Returns the next byte's offset.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    #[inline]
    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.bytes().get(self.at).copied()
    }

    #[inline]
    fn advance(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// Skips white space.
    #[inline]
    pub(crate) fn skip_space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.advance();
        }
    }

    /// Makes the rejection of what stands at the next byte.
    #[cold]
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
    #[inline]
    pub(crate) fn expect(&mut self, byte: u8) -> Admission<()> {
        self.skip_space();
        if self.byte() == Some(byte) {
            self.advance();
            Ok(())
        } else {
            Err(self.unexpected_byte(byte))
        }
    }

    #[cold]
    fn unexpected_byte(&self, expected: u8) -> Rejection {
        self.unexpected(&format!("`{}`", char::from(expected)))
    }

    /// Skips one byte if it is there.
    #[inline]
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
    #[inline]
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
    #[inline]
    pub(crate) fn enter(&mut self) -> Admission<()> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > self.limits.depth_max { Err(self.too_deep()) } else { Ok(()) }
    }

    #[cold]
    fn too_deep(&self) -> Rejection {
        let detail = format!("nested deeper than {} levels", self.limits.depth_max);
        Rejection::new(RejectionCode::TooDeep, detail)
    }

    #[cold]
    fn too_many_keys(&self) -> Rejection {
        let detail = format!("more than {} object members", self.limits.keys_max);
        Rejection::new(RejectionCode::TooManyKeys, detail)
    }

    /// Leaves an object or list.
    pub(crate) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Reads a member's key and the colon after it. Keys are UTF-8.
    #[inline]
    pub(crate) fn key(&mut self) -> Admission<Cow<'a, [u8]>> {
        self.keys = self.keys.saturating_add(1);
        if self.keys > self.limits.keys_max {
            return Err(self.too_many_keys());
        }
        self.skip_space();
        match self.plain_key() {
            Some(key) => Ok(Cow::Borrowed(key)),
            None => self.any_key().map(Cow::Owned),
        }
    }

    #[cold]
    fn any_key(&mut self) -> Admission<Vec<u8>> {
        if self.byte() != Some(b'"') {
            return Err(self.unexpected("a member name"));
        }
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key.into_owned().into_bytes())
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

    /// Reads an integer of few digits without a sign; where it is none, stays in front of it.
    #[inline]
    pub(crate) fn short_integer(&mut self) -> Option<i64> {
        let rest = self.bytes().get(self.at..)?;
        let (value, len) = leading_integer(rest)?;
        if matches!(rest.get(len), Some(b'.' | b'e' | b'E')) {
            return None;
        }
        self.at = self.at.wrapping_add(len);
        Some(value)
    }

    /// Reads a number and returns its token.
    #[inline]
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

    #[inline]
    fn skip_digits(&mut self) {
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.advance();
        }
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
