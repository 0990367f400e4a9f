//! Times, in microseconds since 1970 in UTC.

use std::fmt;

/// A time in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Micros(pub i64);

/// Says why a text is not a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a time is written as RFC 3339, like 2026-04-20T12:00:00.000Z or 2026-04-20T14:00:00+02:00"
)]
pub struct MicrosError;

const DAY_MICROS: i64 = 86_400_000_000;
/// 0001-01-01T00:00:00Z, the first time that can be written.
const FIRST: i64 = -62_135_596_800_000_000;
/// 9999-12-31T23:59:59.999999Z, the last time that can be written.
const LAST: i64 = 253_402_300_799_999_999;

impl Micros {
    /// The first time that can be written as RFC 3339.
    pub const MIN: Self = Self(FIRST);
    /// The last time that can be written as RFC 3339.
    pub const MAX: Self = Self(LAST);

    /// Parses RFC 3339; digits beyond the microsecond are dropped, an offset is applied.
    pub fn parse(text: &str) -> Result<Self, MicrosError> {
        parse(text.as_bytes()).filter(|at| (FIRST..=LAST).contains(at)).map(Self).ok_or(MicrosError)
    }

    /// Makes a time from a calendar date (proleptic Gregorian) at midnight.
    pub fn from_date(year: i64, month: u32, day: u32) -> Option<Self> {
        let days = days_from_civil(year, i64::from(month), i64::from(day))?;
        days.checked_mul(DAY_MICROS).map(Self)
    }

    /// Returns the time moved by `micros`, kept within what can be written.
    #[must_use]
    pub fn plus(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros).clamp(FIRST, LAST))
    }

    /// Returns the whole milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Returns the day as `(year, month, day)`.
    pub fn date(self) -> (i64, i64, i64) {
        civil_from_days(self.0.div_euclid(DAY_MICROS))
    }

    /// Appends the RFC 3339 form in UTC: three fraction digits, six where the time has
    /// microseconds.
    pub fn write(self, out: &mut Vec<u8>) {
        let at = self.0.clamp(FIRST, LAST);
        let (year, month, day) = civil_from_days(at.div_euclid(DAY_MICROS));
        let in_day = at.rem_euclid(DAY_MICROS);
        let seconds = in_day.div_euclid(1_000_000);
        let fraction = in_day.rem_euclid(1_000_000);
        let pairs = [
            year.div_euclid(100),
            year.rem_euclid(100),
            month,
            day,
            seconds.div_euclid(3600),
            seconds.div_euclid(60).rem_euclid(60),
            seconds.rem_euclid(60),
            fraction.div_euclid(10_000),
            fraction.div_euclid(100).rem_euclid(100),
            fraction.rem_euclid(100),
        ];
        let [[y1, y2], [y3, y4], [m1, m2], [d1, d2], [h1, h2], [n1, n2], [s1, s2], rest @ ..] =
            pairs.map(two_digits);
        out.extend_from_slice(&[
            y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2,
            b'.',
        ]);
        let [[f1, f2], [f3, f4], [f5, f6]] = rest;
        if fraction.rem_euclid(1000) == 0 {
            out.extend_from_slice(&[f1, f2, f3, b'Z']);
        } else {
            out.extend_from_slice(&[f1, f2, f3, f4, f5, f6, b'Z']);
        }
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(27);
        self.write(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// Returns the digits of a number below 100.
fn two_digits(value: i64) -> [u8; 2] {
    let value = u8::try_from(value).unwrap_or(0);
    [b'0'.wrapping_add(value / 10), b'0'.wrapping_add(value % 10)]
}

fn digits(bytes: &[u8]) -> Option<i64> {
    let mut value = 0_i64;
    for byte in bytes {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i64::from(byte.wrapping_sub(b'0')))?;
    }
    Some(value)
}

/// `YYYY-MM-DDTHH:MM:SS[.f...](Z|+HH:MM|-HH:MM)`
fn parse(text: &[u8]) -> Option<i64> {
    if text.len() > 64 {
        return None;
    }
    let punctuation = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if punctuation.iter().any(|&(at, byte)| text.get(at) != Some(&byte)) {
        return None;
    }
    if !matches!(text.get(10), Some(b'T' | b't')) {
        return None;
    }
    let year = digits(text.get(0..4)?)?;
    let month = digits(text.get(5..7)?)?;
    let day = digits(text.get(8..10)?)?;
    let hour = digits(text.get(11..13)?)?;
    let minute = digits(text.get(14..16)?)?;
    let second = digits(text.get(17..19)?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, zone) = fraction(text.get(19..)?)?;
    let days = days_from_civil(year, month, day)?;
    let seconds = days
        .checked_mul(86_400)?
        .checked_add(hour.checked_mul(3600)?)?
        .checked_add(minute.checked_mul(60)?)?
        .checked_add(second)?
        .checked_sub(offset_seconds(zone)?)?;
    seconds.checked_mul(1_000_000)?.checked_add(fraction)
}

/// Splits `.123456Z` into microseconds and the zone.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(rest) = text.strip_prefix(b".") else { return Some((0, text)) };
    let n_digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if n_digits == 0 {
        return None;
    }
    let (number, zone) = rest.split_at_checked(n_digits)?;
    let kept = number.get(..number.len().min(6))?;
    let scale = 10_i64.checked_pow(u32::try_from(6_usize.checked_sub(kept.len())?).ok()?)?;
    Some((digits(kept)?.checked_mul(scale)?, zone))
}

