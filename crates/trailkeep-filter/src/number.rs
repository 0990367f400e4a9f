//! Numbers with units, without rounding.

/// A unit and how much one of it is.
pub(crate) type Unit = (&'static str, i64);

/// The units of durations, in microseconds.
pub(crate) const DURATION: &[Unit] =
    &[("us", 1), ("ms", 1000), ("s", 1_000_000), ("m", 60_000_000)];
/// The units of sizes, in bytes.
pub(crate) const SIZE: &[Unit] = &[("b", 1), ("kb", 1000), ("mb", 1_000_000)];

/// The most digits before and after the point.
const WHOLE_DIGITS_MAX: usize = 18;
const FRACTION_DIGITS_MAX: usize = 9;
/// The first number with more digits than are read.
const VALUE_END: i64 = 1_000_000_000_000_000_000;

/// Reads `-12.5ms`; `None` where that is not a whole number of the smallest unit.
pub(crate) fn scaled(text: &str, units: &[Unit], bare_scale: i64) -> Option<i64> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(unit_at)?;
    let scale = if unit.is_empty() {
        bare_scale
    } else {
        units.iter().find(|(word, _)| word.eq_ignore_ascii_case(unit))?.1
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, digits(fraction, FRACTION_DIGITS_MAX)?),
        None => (number, 0),
    };
    let n_places = number.len().saturating_sub(whole.len()).saturating_sub(1);
    let divisor = 10_i64.checked_pow(u32::try_from(n_places).ok()?)?;
    let parts = fraction.checked_mul(scale)?;
    if parts.checked_rem(divisor)? != 0 {
        return None;
    }
    let value = digits(whole, WHOLE_DIGITS_MAX)?
        .checked_mul(scale)?
        .checked_add(parts.checked_div(divisor)?)
        // What is read must be readable again when it is written in the smallest unit.
        .filter(|value| *value < VALUE_END)?;
    if negative { value.checked_neg() } else { Some(value) }
}

fn digits(text: &str, n_max: usize) -> Option<i64> {
    let all = text.bytes().all(|byte| byte.is_ascii_digit());
    (all && text.len() <= n_max).then(|| text.parse().ok())?
}

/// Reads a number of JSON.
pub(crate) fn double(text: &str) -> Option<f64> {
    let starts = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    starts.then(|| text.parse().ok())?.filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_fractions() {
        let cases = [
            ("200", Some(200_000)),
            ("200ms", Some(200_000)),
            ("1.5S", Some(1_500_000)),
            ("2m", Some(120_000_000)),
            ("7us", Some(7)),
            ("0.001", Some(1)),
            ("0.0001", None),
            ("-3", Some(-3000)),
            ("1.", None),
            (".5", None),
            ("", None),
            ("-", None),
            ("ms", None),
            ("1h", None),
            ("1.2.3", None),
            ("999999999999999999m", None),
            ("999999999999999", Some(999_999_999_999_999_000)),
            ("7777777777777777", None),
            ("1e3", None),
            ("\u{664}", None),
        ];
        for (text, micros) in cases {
            assert_eq!(scaled(text, DURATION, 1000), micros, "{text}");
        }
        assert_eq!(scaled("10kb", SIZE, 1), Some(10_000));
        assert_eq!(scaled("1.5", &[], 1), None);
        assert_eq!(scaled("500.0", &[], 1), Some(500));
    }

    #[test]
    fn doubles() {
        assert_eq!(double("-1.5e3"), Some(-1500.0));
        for text in ["inf", "-inf", "nan", "1e999", "", "x", "+1"] {
            assert_eq!(double(text), None, "{text}");
        }
    }
}
