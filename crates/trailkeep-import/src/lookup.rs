//! Tables from a record's words to an event's.

use std::collections::BTreeMap;

/// A table of words; a key that ends in `*` matches every value that starts with it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Lookup {
    exact: BTreeMap<String, String>,
    /// The longest first.
    prefixes: Vec<(String, String)>,
    other: Option<String>,
}

impl Lookup {
    /// Makes a table; `other` is for values that are not in it.
    pub(crate) fn new(words: Vec<(String, String)>, other: Option<String>) -> Self {
        let mut lookup = Self { other, ..Self::default() };
        for (key, word) in words {
            match key.strip_suffix('*') {
                Some(prefix) => lookup.prefixes.push((prefix.to_owned(), word)),
                None => {
                    lookup.exact.insert(key, word);
                }
            }
        }
        lookup.prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        lookup
    }

    /// Finds the word for a value.
    pub(crate) fn find(&self, value: &str) -> Option<&str> {
        let prefix = || self.prefixes.iter().find(|(prefix, _)| value.starts_with(prefix));
        let found = self.exact.get(value).or_else(|| prefix().map(|(_, word)| word));
        found.or(self.other.as_ref()).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_then_longest_prefix_then_other() {
        let words = [("403", "denied"), ("4*", "client"), ("40*", "bad"), ("200", "ok")];
        let words = words.map(|(key, word)| (key.to_owned(), word.to_owned())).to_vec();
        let lookup = Lookup::new(words.clone(), Some("else".to_owned()));
        let cases = [
            ("403", "denied"),
            ("404", "bad"),
            ("418", "client"),
            ("200", "ok"),
            ("2000", "else"),
            ("", "else"),
        ];
        for (value, word) in cases {
            assert_eq!(lookup.find(value), Some(word), "{value}");
        }
        assert_eq!(Lookup::new(words, None).find("500"), None);
    }
}
