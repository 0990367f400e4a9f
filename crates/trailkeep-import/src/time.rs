//! The ways in which records write times.

use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::{Offset, TimeZone};
use trailkeep_event::Micros;

/// A way of writing a time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum TimeFormat {
    /// `2026-04-20T12:00:00.000Z`
    Rfc3339,
    /// A number of units since 1970, with so many decimal places down to the microsecond.
    Unix { places: usize },
    /// A pattern in the manner of `strptime`; without an offset it is UTC.
    Pattern(String),
}

impl TimeFormat {
    /// Parses a format's name or pattern.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "rfc3339" => Some(Self::Rfc3339),
            "unix_s" => Some(Self::Unix { places: 6 }),
            "unix_ms" => Some(Self::Unix { places: 3 }),
            "unix_us" => Some(Self::Unix { places: 0 }),
            _ => {
                // A pattern is usable if it reads back what it writes.
                let epoch = jiff::Timestamp::UNIX_EPOCH.to_zoned_datetime(TimeZone::UTC);
                let sample = strtime::format(text, &epoch).ok()?;
                let pattern = Self::Pattern(text.to_owned());
                pattern.read(&sample).map(|_at| pattern)
            }
        }
    }

    /// Reads a time.
    pub(crate) fn read(&self, text: &str) -> Option<Micros> {
        let at = match self {
            Self::Rfc3339 => Micros::parse(text).ok()?,
            Self::Unix { places } => Micros(scaled(text, *places)?),
            Self::Pattern(pattern) => read_pattern(pattern, text)?,
        };
        (Micros::MIN..=Micros::MAX).contains(&at).then_some(at)
    }
}

fn read_pattern(pattern: &str, text: &str) -> Option<Micros> {
    let mut parts = BrokenDownTime::parse(pattern, text).ok()?;
    if parts.offset().is_none() && parts.timestamp().is_none() {
        parts.set_offset(Some(Offset::UTC));
    }
    Some(Micros(parts.to_timestamp().ok()?.as_microsecond()))
}

/// Reads a decimal number times ten to the `places`; digits beyond are dropped.
fn scaled(text: &str, places: usize) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || whole.starts_with('+') {
        return None;
    }
    let kept = fraction.chars().chain(std::iter::repeat('0')).take(places);
    let digits: String = whole.chars().chain(kept).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads() {
        let cases = [
            ("rfc3339", "2026-04-20T14:00:00+02:00", Some("2026-04-20T12:00:00.000Z")),
            ("rfc3339", "2026-04-20 14:00:00", None),
            ("unix_s", "1594000000", Some("2020-07-06T01:46:40.000Z")),
            ("unix_s", "1594000000.1234567", Some("2020-07-06T01:46:40.123456Z")),
            ("unix_s", "-1.5", Some("1969-12-31T23:59:58.500Z")),
            ("unix_s", "1594000000000000", None),
            ("unix_s", "soon", None),
            ("unix_ms", "1594000000123.4", Some("2020-07-06T01:46:40.123400Z")),
            ("unix_us", "1594000000123456", Some("2020-07-06T01:46:40.123456Z")),
            ("%Y-%m-%d %H:%M:%S%.f", "2020-10-18 10:56:18.799", Some("2020-10-18T10:56:18.799Z")),
            ("%Y-%m-%d %H:%M:%S%.f", "2020-10-18 10:56:18", Some("2020-10-18T10:56:18.000Z")),
            ("%Y-%m-%d %H:%M:%S%.f", "2020-10-18", None),
            (
                "%d/%b/%Y:%H:%M:%S %z",
                "17/May/2015:10:05:03 +0200",
                Some("2015-05-17T08:05:03.000Z"),
            ),
            ("%Y-%m-%d %H:%M:%S UTC", "2024-02-29 00:00:00 UTC", Some("2024-02-29T00:00:00.000Z")),
            ("%Y-%m-%d %H:%M:%S UTC", "2023-02-29 00:00:00 UTC", None),
        ];
        for (format, text, expected) in cases {
            let read = TimeFormat::parse(format).unwrap().read(text).map(|at| at.to_string());
            assert_eq!(read.as_deref(), expected, "{format}: {text}");
        }
    }

    #[test]
    fn patterns_that_give_no_time_are_refused() {
        for bad in ["", "soon", "%H:%M", "%Y-%m", "%!", "%"] {
            assert_eq!(TimeFormat::parse(bad), None, "{bad}");
        }
    }
}
