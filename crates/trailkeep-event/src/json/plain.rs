//! How far a text goes on without a byte that JSON gives a meaning, eight bytes at a time.

/// One in every byte.
const ONES: u64 = u64::from_le_bytes([1; 8]);
/// The high bit of every byte.
const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);
const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);

/// Returns how many bytes at the front stand for themselves in a JSON string: neither a quote
/// nor a backslash nor a control character.
#[inline]
pub(super) fn plain_len(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks::<8>();
    let mut len = 0_usize;
    for word in words {
        let marks = special(u64::from_le_bytes(*word));
        if marks != 0 {
            return len.wrapping_add(first(marks));
        }
        len = len.wrapping_add(8);
    }
    let plain = tail.iter().take_while(|&&b| b != b'"' && b != b'\\' && b >= b' ').count();
    len.wrapping_add(plain)
}

/// Tells whether the first `len` bytes stand for themselves. Where others follow them, it looks at
/// whole words only.
#[inline]
pub(super) fn is_plain(from: &[u8], len: usize) -> bool {
    let (words, _tail) = from.as_chunks::<8>();
    let n_words = len.div_ceil(8);
    let Some(words) = words.get(..n_words) else {
        return plain_len(from.get(..len).unwrap_or(from)) == len;
    };
    let Some((last, before)) = words.split_last() else { return true };
    // The last word's high bytes are not ours.
    let n_others = n_words.wrapping_mul(8).wrapping_sub(len);
    before.iter().all(|word| special(u64::from_le_bytes(*word)) == 0)
        && special(u64::from_le_bytes(*last)) << n_others.wrapping_mul(8) == 0
}

/// Returns how many bytes at the front are neither a quote nor a backslash.
#[inline]
pub(super) fn unquoted_len(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks::<8>();
    let mut len = 0_usize;
    for word in words {
        let marks = quoting(u64::from_le_bytes(*word));
        if marks != 0 {
            return len.wrapping_add(first(marks));
        }
        len = len.wrapping_add(8);
    }
    len.wrapping_add(tail.iter().take_while(|&&b| b != b'"' && b != b'\\').count())
}

/// Marks the bytes that do not stand for themselves by their high bits. The lowest mark is exact,
/// the others may be carries of it.
#[inline]
fn special(word: u64) -> u64 {
    // A byte below the space borrows from its high bit, which it does not have.
    quoting(word) | (word.wrapping_sub(SPACES) & !word & HIGHS)
}

/// Marks quotes and backslashes, as [`special`] does.
#[inline]
fn quoting(word: u64) -> u64 {
    let quotes = (word ^ QUOTES).wrapping_sub(ONES);
    let backslashes = (word ^ BACKSLASHES).wrapping_sub(ONES);
    (quotes | backslashes) & !word & HIGHS
}

/// Returns the index of the first marked byte.
#[inline]
fn first(marks: u64) -> usize {
    usize::try_from(marks.trailing_zeros() / 8).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_find_what_bytes_find(
            bytes in proptest::collection::vec(
                prop_oneof![
                    any::<u8>(), Just(b' '), Just(b'!'), Just(0x1f), Just(b'"'), Just(b'#'),
                    Just(b'\\'), Just(b']'), Just(0x80), Just(0xa2), Just(0xdc), Just(b'a'),
                ],
                0..40,
            ),
        ) {
            let plain = bytes.iter().position(|&b| b == b'"' || b == b'\\' || b < b' ');
            prop_assert_eq!(plain_len(&bytes), plain.unwrap_or(bytes.len()));
            for len in 0..=bytes.len() {
                prop_assert_eq!(is_plain(&bytes, len), plain.is_none_or(|at| at >= len));
            }
            let unquoted = bytes.iter().position(|&b| b == b'"' || b == b'\\');
            prop_assert_eq!(unquoted_len(&bytes), unquoted.unwrap_or(bytes.len()));
        }
    }
}
