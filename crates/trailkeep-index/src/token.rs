//! Splits folded text into tokens.

/// A run of letters and digits, or a UUID.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Token<'a> {
    pub(crate) bytes: &'a [u8],
    /// Where it starts in the text.
    pub(crate) start: usize,
    pub(crate) shape: Shape,
}

/// What a token is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    Run,
    Uuid,
}

/// How many bytes of a run count.
pub(crate) const RUN_BYTES_MAX: usize = 8;
/// How many bytes of a padded number count at most.
const PADDED_BYTES_MAX: usize = 16;
/// What a padded number starts with.
const PADDING: &[u8] = b"0000";

const UUID_BYTES: usize = 36;
/// The lengths of a UUID's runs.
pub(crate) const UUID_RUNS: [usize; 5] = [8, 4, 4, 4, 12];

/// Tells whether a byte of folded UTF-8 belongs to a run: ASCII letters and digits, and every
/// character beyond ASCII.
pub(crate) fn is_word(byte: u8) -> bool {
    WORDS.get(usize::from(byte)).is_some_and(|word| *word)
}

/// One look is quicker than four comparisons.
const WORDS: [bool; 256] = words();

#[expect(clippy::indexing_slicing, reason = "the index is below the length, and this is no code")]
const fn words() -> [bool; 256] {
    let mut words = [true; 256];
    let mut at = 0;
    while at < 0x80 {
        words[at] = matches!(at, 0x30..=0x39 | 0x41..=0x5a | 0x61..=0x7a);
        at += 1;
    }
    words
}

impl Token<'_> {
    pub(crate) fn end(&self) -> usize {
        self.start.saturating_add(self.bytes.len())
    }

    /// Returns the bytes that stand for the token.
    pub(crate) fn counted(&self) -> &[u8] {
        let n_max = match self.shape {
            Shape::Uuid => return self.bytes,
            Shape::Run if self.is_padded() => PADDED_BYTES_MAX,
            Shape::Run => RUN_BYTES_MAX,
        };
        self.bytes.get(..n_max).unwrap_or(self.bytes)
    }

    /// Returns shorter starts that stand for the token too, for who knows only these. Of a padded
    /// number the first bytes are the same as those of its neighbours.
    pub(crate) fn starts(&self) -> impl Iterator<Item = &[u8]> {
        let lengths = if self.is_padded() { RUN_BYTES_MAX..self.counted().len() } else { 0..0 };
        lengths.step_by(2).filter_map(|length| self.bytes.get(..length))
    }

    /// Returns the bytes that stand for every token that starts with this one.
    pub(crate) fn counted_as_start(&self) -> Option<&[u8]> {
        let length = match self.bytes.len() {
            0..RUN_BYTES_MAX => return None,
            length if self.is_padded() => (length & !1).min(PADDED_BYTES_MAX),
            _ => RUN_BYTES_MAX,
        };
        self.bytes.get(..length)
    }

    fn is_padded(&self) -> bool {
        self.bytes.len() >= RUN_BYTES_MAX && self.bytes.starts_with(PADDING)
    }

    /// Tells whether few texts share the token: a UUID, a padded number, or a long run whose
    /// counted bytes look random. Where a value has such a token, the value as a whole is no item.
    pub(crate) fn is_telling(&self) -> bool {
        if self.shape == Shape::Uuid || self.is_padded() {
            return true;
        }
        let Some(counted) = self.bytes.get(..RUN_BYTES_MAX) else { return false };
        let (mut n_digits, mut n_letters) = (0, 0);
        // A bit for each value of a byte.
        let mut seen = [0_u64; 4];
        for byte in counted {
            n_digits += u32::from(byte.is_ascii_digit());
            n_letters += u32::from(byte.is_ascii_lowercase());
            if let Some(word) = seen.get_mut(usize::from(byte >> 6)) {
                *word |= 1 << (byte & 63);
            }
        }
        let n_distinct: u32 = seen.iter().map(|word| word.count_ones()).sum();
        n_digits >= 2 && n_letters >= 2 && n_distinct >= 5
    }
}

