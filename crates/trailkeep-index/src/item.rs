//! The items that a text stands for.

use twox_hash::XxHash3_64;

use crate::token::{Token, tokens};

/// Returns the number that stands for the bytes of an item: their XXH3, never 0.
pub(crate) fn item(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes).max(1)
}

/// Calls `visit` with the items of a folded text's tokens.
pub(crate) fn each_token_item(folded: &[u8], mut visit: impl FnMut(u64)) {
    for token in tokens(folded) {
        each_of(&token, &mut visit);
    }
}

/// Calls `visit` with the items of a folded text's tokens; returns whether one tells enough for
/// the text as a whole to be no item.
pub(crate) fn each_item(folded: &[u8], mut visit: impl FnMut(u64)) -> bool {
    let mut told = false;
    for token in tokens(folded) {
        each_of(&token, &mut visit);
        told = told || token.is_telling();
    }
    told
}

fn each_of(token: &Token<'_>, visit: &mut impl FnMut(u64)) {
    visit(item(token.counted()));
    token.starts().for_each(|start| visit(item(start)));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XXH3 is a published function; these are its values for seed 0.
    #[test]
    fn the_hash_is_xxh3() {
        assert_eq!(item(b""), 0x2d06_8005_38d3_94c2);
        assert_eq!(item(b"a"), 0xe6c6_32b6_1e96_4e1f);
        assert_eq!(item(b"abc"), 0x78af_5f94_892f_3950);
    }
}
