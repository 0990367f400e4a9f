//! Steps of time: the fixed list that charts and groups are made with.

use trailkeep_event::Micros;

use crate::Error;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Weeks start on Mondays: 1970-01-01 was a Thursday.
const MONDAY: i64 = -3 * DAY;

/// A step of time. Buckets are aligned in UTC: each starts at a multiple of its step from
/// 1970-01-01, those of seven days on a Monday.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Step {
    micros: i64,
    name: &'static str,
    origin: i64,
}

const fn step(name: &'static str, micros: i64) -> Step {
    Step { micros, name, origin: 0 }
}

impl Step {
    /// Every step, the shortest first.
    pub const ALL: [Self; 15] = [
        step("1s", SECOND),
        step("5s", 5 * SECOND),
        step("10s", 10 * SECOND),
        step("30s", 30 * SECOND),
        step("1m", MINUTE),
        step("5m", 5 * MINUTE),
        step("10m", 10 * MINUTE),
        step("30m", 30 * MINUTE),
        step("1h", HOUR),
        step("3h", 3 * HOUR),
        step("6h", 6 * HOUR),
        step("12h", 12 * HOUR),
        step("1d", DAY),
        Self { micros: 7 * DAY, name: "7d", origin: MONDAY },
        step("30d", 30 * DAY),
    ];
    /// The longest step that divides every longer one.
    pub(crate) const DAY: Self = step("1d", DAY);

    /// Reads a step's name, as in `1h`.
    ///
    /// # Errors
    /// Where there is no such step; the error lists them.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|step| step.name == text).ok_or_else(|| {
            let names = Self::ALL.map(|step| step.name).join(", ");
            let text: String = text.chars().take(32).collect();
            Error::request(format!("`{text}` is not a step; the steps are {names}"))
        })
    }

    /// Returns the name.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Returns the step's length.
    pub fn micros(self) -> i64 {
        self.micros
    }

    /// Returns the start of the bucket that a time lies in.
    pub fn floor(self, at: Micros) -> Micros {
        let since = at.0.saturating_sub(self.origin);
        Micros(at.0.saturating_sub(since.rem_euclid(self.micros)))
    }

    /// Returns how many buckets the times from one to another lie in, both included.
    pub(crate) fn buckets(self, first: Micros, last: Micros) -> usize {
        let span = self.floor(last).0.saturating_sub(self.floor(first).0);
        usize::try_from(span.div_euclid(self.micros)).map_or(0, |n| n.saturating_add(1))
    }

    /// Returns the shortest step that needs at most so many buckets, or the longest step.
    pub(crate) fn for_range(first: Micros, last: Micros, buckets_max: usize) -> Self {
        let fits = |step: &Self| step.buckets(first, last) <= buckets_max;
        let [.., longest] = Self::ALL;
        Self::ALL.into_iter().find(fits).unwrap_or(longest)
    }

    /// Returns the next step up to a day.
    pub(crate) fn coarser(self) -> Self {
        Self::ALL
            .into_iter()
            .find(|step| *step > self)
            .map_or(Self::DAY, |step| step.min(Self::DAY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn steps_up_to_a_day_divide_every_longer_one() {
        for (at, step) in Step::ALL.iter().enumerate() {
            assert_eq!(Step::parse(step.name()).unwrap(), *step);
            for longer in &Step::ALL[at..] {
                let divides = longer.micros % step.micros == 0 && longer.origin % step.micros == 0;
                assert!(divides || *step > Step::DAY, "{} {}", step.name, longer.name);
            }
        }
        let error = Step::parse("2h").unwrap_err();
        assert!(error.to_string().starts_with("`2h` is not a step; the steps are 1s, 5s, 10s"));
    }

    #[test]
    fn weeks_start_on_mondays_and_before_1970_too() {
        let week = Step::parse("7d").unwrap();
        let at = |text: &str| Micros::parse(text).unwrap();
        assert_eq!(week.floor(at("2026-11-25T02:00:00Z")), at("2026-11-23T00:00:00Z"));
        assert_eq!(Step::DAY.floor(Micros(-1)), Micros(-DAY));
        assert_eq!(week.floor(Micros::MIN), at("0001-01-01T00:00:00Z"));
    }

    proptest! {
        #[test]
        fn a_time_lies_in_its_bucket(at in Micros::MIN.0 + 31 * DAY..=Micros::MAX.0, n in 0_usize..15) {
            let step = Step::ALL[n];
            let start = step.floor(Micros(at));
            prop_assert!(start.0 <= at && at < start.0 + step.micros);
            prop_assert_eq!(step.floor(start), start);
        }

        #[test]
        fn a_chosen_step_is_the_shortest_that_fits(from in 0_i64..DAY, span in 0_i64..3000 * DAY) {
            let (first, last) = (Micros(from), Micros(from + span));
            let step = Step::for_range(first, last, 200);
            prop_assert!(step.buckets(first, last) <= 200);
            prop_assert!(Step::ALL.iter().filter(|s| **s < step).all(|s| s.buckets(first, last) > 200));
        }
    }
}