/// Returns the tokens of a folded text, in order.
pub(crate) fn tokens(text: &[u8]) -> impl Iterator<Item = Token<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let start = at.saturating_add(rest.iter().position(|byte| is_word(*byte))?);
        let rest = text.get(start..)?;
        let n_bytes = rest.iter().position(|byte| !is_word(*byte)).unwrap_or(rest.len());
        let token = match rest.get(..UUID_BYTES) {
            Some(bytes) if n_bytes == 8 && is_uuid(bytes, rest.get(UUID_BYTES)) => {
                Token { bytes, start, shape: Shape::Uuid }
            }
            _ => Token { bytes: rest.get(..n_bytes)?, start, shape: Shape::Run },
        };
        at = token.end();
        Some(token)
    })
}

fn is_uuid(bytes: &[u8], next: Option<&u8>) -> bool {
    let fits = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    bytes.iter().enumerate().all(fits) && next.is_none_or(|byte| !is_word(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str) -> Vec<&str> {
        tokens(text.as_bytes()).map(|token| std::str::from_utf8(token.bytes).unwrap()).collect()
    }

    #[test]
    fn cases() {
        const UUID: &str = "550e8400-e29b-41d4-a716-446655440000";
        assert_eq!(split("/api/v1/lic_12.x"), ["api", "v1", "lic", "12", "x"]);
        assert_eq!(split("stra\u{df}e, \u{4e2d}\u{6587}"), ["stra\u{df}e", "\u{4e2d}\u{6587}"]);
        assert_eq!(split(&format!("a {UUID}.")), ["a", UUID]);
        assert_eq!(split(&format!("x-{UUID}-y")), ["x", UUID, "y"]);
        assert_eq!(split(&format!("x{UUID}")).len(), 5);
        assert_eq!(split(&format!("{UUID}0")).len(), 5);
        assert_eq!(split(" -- "), Vec::<&str>::new());
        assert_eq!(split(""), Vec::<&str>::new());
    }

    #[test]
    fn telling_tokens() {
        let cases = [
            ("cus_aa00425adb", true),
            ("cus_39110e262f", false),
            ("usr_8f3a9c2b1d00aaaa", true),
            ("550e8400-e29b-41d4-a716-446655440000", true),
            ("000000c350", true),
            ("lic_00000017", true),
            ("0000017", false),
            ("1764000000123", false),
            ("activations", false),
            ("12ab34", false),
            ("104.77.91.185", false),
        ];
        for byte in 0..=u8::MAX {
            assert_eq!(is_word(byte), byte.is_ascii_alphanumeric() || byte >= 0x80, "{byte}");
        }
        for (text, telling) in cases {
            let found = tokens(text.as_bytes()).any(|token| token.is_telling());
            assert_eq!(found, telling, "{text}");
        }
    }

    #[test]
    fn what_stands_for_a_token() {
        let cases: [(&str, &str, &[&str], Option<&str>); 7] = [
            ("customers", "customer", &[], Some("customer")),
            ("short", "short", &[], None),
            ("0000017", "0000017", &[], None),
            ("00000017", "00000017", &[], Some("00000017")),
            ("000000c35", "000000c35", &["000000c3"], Some("000000c3")),
            ("00000013f2", "00000013f2", &["00000013"], Some("00000013f2")),
            (
                "000012345678901234567",
                "0000123456789012",
                &["00001234", "0000123456", "000012345678", "00001234567890"],
                Some("0000123456789012"),
            ),
        ];
        for (text, counted, starts, as_start) in cases {
            let token = tokens(text.as_bytes()).next().unwrap();
            assert_eq!(token.counted(), counted.as_bytes(), "{text}");
            assert!(token.starts().eq(starts.iter().map(|start| start.as_bytes())), "{text}");
            assert_eq!(token.counted_as_start(), as_start.map(str::as_bytes), "{text}");
        }
    }

    proptest! {
        #[test]
        fn tokens_are_all_the_words_of_the_text(text in "[a0-9f.\u{e9}-]{0,60}") {
            let mut words = text.as_bytes().to_vec();
            let mut last = 0;
            for token in tokens(text.as_bytes()) {
                prop_assert!(token.start >= last && !token.bytes.is_empty());
                last = token.end();
                words[token.start..last].fill(b'.');
            }
            prop_assert!(!words.iter().any(|byte| is_word(*byte)));
        }
    }
}
