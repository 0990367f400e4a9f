//! A lossless JSON tree: numbers keep the text they were written with.

use std::borrow::Cow;

use crate::Unreadable;
use crate::unreadable::short;

/// One JSON value of a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    /// The number's token, exactly as written.
    Number(Cow<'a, str>),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    /// The members in the order of the record; no name stands twice.
    Object(Vec<(Cow<'a, str>, Self)>),
}

impl Value<'_> {
    /// Returns a member of an object.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// Returns the text of a value that is not null, a list or an object.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match self {
            Self::Number(text) | Self::Text(text) => Some(text),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Null | Self::List(_) | Self::Object(_) => None,
        }
    }
}

/// Parses one JSON value and nothing after it. Bounded: depth by `depth_max`, memory by the
/// text's length.
pub(crate) fn parse(text: &str, depth_max: usize) -> Result<Value<'_>, Unreadable> {
    let mut parser = Parser { text, at: 0, depth: 0, depth_max };
    let value = parser.value()?;
    parser.skip_space();
    if parser.byte().is_none() { Ok(value) } else { Err(parser.unexpected("the end")) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    depth_max: usize,
}

impl<'a> Parser<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn advance(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or("")
    }

    fn skip_space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.advance();
        }
    }

    fn unexpected(&self, expected: &str) -> Unreadable {
        let found = match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            None => "the end".to_owned(),
            Some(c) => format!("`{}`", c.escape_default()),
        };
        Unreadable::new(format!("not JSON: expected {expected} at byte {}, found {found}", self.at))
    }

    fn expect(&mut self, byte: u8) -> Result<(), Unreadable> {
        if self.accept(byte) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{}`", char::from(byte))))
        }
    }

    fn accept(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.byte() == Some(byte);
        if found {
            self.advance();
        }
        found
    }

    fn value(&mut self) -> Result<Value<'a>, Unreadable> {
        self.skip_space();
        match self.byte() {
            Some(b'{') => self.object(),
            Some(b'[') => self.list(),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Unreadable> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at = self.at.saturating_add(word.len());
            Ok(value)
        } else {
            Err(self.unexpected(&format!("`{word}`")))
        }
    }

    fn enter(&mut self) -> Result<(), Unreadable> {
        self.advance();
        self.depth = self.depth.saturating_add(1);
        if self.depth > self.depth_max {
            let reason = format!("nested deeper than {} levels", self.depth_max);
            return Err(Unreadable::new(reason));
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn list(&mut self) -> Result<Value<'a>, Unreadable> {
        self.enter()?;
        let mut items = Vec::new();
        if !self.accept(b']') {
            loop {
                items.push(self.value()?);
                if !self.accept(b',') {
                    break;
                }
            }
            self.expect(b']')?;
        }
        self.leave();
        Ok(Value::List(items))
    }

    fn object(&mut self) -> Result<Value<'a>, Unreadable> {
        self.enter()?;
        let mut members = Vec::new();
        if !self.accept(b'}') {
            loop {
                self.skip_space();
                if self.byte() != Some(b'"') {
                    return Err(self.unexpected("a member name"));
                }
                let name = self.string()?;
                self.expect(b':')?;
                members.push((name, self.value()?));
                if !self.accept(b',') {
                    break;
                }
            }
            self.expect(b'}')?;
        }
        self.leave();
        check_once(&members)?;
        Ok(Value::Object(members))
    }

    fn number(&mut self) -> Result<Value<'a>, Unreadable> {
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.advance();
        }
        match self.byte() {
            Some(b'0') => self.advance(),
            _ => self.digits()?,
        }
        if self.byte() == Some(b'.') {
            self.advance();
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.advance();
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.advance();
            }
            self.digits()?;
        }
        Ok(Value::Number(Cow::Borrowed(self.since(start))))
    }

    fn digits(&mut self) -> Result<(), Unreadable> {
        if !matches!(self.byte(), Some(b'0'..=b'9')) {
            return Err(self.unexpected("a digit"));
        }
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.advance();
        }
        Ok(())
    }

    /// Reads a string; borrows where it has no escapes.
    fn string(&mut self) -> Result<Cow<'a, str>, Unreadable> {
        self.advance();
        let start = self.at;
        self.skip_plain();
        if self.byte() == Some(b'"') {
            let text = self.since(start);
            self.advance();
            return Ok(Cow::Borrowed(text));
        }
        let mut decoded = self.since(start).to_owned();
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.advance();
                    return Ok(Cow::Owned(decoded));
                }
                Some(b'\\') => {
                    self.advance();
                    decoded.push(self.escape()?);
                }
                Some(0..=0x1f) => return Err(self.unexpected("an escaped control character")),
                Some(_) => {
                    let plain = self.at;
                    self.skip_plain();
                    decoded.push_str(self.since(plain));
                }
                None => return Err(self.unexpected("the end of the string (`\"`)")),
            }
        }
    }

    fn skip_plain(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or(&[]);
        let stop = rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20);
        self.at = self.at.saturating_add(stop.unwrap_or(rest.len()));
    }

    fn escape(&mut self) -> Result<char, Unreadable> {
        let decoded = match self.byte() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.advance();
                return self.unicode_escape();
            }
            _ => return Err(self.unexpected("an escape (one of \" \\ / b f n r t u)")),
        };
        self.advance();
        Ok(decoded)
    }

    /// Reads the four digits after `\u`, and the second half of a pair where one must follow.
    fn unicode_escape(&mut self) -> Result<char, Unreadable> {
        let first = self.four_hex()?;
        let mut units = vec![first];
        if (0xd800..0xdc00).contains(&first)
            && self.text.get(self.at..).is_some_and(|rest| rest.starts_with("\\u"))
        {
            self.at = self.at.saturating_add(2);
            units.push(self.four_hex()?);
        }
        let decoded = char::decode_utf16(units).next().and_then(Result::ok);
        decoded.ok_or_else(|| {
            Unreadable::new(format!("half of a surrogate pair before byte {}", self.at))
        })
    }

    fn four_hex(&mut self) -> Result<u16, Unreadable> {
        let digits = self.text.get(self.at..self.at.saturating_add(4));
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(unit) = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) else {
            return Err(self.unexpected("four hexadecimal digits"));
        };
        self.at = self.at.saturating_add(4);
        Ok(unit)
    }
}

