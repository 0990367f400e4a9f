//! Strings: read with their escapes, written in their canonical form.

use std::borrow::Cow;

use super::Scanner;
use super::plain::{is_plain, plain_len};
use crate::position::Admission;
use crate::push::push_start;
use crate::{Rejection, RejectionCode};

/// A string that has no escape: the input from its first byte on, and how many bytes are its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain<'a> {
    pub(crate) from: &'a [u8],
    pub(crate) len: usize,
}

impl<'a> Plain<'a> {
    /// Returns the string's bytes, which are UTF-8.
    #[inline]
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.from.get(..self.len).unwrap_or(self.from)
    }
}

impl<'a> Scanner<'a> {
    /// Reads a string and decodes its escapes; borrows where there are none.
    pub(crate) fn string(&mut self) -> Admission<Cow<'a, str>> {
        self.skip_space();
        let start = self.at.saturating_add(1);
        match self.plain_string() {
            Some(plain) => {
                let end = start.saturating_add(plain.len);
                Ok(Cow::Borrowed(self.text.get(start..end).unwrap_or("")))
            }
            None => self.decoded().map(Cow::Owned),
        }
    }

    /// Reads a string that has no escape; where it has, or is none, stays in front of it.
    #[inline]
    pub(crate) fn plain_string(&mut self) -> Option<Plain<'a>> {
        let plain = self.plain()?;
        self.at = self.at.wrapping_add(plain.len).wrapping_add(2);
        Some(plain)
    }

    /// Reads a member's key that has no escape and the colon after it, where no space parts them;
    /// else stays in front of it.
    #[inline]
    pub(super) fn plain_key(&mut self) -> Option<&'a [u8]> {
        let plain = self.plain()?;
        let behind = self.at.wrapping_add(plain.len).wrapping_add(2);
        if self.bytes().get(behind) != Some(&b':') {
            return None;
        }
        self.at = behind.wrapping_add(1);
        Some(plain.bytes())
    }

    #[inline]
    fn plain(&self) -> Option<Plain<'a>> {
        let from = self.bytes().get(self.at..)?.strip_prefix(b"\"")?;
        let len = plain_len(from);
        (from.get(len) == Some(&b'"')).then_some(Plain { from, len })
    }

    /// Reads a string of any kind.
    #[cold]
    pub(super) fn decoded(&mut self) -> Admission<String> {
        self.expect(b'"')?;
        let mut decoded = String::new();
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.advance();
                    return Ok(decoded);
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
        self.at = self.at.saturating_add(plain_len(rest));
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
}

/// Appends a string in its canonical form, quotes included.
#[inline]
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    write_utf8(out, text.as_bytes());
}

/// Appends bytes that are UTF-8 as a string in its canonical form, quotes included.
pub(crate) fn write_utf8(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    write_opened(out, text, text.len());
}

/// Appends the first `len` bytes of `from`, which are UTF-8, as the rest of a string whose first
/// quote is there.
#[inline]
pub(crate) fn write_opened(out: &mut Vec<u8>, from: &[u8], len: usize) {
    if is_plain(from, len) {
        push_start(out, from, len);
    } else {
        write_escaped(out, from.get(..len).unwrap_or(from));
    }
    out.push(b'"');
}

fn write_escaped(out: &mut Vec<u8>, mut text: &[u8]) {
    while let Some((plain, special)) = text.split_at_checked(plain_len(text)) {
        out.extend_from_slice(plain);
        let Some((byte, after)) = special.split_first() else { break };
        write_escape(out, *byte);
        text = after;
    }
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
