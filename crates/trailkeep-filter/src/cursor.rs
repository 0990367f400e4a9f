//! Reads the text of a filter piece by piece.

use std::fmt;

use crate::error::{Fault, Parsed};

/// The words that join terms; in quotes they are searched for.
pub(crate) const KEYWORDS: [&str; 3] = ["OR", "AND", "NOT"];

/// A place in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// What stands before a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Op {
    Is,
    Exactly,
    Above,
    AtLeast,
    Below,
    AtMost,
}

/// The operators and their signs, the longer first.
const OPS: [(&str, Op); 5] = [
    (">=", Op::AtLeast),
    ("<=", Op::AtMost),
    (">", Op::Above),
    ("<", Op::Below),
    ("=", Op::Exactly),
];

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = OPS.iter().find(|(_, op)| op == self).map_or("", |(sign, _)| *sign);
        f.write_str(sign)
    }
}

/// A value as written.
#[derive(Debug)]
pub(crate) struct RawValue {
    pub(crate) at: usize,
    pub(crate) op: Op,
    pub(crate) text: String,
    pub(crate) quotes: Quotes,
}

/// Whether a value was in quotes, where every character stands for itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Quotes {
    Absent,
    Present,
}

impl RawValue {
    /// Tells whether stars and dots in the value have their meaning.
    pub(crate) fn is_plain(&self) -> bool {
        self.op == Op::Is && self.quotes == Quotes::Absent
    }
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) {
        self.at = self.at.saturating_add(self.peek().map_or(0, char::len_utf8));
    }

    pub(crate) fn accept(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.bump();
        }
        found
    }

    fn take_while(&mut self, mut keep: impl FnMut(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = rest.split(|c| !keep(c)).next().unwrap_or("");
        self.at = self.at.saturating_add(taken.len());
        taken
    }

    pub(crate) fn skip_space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Tells whether a term cannot go on here.
    pub(crate) fn is_at_boundary(&self) -> bool {
        self.peek().is_none_or(|c| c == ')' || c.is_whitespace())
    }

    /// Skips a word that joins terms, if it stands here.
    pub(crate) fn keyword(&mut self, word: &str) -> bool {
        let Some(after) = self.rest().strip_prefix(word) else { return false };
        let ends = after.chars().next().is_none_or(|c| matches!(c, '(' | ')') || c.is_whitespace());
        if ends {
            self.at = self.at.saturating_add(word.len());
        }
        ends
    }

    /// Tells whether a word that joins terms stands here.
    pub(crate) fn is_at_keyword(mut self) -> Option<&'static str> {
        KEYWORDS.into_iter().find(|word| self.keyword(word))
    }

    /// Reads `name:` or `name.member:` and returns its segments; reads nothing where the word
    /// here has no colon.
    pub(crate) fn name(&mut self) -> Parsed<Option<Vec<String>>> {
        let start = *self;
        let mut segments: Vec<String> = Vec::new();
        let mut missing = None;
        loop {
            if !segments.is_empty() && self.peek() == Some('"') {
                segments.push(self.quoted()?);
            } else {
                let segment = self.take_while(|c| {
                    !matches!(c, '.' | ':' | '"' | '(' | ')') && !c.is_whitespace()
                });
                if segment.is_empty() {
                    missing = missing.or(Some(self.at));
                }
                segments.push(segment.to_owned());
            }
            if self.accept('.') {
                continue;
            }
            if !self.accept(':') {
                *self = start;
                return Ok(None);
            }
            return match missing {
                None => Ok(Some(segments)),
                Some(at) => Err(Fault::new(at, "a name is missing here")
                    .hint("quote the whole word to search for it as text")),
            };
        }
    }

    /// Reads a value with its operator.
    pub(crate) fn value(&mut self) -> Parsed<RawValue> {
        let at = self.at;
        let found = OPS.into_iter().find(|(sign, _)| self.rest().starts_with(sign));
        let op = found.map_or(Op::Is, |(_, op)| op);
        self.at = self.at.saturating_add(found.map_or(0, |(sign, _)| sign.len()));
        if self.peek() != Some('"') {
            return Ok(RawValue { at, op, text: self.word()?, quotes: Quotes::Absent });
        }
        let text = self.quoted()?;
        if !self.is_at_boundary() {
            return Err(Fault::new(self.at, "a space is missing after the closing quote"));
        }
        Ok(RawValue { at, op, text, quotes: Quotes::Present })
    }

    /// Reads a word without quotes. Parentheses that it opens itself are a part of it.
    fn word(&mut self) -> Parsed<String> {
        let mut n_open = 0_usize;
        let word = self.take_while(|c| match c {
            '(' => {
                n_open = n_open.saturating_add(1);
                true
            }
            ')' => n_open.checked_sub(1).is_some_and(|left| {
                n_open = left;
                true
            }),
            _ => c != '"' && !c.is_whitespace(),
        });
        if self.peek() == Some('"') {
            return Err(Fault::new(self.at, "a quote stands inside a word")
                .hint("put the whole text in quotes, and write `\\\"` for a quote in it"));
        }
        if word.is_empty() {
            return Err(Fault::new(self.at, "a value is missing"));
        }
        Ok(word.to_owned())
    }

    /// Reads a text in quotes, with `\"` and `\\` in it.
    fn quoted(&mut self) -> Parsed<String> {
        let start = self.at;
        self.bump();
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| !matches!(c, '"' | '\\')));
            if self.accept('"') {
                return Ok(text);
            }
            let escape = self.at;
            if !self.accept('\\') {
                return Err(Fault::new(start, "this quote is not closed"));
            }
            let Some(escaped @ ('"' | '\\')) = self.peek() else {
                let message = "a backslash in quotes escapes a quote or a backslash";
                return Err(Fault::new(escape, message).hint("write `\\\\` for a backslash"));
            };
            text.push(escaped);
            self.bump();
        }
    }
}
