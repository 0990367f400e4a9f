//! The parameters of a query string: known ones, each once.

use crate::selection::{Selection, SelectionBody};
use crate::{ErrorCode, Problem};

/// The parameters of one request.
#[derive(Debug)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// Reads a query string and checks that every parameter is known and stands once.
    pub(crate) fn read(query: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let mut params = Self { pairs: Vec::new() };
        for pair in query.unwrap_or("").split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = String::from_utf8_lossy(&unescape(name)).into_owned();
            if !known.contains(&name.as_str()) {
                let detail = format!("no such parameter; this route takes {}", known.join(", "));
                return Err(invalid(&name, detail));
            }
            if params.get(&name).is_some() {
                return Err(invalid(&name, "the parameter stands twice"));
            }
            match String::from_utf8(unescape(value)) {
                Ok(value) => params.pairs.push((name, value)),
                Err(_not_text) => return Err(invalid(&name, "the value is not UTF-8")),
            }
        }
        Ok(params)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _value)| known == name).map(|(_name, value)| value.as_str())
    }

    /// Reads `account_id`, `from`, `to` and `q`.
    pub(crate) fn selection(&self) -> Result<Selection, Problem> {
        let text = |name| self.get(name).map(str::to_owned);
        // A `+` of an offset that was not percent-encoded arrives as a space.
        let time = |name| self.get(name).map(|time| time.replace(' ', "+"));
        let (account_id, q) = (text("account_id"), text("q"));
        SelectionBody { account_id, from: time("from"), to: time("to"), q }.read()
    }

    /// Reads a number within bounds.
    pub(crate) fn number(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<usize>,
        default: usize,
    ) -> Result<usize, Problem> {
        let Some(text) = self.get(name) else { return Ok(default) };
        text.parse().ok().filter(|number| bounds.contains(number)).ok_or_else(|| {
            let detail = format!("a number from {} to {}", bounds.start(), bounds.end());
            invalid(name, detail)
        })
    }

    /// Reads one of some words.
    pub(crate) fn word<T: Copy>(
        &self,
        name: &str,
        words: &[(&str, T)],
        default: T,
    ) -> Result<T, Problem> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let found = words.iter().find(|(word, _meaning)| *word == text);
        found.map(|(_word, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<&str> = words.iter().map(|(word, _meaning)| *word).collect();
            invalid(name, format!("one of {}", known.join(", ")))
        })
    }
}

/// Undoes the escapes of a form: `+` is a space, `%` with two hexadecimal digits a byte. What only
/// looks like an escape is what it is, as browsers have it.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        let escaped = match (first, behind) {
            (b'%', [high, low, behind @ ..]) => digit(*high).zip(digit(*low)).map(|(high, low)| {
                rest = behind;
                (high << 4) | low
            }),
            (b'+', _) => Some(b' '),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
    }
    bytes
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

pub(crate) fn invalid(name: &str, detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    let short: String = name.chars().take(64).collect();
    Problem::new(ErrorCode::InvalidParameter, detail).at_field(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Vec<(String, String)>, String> {
        let params = Params::read(Some(query), &["q", "to"]);
        params.map(|params| params.pairs).map_err(|problem| problem.field.unwrap())
    }

    #[test]
    fn escapes_are_undone_once() {
        let cases = [
            ("", ""),
            ("a+b", "a b"),
            ("a%20b%2B%25", "a b+%"),
            ("%2520", "%20"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            ("a=b", "a=b"),
            ("%C3%BC", "\u{fc}"),
        ];
        for (sent, expected) in cases {
            let expected = vec![("q".to_owned(), expected.to_owned())];
            assert_eq!(read(&format!("q={sent}")), Ok(expected), "{sent}");
        }
        assert_eq!(read("&&%71=1&&to").unwrap().len(), 2);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases =
            [("q=%ff", "q"), ("to=1&q=%C3", "q"), ("q=1&q=2", "q"), ("x=1", "x"), ("%71=&q", "q")];
        for (query, field) in cases {
            assert_eq!(read(query), Err(field.to_owned()), "{query}");
        }
        assert_eq!(read("%ff=1"), Err("\u{fffd}".to_owned()));
    }
}
