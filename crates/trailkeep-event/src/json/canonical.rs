//! The canonical form of a value, written while it is read.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::text::write_utf8;
use super::{Kind, Scanner, lossy};
use crate::number::write_number;
use crate::position::Admission;
use crate::{Rejection, RejectionCode};

/// One member of an object that is being written: its key and its bytes in the output.
#[derive(Debug)]
pub(super) struct Member<'a> {
    key: Cow<'a, [u8]>,
    start: usize,
    end: usize,
}

impl Scanner<'_> {
    /// Reads one value of any kind and appends its canonical form.
    pub(crate) fn canonical(&mut self, out: &mut Vec<u8>) -> Admission<()> {
        match self.kind()? {
            Kind::Object => self.canonical_object(out),
            Kind::List => self.canonical_list(out),
            Kind::String => self.canonical_string(out),
            Kind::Number => write_number(out, self.number()?),
            Kind::Bool => {
                let word: &[u8] = if self.boolean()? { b"true" } else { b"false" };
                out.extend_from_slice(word);
                Ok(())
            }
            Kind::Null => {
                self.null()?;
                out.extend_from_slice(b"null");
                Ok(())
            }
        }
    }

    /// A string without an escape is canonical as it was sent.
    fn canonical_string(&mut self, out: &mut Vec<u8>) -> Admission<()> {
        match self.plain_string() {
            Some(plain) => write_plain(out, plain.bytes()),
            None => write_utf8(out, self.decoded()?.as_bytes()),
        }
        Ok(())
    }

    fn canonical_list(&mut self, out: &mut Vec<u8>) -> Admission<()> {
        self.expect(b'[')?;
        self.enter()?;
        out.push(b'[');
        let mut n_items = 0_usize;
        if !self.accept(b']') {
            loop {
                self.canonical(out).map_err(|error| error.inside(&n_items.to_string()))?;
                n_items = n_items.saturating_add(1);
                if !self.accept(b',') {
                    break;
                }
                out.push(b',');
            }
            self.expect(b']')?;
        }
        out.push(b']');
        self.leave();
        Ok(())
    }

    fn canonical_object(&mut self, out: &mut Vec<u8>) -> Admission<()> {
        self.expect(b'{')?;
        self.enter()?;
        out.push(b'{');
        let body = out.len();
        let own = self.members.len();
        let mut sorted = true;
        if !self.accept(b'}') {
            loop {
                let key = self.key()?;
                let last = self.members.get(own..).and_then(<[_]>::last);
                match last.map(|last| utf16_order(&last.key, &key)) {
                    None | Some(Ordering::Less) => {}
                    Some(Ordering::Equal) => return Err(duplicate_key(&key)),
                    Some(Ordering::Greater) => sorted = false,
                }
                let start = out.len();
                match &key {
                    Cow::Borrowed(plain) => write_plain(out, plain),
                    Cow::Owned(decoded) => write_utf8(out, decoded),
                }
                out.push(b':');
                self.canonical(out).map_err(|error| error.inside(&lossy(&key)))?;
                self.members.push(Member { key, start, end: out.len() });
                if !self.accept(b',') {
                    break;
                }
                out.push(b',');
            }
            self.expect(b'}')?;
        }
        if !sorted {
            sort_members(out, body, self.members.get_mut(own..).unwrap_or_default())?;
        }
        self.members.truncate(own);
        out.push(b'}');
        self.leave();
        Ok(())
    }
}

#[cold]
fn duplicate_key(key: &[u8]) -> Rejection {
    let key = lossy(key);
    let short: String = key.chars().take(64).collect();
    Rejection::new(RejectionCode::DuplicateKey, format!("the member `{short}` stands twice"))
        .inside(&key)
}

/// Rewrites an object's members in order; `body` is where the first one starts.
fn sort_members(out: &mut Vec<u8>, body: usize, members: &mut [Member<'_>]) -> Admission<()> {
    members.sort_by(|a, b| utf16_order(&a.key, &b.key));
    for pair in members.windows(2) {
        if let [first, second] = pair
            && first.key == second.key
        {
            return Err(duplicate_key(&first.key));
        }
    }
    // Their copies go behind them and then take their place.
    let end = out.len();
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_within(member.start..member.end);
    }
    out.drain(body..end);
    Ok(())
}

fn write_plain(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

/// Orders keys by their UTF-16 code units, as RFC 8785 asks. UTF-8 has the same order, except that
/// a surrogate pair (its first byte is 0xf0 or more) comes before the characters from U+E000 on
/// (0xee and 0xef).
fn utf16_order(a: &[u8], b: &[u8]) -> Ordering {
    let place = |byte: &u8| if matches!(byte, 0xee | 0xef) { byte | 0x10 } else { *byte };
    a.iter().map(place).cmp(b.iter().map(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_are_in_the_order_of_utf_16(
            a in "[a\u{7ff}\u{d7ff}\u{e000}\u{fb33}\u{ffff}\u{10000}\u{10ffff}]{0,4}|.{0,4}",
            b in "[a\u{7ff}\u{d7ff}\u{e000}\u{fb33}\u{ffff}\u{10000}\u{10ffff}]{0,4}|.{0,4}",
        ) {
            let expected = a.encode_utf16().cmp(b.encode_utf16());
            prop_assert_eq!(utf16_order(a.as_bytes(), b.as_bytes()), expected);
        }
    }
}
