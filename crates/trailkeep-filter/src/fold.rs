//! Search without regard to case.

use std::borrow::Cow;

use memchr::{memchr2_iter, memmem};

/// Returns the text in lower case, each character for itself, so that a part of a text folds to
/// a part of the folded text.
pub(crate) fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// A text to find in any case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Needle {
    folded: String,
}

impl Needle {
    pub(crate) fn new(text: &str) -> Self {
        Self { folded: fold(text) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.folded
    }

    /// Tells whether the text holds the needle.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        holds_folded(text, &self.folded)
    }
}

/// Tells whether the text holds a folded needle in any case. Allocates only where the text is
/// not ASCII.
pub(crate) fn holds_folded(text: &str, needle: &str) -> bool {
    if text.is_ascii() {
        find_ascii(text.as_bytes(), needle.as_bytes())
    } else {
        memmem::find(fold(text).as_bytes(), needle.as_bytes()).is_some()
    }
}

/// Finds a lower-case needle in ASCII text of any case.
fn find_ascii(text: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else { return true };
    // Texts like `aaaa...` make comparisons go far before they fail. Beyond this many bytes one
    // folded copy is cheaper, and keeps the time linear.
    let mut budget = text.len().saturating_mul(4);
    for at in memchr2_iter(*first, first.to_ascii_uppercase(), text) {
        let Some(window) = text.get(at..at.saturating_add(needle.len())) else { return false };
        let n_same =
            window.iter().zip(needle).take_while(|(a, b)| a.to_ascii_lowercase() == **b).count();
        if n_same == needle.len() {
            return true;
        }
        let Some(left) = budget.checked_sub(n_same) else {
            return memmem::find(&text.to_ascii_lowercase(), needle).is_some();
        };
        budget = left;
    }
    false
}

/// Returns [`fold`] of the text, borrowed where it is the text itself.
pub(crate) fn folded(text: &str) -> Cow<'_, str> {
    if !text.is_ascii() {
        Cow::Owned(fold(text))
    } else if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn found_or_not() {
        let cases = [
            ("Limit Reached", "the LIMIT reached!", true),
            ("", "", true),
            ("a", "", false),
            ("stra\u{df}e", "Hauptstra\u{df}e", true),
            ("\u{c4}", "x\u{e4}y", true),
            ("k", "\u{212a}", true),
            ("\u{e4}", "a", false),
        ];
        for (needle, text, found) in cases {
            assert_eq!(Needle::new(needle).is_in(text), found, "{needle} in {text}");
        }
    }

    #[test]
    fn repeated_letters_are_found_in_linear_time() {
        let text = "a".repeat(1 << 20);
        assert!(!Needle::new(&format!("{}b", "a".repeat(4000))).is_in(&text));
        assert!(Needle::new(&"A".repeat(4000)).is_in(&text));
    }

    proptest! {
        #[test]
        fn the_same_as_folding_both(needle in "[abAB]{0,4}", text in "[aAbB]{0,40}") {
            prop_assert_eq!(Needle::new(&needle).is_in(&text), fold(&text).contains(&fold(&needle)));
        }

        #[test]
        fn any_text(needle in ".{0,3}", text in ".{0,12}") {
            prop_assert_eq!(Needle::new(&needle).is_in(&text), fold(&text).contains(&fold(&needle)));
            prop_assert_eq!(folded(&text).into_owned(), fold(&text));
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
