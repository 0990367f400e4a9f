//! Walks over canonical JSON without building a tree. Text that is not canonical JSON never
//! panics: nothing more is found in it.

use std::borrow::Cow;

/// The deepest nesting that is looked into.
const DEPTH_MAX: usize = 128;

/// Receives the keys above a value, and its text.
type Visit<'v, 'a> = &'v mut dyn FnMut(&[Cow<'a, str>], Cow<'a, str>);

/// Calls `visit` with each string, number and truth value in a JSON text and the keys above it. A
/// list's elements stand in its place; null is nothing.
pub(crate) fn each_leaf<'a>(json: &'a str, visit: Visit<'_, 'a>) {
    let mut keys = Vec::new();
    // What is behind a place that is not canonical is not looked at.
    let _end: Option<()> = Reader { rest: json, depth: 0 }.value(&mut keys, visit);
}

/// Tells whether a path leads to a value below some keys. As in filters a key may hold several
/// parts of the path, with dots between them.
pub(crate) fn leads_to(path: &[String], keys: &[Cow<'_, str>]) -> bool {
    match keys.split_first() {
        None => path.is_empty(),
        Some((key, below)) => after_key(path, key).is_some_and(|left| leads_to(left, below)),
    }
}

/// Tells whether JSON may have a member at a path: cheap, and `false` is certain.
pub(crate) fn may_have(json: &str, path: &[String]) -> bool {
    let is_escaped =
        |key: &str| key.bytes().any(|byte| byte < 0x20 || matches!(byte, b'"' | b'\\'));
    path.last().is_none_or(|key| is_escaped(key) || json.contains(key.as_str()))
}

/// Returns what is left of a path behind a key.
fn after_key<'p>(path: &'p [String], key: &str) -> Option<&'p [String]> {
    let (mut left, mut key) = (path, key);
    loop {
        let (part, behind) = left.split_first()?;
        key = key.strip_prefix(part.as_str())?;
        left = behind;
        if key.is_empty() {
            return Some(left);
        }
        key = key.strip_prefix('.')?;
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

/// `None` is text that is not canonical JSON.
impl<'a> Reader<'a> {
    fn accept(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, keys: &mut Vec<Cow<'a, str>>, visit: Visit<'_, 'a>) -> Option<()> {
        if self.rest.starts_with('"') {
            visit(keys, self.string()?);
            return Some(());
        }
        if !self.rest.starts_with(['{', '[']) {
            let word = self.word()?;
            if word != "null" {
                visit(keys, Cow::Borrowed(word));
            }
            return Some(());
        }
        self.depth = self.depth.checked_add(1).filter(|depth| *depth <= DEPTH_MAX)?;
        if self.accept('{') {
            self.object(keys, visit)?;
        } else {
            self.list(keys, visit)?;
        }
        self.depth = self.depth.saturating_sub(1);
        Some(())
    }

    fn object(&mut self, keys: &mut Vec<Cow<'a, str>>, visit: Visit<'_, 'a>) -> Option<()> {
        if self.accept('}') {
            return Some(());
        }
        loop {
            keys.push(self.string()?);
            self.accept(':').then_some(())?;
            self.value(keys, visit)?;
            keys.pop();
            if !self.accept(',') {
                return self.accept('}').then_some(());
            }
        }
    }

    fn list(&mut self, keys: &mut Vec<Cow<'a, str>>, visit: Visit<'_, 'a>) -> Option<()> {
        self.accept('[').then_some(())?;
        if self.accept(']') {
            return Some(());
        }
        loop {
            self.value(keys, visit)?;
            if !self.accept(',') {
                return self.accept(']').then_some(());
            }
        }
    }

    fn word(&mut self) -> Option<&'a str> {
        let len = self.rest.find([',', ':', '{', '}', '[', ']', '"']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        (len > 0).then_some(word)
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.accept('"').then_some(())?;
        let len = self.rest.find(['"', '\\'])?;
        let (plain, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        if self.accept('"') {
            return Some(Cow::Borrowed(plain));
        }
        let mut text = plain.to_owned();
        while self.accept('\\') {
            text.push(self.escape()?);
            let len = self.rest.find(['"', '\\'])?;
            let (plain, rest) = self.rest.split_at_checked(len)?;
            text.push_str(plain);
            self.rest = rest;
        }
        self.accept('"').then_some(Cow::Owned(text))
    }

    /// Canonical JSON writes only control characters as `\u`, so there are no surrogates.
    fn escape(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let escaped = chars.next()?;
        self.rest = chars.as_str();
        Some(match escaped {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let (digits, rest) = self.rest.split_at_checked(4)?;
                self.rest = rest;
                char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
            }
            same => same,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use trailkeep_testkit::any_canonical_json;

    fn leaves(json: &str) -> Vec<(Vec<String>, String)> {
        let mut leaves = Vec::new();
        each_leaf(json, &mut |keys, text| {
            leaves.push((
                keys.iter().map(|key| key.clone().into_owned()).collect(),
                text.into_owned(),
            ));
        });
        leaves
    }

    fn of_tree(tree: &serde_json::Value, keys: &[String], out: &mut Vec<(Vec<String>, String)>) {
        use serde_json::Value;
        match tree {
            Value::Null => {}
            Value::String(text) => out.push((keys.to_vec(), text.clone())),
            Value::Bool(truth) => out.push((keys.to_vec(), truth.to_string())),
            // As written: how numbers are written is another crate's to test.
            Value::Number(_) => out.push((keys.to_vec(), "#".to_owned())),
            Value::Array(list) => list.iter().for_each(|value| of_tree(value, keys, out)),
            Value::Object(members) => {
                for (key, value) in members {
                    of_tree(value, &[keys, std::slice::from_ref(key)].concat(), out);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_leaves_of_a_tree(json in any_canonical_json()) {
            let tree: serde_json::Value = serde_json::from_str(&json).unwrap();
            let mut expected = Vec::new();
            of_tree(&tree, &[], &mut expected);
            let mut found = leaves(&json);
            prop_assert_eq!(found.len(), expected.len());
            // The tree sorts its keys by other rules.
            found.sort_unstable();
            expected.sort_unstable();
            let numbers = expected.iter().filter(|(_, text)| text == "#").count();
            found.retain(|leaf| expected.contains(leaf));
            expected.retain(|(_, text)| text != "#");
            prop_assert!(found.len() >= expected.len());
            prop_assert!(found.len() <= expected.len() + numbers);
        }

        #[test]
        fn hostile_text_never_panics(json in "[\\[{\"a:,1\\\\u\u{e9}}\\]]{0,40}|.{0,20}|\\[{0,300}") {
            drop(leaves(&json));
        }
    }

    #[test]
    fn keys_and_paths() {
        let found = leaves(r#"{"a":{"b":"x"},"a.b":[1,{"c":true},null],"q\"\u0001":"\n"}"#);
        let at = |path: &[&str]| -> Vec<&str> {
            let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
            let below = |keys: &[String]| {
                let keys: Vec<Cow<'_, str>> =
                    keys.iter().map(|key| Cow::from(key.as_str())).collect();
                leads_to(&path, &keys)
            };
            found.iter().filter(|(keys, _)| below(keys)).map(|(_, text)| text.as_str()).collect()
        };
        assert_eq!(at(&["a", "b"]), ["x", "1"]);
        assert_eq!(at(&["a.b"]), ["1"]);
        assert_eq!(at(&["a", "b", "c"]), ["true"]);
        assert_eq!(at(&["q\"\u{1}"]), ["\n"]);
        assert!(at(&["a"]).is_empty());
    }
}
