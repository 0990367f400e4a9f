//! Days and times of day.

use std::ops::Bound;

use trailkeep_event::Micros;

use crate::term::Range;

const DAY_MICROS: i64 = 86_400_000_000;

/// A time as written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Moment {
    /// A whole day, from its first microsecond.
    Day(Micros),
    /// One microsecond.
    Instant(Micros),
}

impl Moment {
    /// Reads `2026-01-31` or RFC 3339.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() == 10 {
            day(text).map(Self::Day)
        } else {
            Micros::parse(text).ok().map(Self::Instant)
        }
    }

    /// Returns the bound of a range that starts here, this included.
    pub(crate) fn start_here(self) -> Bound<i64> {
        match self {
            Self::Day(at) | Self::Instant(at) => Bound::Included(at.0),
        }
    }

    /// Returns the bound of a range that starts after this.
    pub(crate) fn start_after(self) -> Bound<i64> {
        match self {
            Self::Day(at) => next_day(at).map_or(Bound::Excluded(Micros::MAX.0), Bound::Included),
            Self::Instant(at) => Bound::Excluded(at.0),
        }
    }

    /// Returns the bound of a range that ends before this.
    pub(crate) fn end_before(self) -> Bound<i64> {
        match self {
            Self::Day(at) | Self::Instant(at) => Bound::Excluded(at.0),
        }
    }

    /// Returns the bound of a range that ends with this, this included.
    pub(crate) fn end_after(self) -> Bound<i64> {
        match self {
            Self::Day(at) => next_day(at).map_or(Bound::Unbounded, Bound::Excluded),
            Self::Instant(at) => Bound::Included(at.0),
        }
    }

    /// Returns the range `self..end`. A day at the end is a part of it; a time is not, so that
    /// ranges follow on each other.
    pub(crate) fn end_of_range(self) -> Bound<i64> {
        match self {
            Self::Day(_) => self.end_after(),
            Self::Instant(_) => self.end_before(),
        }
    }

    /// Returns the range of this alone.
    pub(crate) fn only(self) -> Range<i64> {
        (self.start_here(), self.end_after())
    }
}

/// Returns the start of the next day; the last day that can be written has none.
fn next_day(day: Micros) -> Option<i64> {
    day.0.checked_add(DAY_MICROS).filter(|next| *next <= Micros::MAX.0)
}

fn day(text: &str) -> Option<Micros> {
    let mut parts = text.split('-');
    let mut part = |n_digits: usize| {
        let digits = parts.next()?;
        let whole = digits.len() == n_digits && digits.bytes().all(|byte| byte.is_ascii_digit());
        whole.then(|| digits.parse::<u32>().ok())?
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    Micros::from_date(i64::from(year), month, day).filter(|at| *at >= Micros::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times() {
        let start = Micros::parse("2026-01-31T00:00:00Z").unwrap();
        let next = Micros::parse("2026-02-01T00:00:00Z").unwrap();
        let day = Moment::parse("2026-01-31").unwrap();
        assert_eq!(day, Moment::Day(start));
        assert_eq!(day.only(), (Bound::Included(start.0), Bound::Excluded(next.0)));
        assert_eq!(day.start_after(), Bound::Included(next.0));
        assert_eq!(Moment::parse("2026-01-31T00:00:00+00:00"), Some(Moment::Instant(start)));
        for text in ["2026-02-30", "2026-1-1", "0000-01-01", "+026-01-01", "2026-01-01T00:00", ""] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_last_day_has_no_next() {
        let last = Moment::parse("9999-12-31").unwrap();
        assert_eq!(last.end_after(), Bound::Unbounded);
        assert_eq!(last.start_after(), Bound::Excluded(Micros::MAX.0));
    }
}
