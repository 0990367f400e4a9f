//! Counts entries by time and series while the range of their times is not known yet.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use trailkeep_event::Micros;

use crate::Step;
use crate::distinct::AsIs;
use crate::numbers::{index, mix};

/// Beyond so many steps between the first entry and the last a timeline takes longer steps. A
/// chart has far fewer, so that its steps are never shorter than these.
const STEPS_MAX: usize = 4096;
/// What the counts of a bucket take.
const COUNTS_BYTES: usize = size_of::<Counts>();
const BUCKET_BYTES: usize = 64;

/// How many entries there are, and how many events they stand for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    pub(crate) rows: u64,
    pub(crate) estimated: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.estimated = self.estimated.saturating_add(other.estimated);
    }
}

/// Whether the steps may become longer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Steps {
    Fixed,
    Adaptive,
}

/// Counts by bucket and series.
#[derive(Debug)]
pub(crate) struct Timeline {
    step: Step,
    steps: Steps,
    /// The number of each bucket by its start.
    numbers: HashMap<u64, usize, BuildHasherDefault<AsIs>>,
    /// The start of each bucket and the counts of each series.
    buckets: Vec<(Micros, Vec<Counts>)>,
    /// The bucket that was met last: where it starts and ends, and its number.
    last: (i64, i64, usize),
    /// The first and the last time.
    pub(crate) range: Option<(Micros, Micros)>,
    bytes: usize,
}

impl Timeline {
    pub(crate) fn new(step: Option<Step>) -> Self {
        let [shortest, ..] = Step::ALL;
        Self {
            step: step.unwrap_or(shortest),
            steps: if step.is_some() { Steps::Fixed } else { Steps::Adaptive },
            numbers: HashMap::default(),
            buckets: Vec::new(),
            last: (0, 0, 0),
            range: None,
            bytes: 0,
        }
    }

    /// Returns the counts of each bucket and series.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Micros, u32, Counts)> {
        self.buckets.iter().flat_map(|(start, series)| {
            (0_u32..).zip(series).map(|(series, counts)| (*start, series, *counts))
        })
    }

    /// Returns how many bytes were taken since this was asked last.
    pub(crate) fn grown(&mut self) -> usize {
        std::mem::take(&mut self.bytes)
    }

    /// Counts rows.
    pub(crate) fn add(&mut self, at: Micros, series: u32, counts: Counts) {
        let (first, last) = self.range.unwrap_or((at, at));
        if at < first || at > last || self.range.is_none() {
            self.widen(first.min(at), last.max(at));
        }
        self.count(at, series, counts);
    }

    fn count(&mut self, at: Micros, series: u32, counts: Counts) {
        if at.0 < self.last.0 || at.0 >= self.last.1 {
            self.find(at);
        }
        let Some((_, bucket)) = self.buckets.get_mut(self.last.2) else { return };
        if bucket.len() <= index(series) {
            let more = index(series).saturating_add(1).saturating_sub(bucket.len());
            self.bytes = self.bytes.saturating_add(more.saturating_mul(COUNTS_BYTES));
            bucket.resize(index(series).saturating_add(1), Counts::default());
        }
        if let Some(slot) = bucket.get_mut(index(series)) {
            slot.add(counts);
        }
    }

    fn find(&mut self, at: Micros) {
        let start = self.step.floor(at);
        let next = self.buckets.len();
        let key = mix(u64::from_le_bytes(start.0.to_le_bytes()));
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.buckets.push((start, Vec::new()));
            self.bytes = self.bytes.saturating_add(BUCKET_BYTES);
        }
        self.last = (start.0, start.0.saturating_add(self.step.micros()), number);
    }

    fn widen(&mut self, first: Micros, last: Micros) {
        self.range = Some((first, last));
        while self.steps == Steps::Adaptive
            && self.step < Step::DAY
            && self.step.buckets(first, last) > STEPS_MAX
        {
            self.take_step(self.step.coarser());
        }
    }

    fn take_step(&mut self, step: Step) {
        self.step = step;
        self.numbers.clear();
        self.last = (0, 0, 0);
        for (start, bucket) in std::mem::take(&mut self.buckets) {
            for (series, counts) in (0_u32..).zip(bucket) {
                self.count(start, series, counts);
            }
        }
    }

    /// Takes in another part, whose series have new numbers by `renamed`.
    pub(crate) fn absorb(&mut self, other: &Self, renamed: &[u32]) {
        if other.step > self.step {
            self.take_step(other.step);
        }
        if let Some((first, last)) = other.range {
            let (ours_first, ours_last) = self.range.unwrap_or((first, last));
            self.widen(ours_first.min(first), ours_last.max(last));
        }
        for (start, series, counts) in other.counts() {
            let series = renamed.get(index(series)).copied().unwrap_or_default();
            self.count(start, series, counts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const ONE: Counts = Counts { rows: 1, estimated: 1 };

    fn by(step: Step, timeline: &Timeline) -> BTreeMap<(i64, u32), u64> {
        let mut found = BTreeMap::new();
        for (at, series, counts) in timeline.counts().filter(|(_, _, counts)| counts.rows > 0) {
            *found.entry((step.floor(at).0, series)).or_insert(0) += counts.rows;
        }
        found
    }

    proptest! {
        #[test]
        fn steps_grow_but_never_beyond_a_chart_s(
            times in prop::collection::vec((0_i64..1 << 50, 0_u32..3), 1..300), cut: usize, shift in 0_u32..40,
        ) {
            let times: Vec<(Micros, u32)> =
                times.iter().map(|(at, series)| (Micros((at >> shift) - 5_000_000), *series)).collect();
            let cut = cut % times.len();
            let mut parts = [Timeline::new(None), Timeline::new(None)];
            for (number, (at, series)) in times.iter().enumerate() {
                parts[usize::from(number >= cut)].add(*at, *series, ONE);
            }
            let mut whole = Timeline::new(None);
            for part in &parts {
                whole.absorb(part, &[0, 1, 2]);
            }
            let first = times.iter().map(|(at, _)| *at).min().unwrap();
            let last = times.iter().map(|(at, _)| *at).max().unwrap();
            prop_assert_eq!(whole.range, Some((first, last)));
            let step = Step::for_range(first, last, 200);
            let mut expected = BTreeMap::new();
            for (at, series) in &times {
                *expected.entry((step.floor(*at).0, *series)).or_insert(0) += 1;
            }
            prop_assert_eq!(by(step, &whole), expected);
        }
    }
}
