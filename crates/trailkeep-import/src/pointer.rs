//! JSON pointers (RFC 6901).

use std::fmt;

use crate::json::Value;

/// Points at one value inside a record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Pointer {
    text: String,
    names: Vec<String>,
}

impl Pointer {
    /// Parses `/name/name...`; the pointer to the whole record is refused.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let names = text.strip_prefix('/')?;
        let names = names.split('/').map(|name| name.replace("~1", "/").replace("~0", "~"));
        Some(Self { text: text.to_owned(), names: names.collect() })
    }

    /// Finds the value; null counts as absent.
    pub(crate) fn find<'r, 'a>(&self, record: &'r Value<'a>) -> Option<&'r Value<'a>> {
        let mut value = record;
        for name in &self.names {
            value = match value {
                Value::List(items) => items.get(name.parse::<usize>().ok()?)?,
                _ => value.member(name)?,
            };
        }
        (*value != Value::Null).then_some(value)
    }

    /// Returns the name, where the pointer is to a member of the record itself.
    pub(crate) fn top_member(&self) -> Option<&str> {
        match self.names.as_slice() {
            [name] => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn finds() {
        let record = parse(r#"{"a/b":{"~":[1,"x"]},"n":null,"":2}"#, 9).unwrap();
        let cases = [
            ("/a~1b/~0/1", Some("x")),
            ("/a~1b/~0/0", Some("1")),
            ("/a~1b/~0/2", None),
            ("/n", None),
            ("/n/x", None),
            ("/", Some("2")),
            ("/zzz", None),
        ];
        for (pointer, expected) in cases {
            let found = Pointer::parse(pointer).unwrap();
            assert_eq!(found.find(&record).and_then(Value::scalar), expected, "{pointer}");
        }
        assert_eq!(Pointer::parse("a"), None);
        assert_eq!(Pointer::parse(""), None);
    }
}
