//! Looks into canonical JSON without building a tree. Text that is not canonical JSON never
//! panics: nothing more is found in it.

use std::borrow::Cow;

use memchr::{memchr2, memmem};

use crate::fold::holds_folded;

/// The deepest nesting of lists that is looked into.
const LISTS_MAX: usize = 128;

/// Something found in JSON. `null` is nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Leaf<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A number, `true` or `false`, as written.
    Word(&'a str),
    /// An object or a list.
    Group,
}

impl Leaf<'_> {
    /// Returns the text that values are compared with.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Word(word) => Some(word),
            Self::Group => None,
        }
    }
}

/// Tells whether `test` passes on a value at the path. A list is looked into as if each element
/// stood in its place; a member's key may hold several segments with their dots.
pub(crate) fn any_at(json: &str, path: &[String], mut test: impl FnMut(&Leaf<'_>) -> bool) -> bool {
    Reader { text: json, at: 0, n_lists: 0 }.value(path, &mut test).unwrap_or(false)
}

/// Tells whether `test` passes on a key, string, number or truth value anywhere.
pub(crate) fn any_leaf(json: &str, mut test: impl FnMut(&str) -> bool) -> bool {
    let mut reader = Reader { text: json, at: 0, n_lists: 0 };
    reader.leaf(&mut test).unwrap_or(false)
}

/// Tells whether `test` passes on the value of a `["name","value"]` pair of this lower-case name.
pub(crate) fn any_header(json: &str, name: &str, mut test: impl FnMut(&str) -> bool) -> bool {
    Reader { text: json, at: 0, n_lists: 0 }.header(name, &mut test).unwrap_or(false)
}

/// Tells whether a string of the JSON may hold `text`: cheap, and `false` is certain. What is
/// written as an escape is not looked for.
pub(crate) fn may_hold(json: &str, text: &str) -> bool {
    is_escaped(text) || memmem::find(json.as_bytes(), text.as_bytes()).is_some()
}

/// The same as [`may_hold`] for a folded text, in any case.
pub(crate) fn may_hold_folded(json: &str, text: &str) -> bool {
    is_escaped(text) || holds_folded(json, text)
}

/// Tells whether JSON writes a part of the text as an escape.
pub(crate) fn is_escaped(text: &str) -> bool {
    text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    n_lists: usize,
}

/// `None` is text that is not canonical JSON.
impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at = self.at.saturating_add(1);
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.accept(byte).then_some(())
    }

    fn value(&mut self, path: &[String], test: &mut impl FnMut(&Leaf<'_>) -> bool) -> Option<bool> {
        match self.peek()? {
            b'{' if path.is_empty() => {
                self.skip()?;
                Some(test(&Leaf::Group))
            }
            b'{' => self.object(path, test),
            b'[' => self.list(path, test),
            b'"' if path.is_empty() => Some(test(&Leaf::Text(self.string()?))),
            b'"' => self.skip().map(|()| false),
            _ => {
                let word = self.word()?;
                Some(path.is_empty() && word != "null" && test(&Leaf::Word(word)))
            }
        }
    }

    fn object(
        &mut self,
        path: &[String],
        test: &mut impl FnMut(&Leaf<'_>) -> bool,
    ) -> Option<bool> {
        self.expect(b'{')?;
        if self.accept(b'}') {
            return Some(false);
        }
        loop {
            let key = self.string()?;
            self.expect(b':')?;
            match after_key(path, &key) {
                Some(rest) if self.value(rest, test)? => return Some(true),
                Some(_) => {}
                None => self.skip()?,
            }
            if !self.accept(b',') {
                break;
            }
        }
        self.expect(b'}').map(|()| false)
    }

    fn list(&mut self, path: &[String], test: &mut impl FnMut(&Leaf<'_>) -> bool) -> Option<bool> {
        self.expect(b'[')?;
        if self.n_lists == LISTS_MAX {
            return None;
        }
        if path.is_empty() && test(&Leaf::Group) {
            return Some(true);
        }
        if self.accept(b']') {
            return Some(false);
        }
        self.n_lists = self.n_lists.saturating_add(1);
        loop {
            if self.value(path, test)? {
                return Some(true);
            }
            if !self.accept(b',') {
                break;
            }
        }
        self.n_lists = self.n_lists.saturating_sub(1);
        self.expect(b']').map(|()| false)
    }

    fn leaf(&mut self, test: &mut impl FnMut(&str) -> bool) -> Option<bool> {
        while let Some(byte) = self.peek() {
            let found = match byte {
                b'"' => test(&self.string()?),
                b'{' | b'}' | b'[' | b']' | b',' | b':' => {
                    self.at = self.at.saturating_add(1);
                    false
                }
                _ => {
                    let word = self.word()?;
                    word != "null" && test(word)
                }
            };
            if found {
                return Some(true);
            }
        }
        Some(false)
    }

    fn header(&mut self, name: &str, test: &mut impl FnMut(&str) -> bool) -> Option<bool> {
        self.expect(b'[')?;
        while self.accept(b'[') {
            let named = self.string()?.eq_ignore_ascii_case(name);
            self.expect(b',')?;
            let value = self.string()?;
            if named && test(&value) {
                return Some(true);
            }
            self.expect(b']')?;
            self.accept(b',');
        }
        Some(false)
    }

    /// Skips one value of any kind; nesting costs a counter, not a call.
    fn skip(&mut self) -> Option<()> {
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
                b'"' => self.raw_string().map(drop)?,
                _ => self.word().map(drop)?,
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// Reads a number, `true`, `false` or `null`.
    fn word(&mut self) -> Option<&'a str> {
        let rest = self.text.get(self.at..)?;
        let ends = |byte: u8| matches!(byte, b',' | b':' | b'{' | b'}' | b'[' | b']' | b'"');
        let word = rest.get(..rest.bytes().position(ends).unwrap_or(rest.len()))?;
        self.at = self.at.saturating_add(word.len());
        (!word.is_empty()).then_some(word)
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        match self.raw_string()? {
            (raw, Escapes::None) => Some(Cow::Borrowed(raw)),
            (raw, Escapes::Some) => unescape(raw).map(Cow::Owned),
        }
    }

    fn raw_string(&mut self) -> Option<(&'a str, Escapes)> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escapes = Escapes::None;
        loop {
            let rest = self.text.as_bytes().get(self.at..)?;
            self.at = self.at.saturating_add(memchr2(b'"', b'\\', rest)?);
            let end = self.at;
            if self.accept(b'"') {
                return Some((self.text.get(start..end)?, escapes));
            }
            escapes = Escapes::Some;
            self.at = self.at.saturating_add(2);
        }
    }
}

#[derive(Clone, Copy)]
enum Escapes {
    None,
    Some,
}

/// Returns what is left of the path after a member's key, which holds one or more segments.
pub(crate) fn after_key<'p>(path: &'p [String], key: &str) -> Option<&'p [String]> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const JSON: &str = r#"{"":1,"a":{"b":"x","c":[1,{"d":"y"},["z",null]]},"a.b":"w","n":null,"q\"\n":"\u0001\\","t":true}"#;

    fn at(path: &[&str]) -> Vec<String> {
        let path: Vec<String> = path.iter().map(|segment| (*segment).to_owned()).collect();
        let mut found = Vec::new();
        any_at(JSON, &path, |leaf| {
            found.push(leaf.as_text().unwrap_or("(group)").to_owned());
            false
        });
        found
    }

    #[test]
    fn paths() {
        assert_eq!(at(&["a", "b"]), ["x", "w"]);
        assert_eq!(at(&["a"]), ["(group)"]);
        assert_eq!(at(&["a", "c"]), ["(group)", "1", "(group)", "(group)", "z"]);
        assert_eq!(at(&["a", "c", "d"]), ["y"]);
        assert_eq!(at(&["n"]), Vec::<String>::new());
        assert_eq!(at(&["q\"\n"]), ["\u{1}\\"]);
        assert_eq!(at(&["t"]), ["true"]);
        assert_eq!(at(&[""]), ["1"]);
        assert_eq!(at(&["t", "x"]), Vec::<String>::new());
        assert_eq!(at(&[]), ["(group)"]);
    }

    #[test]
    fn leaves() {
        let mut found = Vec::new();
        any_leaf(r#"{"k":[1,null,"a\tb"],"t":false}"#, |leaf| {
            found.push(leaf.to_owned());
            false
        });
        assert_eq!(found, ["k", "1", "a\tb", "t", "false"]);
    }

    #[test]
    fn headers() {
        let json = r#"[["Accept","*/*"],["X-A","1"],["x-a","2"]]"#;
        let mut found = Vec::new();
        any_header(json, "x-a", |value| {
            found.push(value.to_owned());
            false
        });
        assert_eq!(found, ["1", "2"]);
    }

    #[test]
    fn deep_nesting_is_bounded() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(!any_at(&deep, &["a".to_owned()], |leaf| leaf.as_text() == Some("1")));
        assert!(any_at(&format!("{{\"b\":{deep},\"c\":1}}"), &["c".to_owned()], |_| true));
    }

    proptest! {
        #[test]
        fn hostile_text_never_panics(
            text in "[{}\\[\\]:,\"\\\\a\u{e9}nu0-9]{0,40}", path in prop::collection::vec("a?", 0..3)
        ) {
            any_at(&text, &path, |_| false);
            any_leaf(&text, |_| false);
            any_header(&text, "a", |_| false);
        }
    }
}