fn check_once(members: &[(Cow<'_, str>, Value<'_>)]) -> Result<(), Unreadable> {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        if let [first, second] = pair
            && first == second
        {
            return Err(Unreadable::new(format!("the member `{}` stands twice", short(first))));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json_writer::write_value;
    use proptest::prelude::*;

    fn written(text: &str) -> Result<String, String> {
        let value = parse(text, 4).map_err(|error| error.reason)?;
        let mut out = Vec::new();
        write_value(&mut out, &value);
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn values_are_written_as_they_were() {
        let cases = [
            (
                r#" { "b" : 1.50 , "a" : [ true , null, false ] } "#,
                r#"{"b":1.50,"a":[true,null,false]}"#,
            ),
            ("[1e3,-0,0.10,123456789012345]", "[1e3,-0,0.10,123456789012345]"),
            ("[9007199254740991,9007199254740992]", "[9007199254740991,\"9007199254740992\"]"),
            ("[-9214364837600034816,1e400]", "[\"-9214364837600034816\",\"1e400\"]"),
            (r#""\u20ac\ud83d\ude00\n\"\\\/""#, "\"\u{20ac}\u{1f600}\\n\\\"\\\\/\""),
            ("\"\\u0000\u{7f}\"", "\"\\u0000\u{7f}\""),
            ("[[[[]]]]", "[[[[]]]]"),
        ];
        for (text, expected) in cases {
            assert_eq!(written(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn reasons() {
        let cases = [
            ("", "not JSON: expected a value at byte 0, found the end"),
            ("{\"a\":1", "not JSON: expected `}` at byte 6, found the end"),
            ("{\"a\" 1}", "not JSON: expected `:` at byte 5, found `1`"),
            ("{a:1}", "not JSON: expected a member name at byte 1, found `a`"),
            ("[1,]", "not JSON: expected a value at byte 3, found `]`"),
            ("[01]", "not JSON: expected `]` at byte 2, found `1`"),
            ("NaN", "not JSON: expected a value at byte 0, found `N`"),
            ("{} x", "not JSON: expected the end at byte 3, found `x`"),
            ("\"a\nb\"", "not JSON: expected an escaped control character at byte 2, found `\\n`"),
            ("{\"a\":1,\"a\":2}", "the member `a` stands twice"),
            ("{\"a\":1,\"\\u0061\":2}", "the member `a` stands twice"),
            ("\"\\ud800x\"", "half of a surrogate pair before byte 7"),
            ("\"\\ud800\\u0041\"", "half of a surrogate pair before byte 13"),
            ("\"\\udc00\"", "half of a surrogate pair before byte 7"),
            ("[[[[[]]]]]", "nested deeper than 4 levels"),
        ];
        for (text, reason) in cases {
            assert_eq!(written(text), Err(reason.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_value_or_a_reason(text in "[\\[\\]{}\":,a0-9.eE+\\\\u \\-]{0,40}") {
            if let Ok(once) = written(&text) {
                prop_assert_eq!(written(&once), Ok(once.clone()));
            }
        }

        #[test]
        fn strings_are_kept(text in any::<String>()) {
            let quoted = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(parse(&quoted, 1), Ok(Value::Text(Cow::Owned(text))));
        }

        #[test]
        fn the_text_of_numbers_is_kept(token in "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,9})?") {
            let shown = written(&token).unwrap();
            prop_assert_eq!(shown.trim_matches('"'), token);
        }
    }
}