fn offset_seconds(zone: &[u8]) -> Option<i64> {
    match zone {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let hours = digits(&[*h1, *h2])?;
            let minutes = digits(&[*m1, *m2])?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?;
            if *sign == b'-' { seconds.checked_neg() } else { Some(seconds) }
        }
        _ => None,
    }
}

/// Days since 1970-01-01 of a date that exists (Howard Hinnant's algorithm).
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let y = if month <= 2 { year.checked_sub(1)? } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let shifted = if month > 2 { month.checked_sub(3)? } else { month.checked_add(9)? };
    let day_of_year = shifted.checked_mul(153)?.checked_add(2)?.div_euclid(5).checked_add(day)?;
    let day_of_era = year_of_era
        .checked_mul(365)?
        .checked_add(year_of_era.div_euclid(4))?
        .checked_sub(year_of_era.div_euclid(100))?
        .checked_add(day_of_year.checked_sub(1)?)?;
    era.checked_mul(146_097)?.checked_add(day_of_era)?.checked_sub(719_468)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "callers clamp to years 1-9999, far inside the range of i64"
)]
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days.clamp(-800_000, 3_000_000) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_writes() {
        let cases = [
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
            ("2026-04-20T12:00:00.000Z", "2026-04-20T12:00:00.000Z"),
            ("2026-04-20t14:00:00.1234569+02:00", "2026-04-20T12:00:00.123456Z"),
            ("2024-02-29T23:59:59.5-00:30", "2024-03-01T00:29:59.500Z"),
            ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
        ];
        for (text, written) in cases {
            assert_eq!(Micros::parse(text).unwrap().to_string(), written, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_time() {
        let cases = [
            "",
            "2026-04-20",
            "2026-04-20 12:00:00Z",
            "2026-04-20T12:00:00",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-04-20T24:00:00Z",
            "2026-04-20T12:00:00.Z",
            "2026-04-20T12:00:00+24:00",
            "+026-04-20T12:00:00Z",
            "0000-01-01T00:00:00Z",
        ];
        for text in cases {
            assert_eq!(Micros::parse(text), Err(MicrosError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn writing_then_reading_is_the_same(at in FIRST..=LAST) {
            prop_assert_eq!(Micros::parse(&Micros(at).to_string()).unwrap(), Micros(at));
        }

        #[test]
        fn agrees_with_jiff(at in FIRST..=LAST) {
            // jiff's own range ends a little before the last day.
            let jiff = jiff::Timestamp::from_microsecond(at);
            prop_assume!(jiff.is_ok());
            let theirs = jiff.unwrap();
            prop_assert_eq!(Micros::parse(&theirs.to_string()).unwrap(), Micros(at));
        }
    }
}
