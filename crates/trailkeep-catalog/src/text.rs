//! The text forms of what is stored as text.

use trailkeep_event::{Cut, PARTITIONS};

/// Returns the bytes in lower case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit =
        |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Reads what [`hex`] writes.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != N.checked_mul(2)? {
        return None;
    }
    let mut bytes = [0_u8; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = (nibble(*high)? << 4) | nibble(*low)?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Returns the frames of a cut, one after the other.
pub(crate) fn cut_text(cut: &Cut) -> String {
    cut.0.map(|frame| frame.to_string()).join(",")
}

/// Reads what [`cut_text`] writes.
pub(crate) fn parse_cut(text: &str) -> Option<Cut> {
    let frames: Vec<u64> =
        text.split(',').map(|frame| frame.parse().ok()).collect::<Option<_>>()?;
    <[u64; PARTITIONS]>::try_from(frames).ok().map(Cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_was_not_written() {
        for text in ["", "0", "0g", "0F", "000102", "\u{e9}"] {
            assert_eq!(unhex::<2>(text), None, "{text}");
        }
        for text in ["", "1,2", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,x"] {
            assert_eq!(parse_cut(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(bytes: [u8; 16], frames: [u64; PARTITIONS]) {
            prop_assert_eq!(unhex(&hex(&bytes)), Some(bytes));
            prop_assert_eq!(parse_cut(&cut_text(&Cut(frames))), Some(Cut(frames)));
        }
    }
}
