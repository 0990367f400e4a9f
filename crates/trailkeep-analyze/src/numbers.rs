//! Conversions between kinds of numbers.

/// The significant digits of a fraction in an answer. Sums of fractions depend in the last digits
/// on the order of adding, which depends on where entries are stored: an answer must not.
const DIGITS: usize = 12;
/// Up to here every integer is a double.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// Returns the nearest double.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "rounding is what is asked for; there is no other conversion"
)]
pub(crate) fn float(whole: i128) -> f64 {
    // Nearly every one is short, and of longer ones the conversion is a call.
    i64::try_from(whole).map_or_else(|_long| whole as f64, |short| short as f64)
}

/// Returns the integer that a double is, where it is one that doubles hold exactly.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "the value was checked to be an integer of less than 54 bits"
)]
pub(crate) fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() <= WHOLE_MAX).then_some(value as i64)
}

/// Rounds to the digits that answers have.
pub(crate) fn rounded(value: f64) -> f64 {
    if whole(value).is_some() || !value.is_finite() {
        return value;
    }
    let places = DIGITS.saturating_sub(1);
    format!("{value:.places$e}").parse().unwrap_or(value)
}

/// Returns a length as a count.
pub(crate) fn long(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Returns a number of an identifier as an index.
pub(crate) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Returns a count as an integer of answers.
pub(crate) fn int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Mixes the bits of a word (the finalizer of SplitMix64): one to one.
pub(crate) fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_rounded_and_integers_are_not() {
        let cases = [
            (0.1 + 0.2, 0.3),
            (1.0 / 3.0, 0.333_333_333_333),
            (1234.0, 1234.0),
            (9_007_199_254_740_991.0, 9_007_199_254_740_991.0),
            (-2.0 / 3.0e20, -6.666_666_666_67e-21),
        ];
        for (value, expected) in cases {
            assert!((rounded(value) - expected).abs() < f64::EPSILON * expected.abs(), "{value}");
        }
        assert_eq!(whole(-3.0), Some(-3));
        assert_eq!(whole(0.5), None);
        assert_eq!(whole(f64::NAN), None);
        assert_eq!(whole(1e300), None);
    }
}
