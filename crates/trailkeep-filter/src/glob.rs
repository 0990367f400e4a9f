//! Texts with stars: `pre*`, `*suf`, `*sub*`, `a*b*c`.

use memchr::memmem;
use trailkeep_event::action_key;

use crate::fold::{fold, folded};

/// Which letters count as the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Alike {
    /// Each only itself.
    Exact,
    /// Upper and lower case.
    Case,
    /// As in [`action_key`]: case, and separators count nothing.
    Action,
}

/// A pattern in which `*` stands for any characters, none included.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Glob {
    /// As written, which is what reads back as the same pattern.
    written: String,
    pieces: Vec<String>,
    alike: Alike,
}

impl Glob {
    /// Makes a pattern; `None` where it is nothing but stars.
    pub(crate) fn new(written: &str, alike: Alike) -> Option<Self> {
        let pieces: Vec<String> = written
            .split('*')
            .map(|piece| match alike {
                Alike::Exact => piece.to_owned(),
                Alike::Case => fold(piece),
                Alike::Action => action_key(piece),
            })
            .collect();
        let some = pieces.iter().any(|piece| !piece.is_empty());
        some.then(|| Self { written: written.to_owned(), pieces, alike })
    }

    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    pub(crate) fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// Returns a text that stands in every text that fits, as it is written; `None` where case or
    /// separators do not count.
    pub(crate) fn inside(&self) -> Option<&str> {
        let longest = self.pieces.iter().max_by_key(|piece| piece.len());
        longest.filter(|_| self.alike == Alike::Exact).map(String::as_str)
    }

    /// Tells whether the pieces are without their separators.
    pub(crate) fn ignores_separators(&self) -> bool {
        self.alike == Alike::Action
    }

    /// Tells whether the whole text fits, in time linear in the text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self.alike {
            Alike::Exact => fits(&self.pieces, text.as_bytes()),
            Alike::Case => fits(&self.pieces, folded(text).as_bytes()),
            Alike::Action => fits(&self.pieces, action_key(text).as_bytes()),
        }
    }
}

/// The first piece stands at the front and the last at the end. Between them the leftmost place
/// of each is as good as any: it leaves the most for the rest.
fn fits(pieces: &[String], text: &[u8]) -> bool {
    let [first, between @ .., last] = pieces else {
        return pieces.iter().all(|only| only.as_bytes() == text);
    };
    let rest = text.strip_prefix(first.as_bytes());
    let Some(mut rest) = rest.and_then(|rest| rest.strip_suffix(last.as_bytes())) else {
        return false;
    };
    for piece in between {
        let Some(at) = memmem::find(rest, piece.as_bytes()) else { return false };
        rest = rest.get(at.saturating_add(piece.len())..).unwrap_or(&[]);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some(('*', rest)), None) => naive(rest, text),
            (Some(('*', rest)), Some((_, tail))) => naive(rest, text) || naive(pattern, tail),
            (Some((a, rest)), Some((b, tail))) => a == b && naive(rest, tail),
            (Some(_), None) => false,
        }
    }

    #[test]
    fn cases() {
        let cases = [
            ("/api/*", "/api/", Alike::Exact, true),
            ("/api/*", "/API/x", Alike::Exact, false),
            ("/api/*", "/API/x", Alike::Case, true),
            ("*create*", "/v1/containers/create/x", Alike::Exact, true),
            ("ab*ba", "aba", Alike::Exact, false),
            ("ab*ba", "abba", Alike::Exact, true),
            ("license.*", "LICENSE_SUSPENDED", Alike::Action, true),
            ("*.suspended", "license-suspended", Alike::Action, true),
        ];
        for (pattern, text, alike, fits) in cases {
            let glob = Glob::new(pattern, alike).unwrap();
            assert_eq!(glob.matches(text), fits, "{pattern} on {text}");
        }
        assert_eq!(Glob::new("**", Alike::Exact), None);
        assert_eq!(Glob::new(".*-", Alike::Action), None);
    }

    proptest! {
        #[test]
        fn the_same_as_trying_everything(pattern in "[ab*]{1,8}", text in "[ab]{0,10}") {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = naive(&letters(&pattern), &letters(&text));
            if let Some(glob) = Glob::new(&pattern, Alike::Exact) {
                prop_assert_eq!(glob.matches(&text), expected);
            }
        }
    }
}
