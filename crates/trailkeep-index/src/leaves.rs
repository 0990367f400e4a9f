//! Walks the texts of canonical JSON without building a tree.

use memchr::memchr2;

/// Calls `visit` with each key, string, number and truth value. What is not canonical JSON never
/// panics, and hides nothing that stands before it.
pub(crate) fn each_leaf(json: &str, mut visit: impl FnMut(&str)) {
    let mut at = 0;
    while let Some(rest) = json.get(at..).filter(|rest| !rest.is_empty()) {
        let n_bytes = match rest.as_bytes().first() {
            Some(b'"') => string(rest, &mut visit),
            Some(byte) if is_mark(*byte) => 1,
            _ => word(rest, &mut visit),
        };
        at = at.saturating_add(n_bytes);
    }
}

fn is_mark(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':')
}

/// Reads a number, `true`, `false` or `null`, and returns its length.
fn word(rest: &str, visit: &mut impl FnMut(&str)) -> usize {
    let ends = |byte: u8| is_mark(byte) || byte == b'"';
    let word = rest.split(|c| u8::try_from(c).is_ok_and(ends)).next().unwrap_or(rest);
    if word != "null" {
        visit(word);
    }
    word.len()
}

/// Reads a string that starts with its quote, and returns its length with both quotes.
fn string(rest: &str, visit: &mut impl FnMut(&str)) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1_usize;
    let mut escaped = false;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at = at.saturating_add(found);
        if bytes.get(at) == Some(&b'"') {
            let raw = rest.get(1..at).unwrap_or("");
            if escaped {
                visit(&unescape(raw));
            } else {
                visit(raw);
            }
            return at.saturating_add(1);
        }
        escaped = true;
        at = at.saturating_add(2);
    }
    rest.len()
}

/// Replaces escapes. Canonical JSON writes only control characters as `\u`, so no surrogates.
fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut chars = escape.chars();
        match chars.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let code = escape.get(1..5).and_then(|hex| u32::from_str_radix(hex, 16).ok());
                if let Some(c) = code.and_then(char::from_u32) {
                    out.push(c);
                    chars = escape.get(5..).unwrap_or("").chars();
                }
            }
            Some(same) => out.push(same),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(json: &str) -> Vec<String> {
        let mut found = Vec::new();
        each_leaf(json, |leaf| found.push(leaf.to_owned()));
        found
    }

    #[test]
    fn cases() {
        let json = r#"{"":1,"k":[-1.5e3,null,"a\tb"],"q\"\\":{"t":false,"u":"\u0001x"}}"#;
        let expected = ["", "1", "k", "-1.5e3", "a\tb", "q\"\\", "t", "false", "u", "\u{1}x"];
        assert_eq!(leaves(json), expected);
        assert_eq!(leaves("\"open"), Vec::<String>::new());
        assert_eq!(leaves("\u{e9}\"\\"), ["\u{e9}"]);
    }

    proptest! {
        #[test]
        fn hostile_text_never_panics(text in "[{}\\[\\]:,\"\\\\a\u{e9}nu0-9]{0,40}") {
            leaves(&text);
        }
    }
}
