//! Finds one member's value in canonical JSON without building a tree. Text that is not canonical
//! JSON never panics: nothing is found in it.

use std::borrow::Cow;

use memchr::{memchr2, memmem};

/// A member to look for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Member {
    path: Vec<String>,
    /// What the JSON holds if it has the member: the last key as it is written, where keys are
    /// written plainly.
    needle: Option<String>,
}

impl Member {
    pub(crate) fn new(path: &[String]) -> Self {
        let plain = |key: &&String| !key.bytes().any(|b| b < 0x20 || b == b'"' || b == b'\\');
        let needle = path.last().filter(plain).map(|key| format!("{key}\":"));
        Self { path: path.to_vec(), needle }
    }

    /// Returns the member's value: a text without its quotes, anything else as it is written.
    /// What is null or not there is `None`. A key that itself holds dots (`a.b`) is found as well
    /// as `b` in `a`.
    pub(crate) fn find<'a>(&self, json: &'a str) -> Option<Cow<'a, str>> {
        // Most entries do not have the member, and this is many times cheaper than a walk.
        if let Some(needle) = &self.needle
            && memmem::find(json.as_bytes(), needle.as_bytes()).is_none()
        {
            return None;
        }
        Reader { text: json, at: 0 }.value(&self.path).flatten()
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// The outer `None` is text that is not canonical JSON, the inner one that nothing was found.
type Found<'a> = Option<Option<Cow<'a, str>>>;

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at = self.at.saturating_add(usize::from(found));
        found
    }

    /// Reads one value and returns what stands at the path in it.
    fn value(&mut self, path: &[String]) -> Found<'a> {
        if !path.is_empty() {
            return if self.peek()? == b'{' {
                self.object(path)
            } else {
                self.skip().map(|_| None)
            };
        }
        if self.peek()? == b'"' {
            return self.string().map(Some);
        }
        let written = self.skip()?;
        Some((written != "null").then_some(Cow::Borrowed(written)))
    }

    fn object(&mut self, path: &[String]) -> Found<'a> {
        self.accept(b'{').then_some(())?;
        if self.accept(b'}') {
            return Some(None);
        }
        loop {
            let key = self.string()?;
            self.accept(b':').then_some(())?;
            match after_key(path, &key) {
                Some(rest) => {
                    if let Some(found) = self.value(rest)? {
                        return Some(Some(found));
                    }
                }
                None => drop(self.skip()?),
            }
            if !self.accept(b',') {
                return self.accept(b'}').then_some(None);
            }
        }
    }

    /// Skips one value of any kind and returns it as written; nesting costs a counter, not a call.
    fn skip(&mut self) -> Option<&'a str> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'{' | b'[' => {
                    depth = depth.saturating_add(1);
                    self.at = self.at.saturating_add(1);
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at = self.at.saturating_add(1);
                }
                b',' | b':' => self.at = self.at.saturating_add(1),
                b'"' => self.raw_string().map(|_| ())?,
                _ => self.word()?,
            }
            if depth == 0 {
                return self.text.get(start..self.at);
            }
        }
    }

    fn word(&mut self) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let ends = |byte: &u8| matches!(byte, b',' | b':' | b'{' | b'}' | b'[' | b']' | b'"');
        let len = rest.iter().position(ends).unwrap_or(rest.len());
        self.at = self.at.saturating_add(len);
        (len > 0).then_some(())
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        match self.raw_string()? {
            (raw, None) => Some(Cow::Borrowed(raw)),
            (raw, Some(Escaped)) => unescape(raw).map(Cow::Owned),
        }
    }

    fn raw_string(&mut self) -> Option<(&'a str, Option<Escaped>)> {
        self.accept(b'"').then_some(())?;
        let start = self.at;
        let mut escaped = None;
        loop {
            let rest = self.text.as_bytes().get(self.at..)?;
            self.at = self.at.saturating_add(memchr2(b'"', b'\\', rest)?);
            let end = self.at;
            if self.accept(b'"') {
                return Some((self.text.get(start..end)?, escaped));
            }
            escaped = Some(Escaped);
            self.at = self.at.saturating_add(2);
        }
    }
}

/// A string holds escapes.
struct Escaped;

/// Returns what is left of the path after a member's key, which holds one or more segments.
fn after_key<'p>(path: &'p [String], key: &str) -> Option<&'p [String]> {
    let mut rest = key;
    let mut segments = path;
    loop {
        let (segment, left) = segments.split_first()?;
        rest = rest.strip_prefix(segment.as_str())?;
        if rest.is_empty() {
            return Some(left);
        }
        rest = rest.strip_prefix('.')?;
        segments = left;
    }
}

/// Replaces escapes. Canonical JSON writes only control characters as `\u`, so no surrogates.
fn unescape(raw: &str) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut chars = escape.chars();
        let replaced = match chars.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let code = u32::from_str_radix(escape.get(1..5)?, 16).ok()?;
                chars = escape.get(5..)?.chars();
                char::from_u32(code)?
            }
            same => same,
        };
        out.push(replaced);
        rest = chars.as_str();
    }
    out.push_str(rest);
    Some(out)
}

/// Reads a number, also one that is sent as text, by the rule of filters.
pub(crate) fn number(text: &str) -> Option<f64> {
    let starts = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    starts.then(|| text.parse().ok())?.filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use trailkeep_testkit::any_canonical_json;

    const JSON: &str = r#"{"":1,"a":{"b":"x","c":[1,{"d":"y"}]},"a.b":"w","e.f":{"g":true},"n":null,"q\"\n":"\u0001\\"}"#;

    fn at(path: &[&str]) -> Option<String> {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        Member::new(&path).find(JSON).map(Cow::into_owned)
    }

    #[test]
    fn members() {
        let cases = [
            (&["a", "b"][..], Some("x")),
            (&["a", "c"], Some(r#"[1,{"d":"y"}]"#)),
            (&["a", "c", "d"], None),
            (&["a"], Some(r#"{"b":"x","c":[1,{"d":"y"}]}"#)),
            (&["e", "f", "g"], Some("true")),
            (&["n"], None),
            (&["n", "m"], None),
            (&["q\"\n"], Some("\u{1}\\")),
            (&[""], Some("1")),
            (&["b"], None),
        ];
        for (path, value) in cases {
            assert_eq!(at(path).as_deref(), value, "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn hostile_text_never_panics(
            text in "[{}\\[\\]:,\"\\\\a\u{e9}nu0-9]{0,40}", path in prop::collection::vec("a?", 1..3)
        ) {
            Member::new(&path).find(&text);
        }

        #[test]
        fn agrees_with_a_tree(value in any_canonical_json(), key in "[a-z]{1,3}") {
            let json = format!("{{\"{key}\":{value}}}");
            let tree: serde_json::Value = serde_json::from_str(&value).unwrap();
            let expected = match &tree {
                serde_json::Value::Null => None,
                serde_json::Value::String(text) => Some(text.clone()),
                _ => Some(value.clone()),
            };
            let found = Member::new(&[key]).find(&json).map(Cow::into_owned);
            prop_assert_eq!(found, expected);
        }
    }
}
