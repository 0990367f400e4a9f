//! Counts entries over time.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use trailkeep_event::{Field, Micros};
use trailkeep_filter::Filter;
use trailkeep_scope::ReadScope;

use crate::analyzer::Analyzer;
use crate::bounds::Bounds;
use crate::columns::{Batch, Wanted};
use crate::keys::Keys;
use crate::parallel::in_parallel;
use crate::timeline::{Counts, Timeline};
use crate::weights::weights;
use crate::{Cell, Error, GroupBy, Step};

/// The most buckets where the step is not given.
const BUCKETS_WANTED: usize = 200;
/// The most buckets where it is.
const BUCKETS_MAX: usize = 10_000;
/// The most series beside the one of all other values.
pub(crate) const SERIES_MAX: usize = 50;

/// What a histogram is made of.
#[derive(Clone, Debug)]
pub struct HistogramRequest {
    /// What entries must match.
    pub filter: Filter,
    /// The earliest time, by which lists sort; the first entry's where absent.
    pub from: Option<Micros>,
    /// The time before which entries must lie; after the last entry's where absent.
    pub to: Option<Micros>,
    /// The step; where absent the shortest that needs at most 200 buckets.
    pub step: Option<Step>,
    /// The field whose values are counted apart.
    pub split: Option<GroupBy>,
    /// How many values are counted apart, the most frequent; the others are one series.
    pub limit: usize,
}

/// Which entries a series counts.
#[derive(Clone, Debug, PartialEq)]
pub enum SeriesOf {
    /// All of them.
    All,
    /// Those with this value; null is those without one.
    Value(Cell),
    /// Those with a value that has no series of its own.
    Other,
}

/// The counts of one series, a number for each bucket.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// Which entries it counts.
    #[serde(flatten)]
    pub of: SeriesOf,
    /// How many entries.
    pub rows: Vec<u64>,
    /// How many events they stand for.
    pub estimated: Vec<u64>,
}

/// Counts over time. Empty buckets are there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Histogram {
    /// The step.
    #[serde(serialize_with = "name_of")]
    pub step: Step,
    /// When each bucket starts.
    #[serde(serialize_with = "texts_of")]
    pub times: Vec<Micros>,
    /// The series: the most frequent value first, all others last.
    pub series: Vec<Series>,
    /// How many entries there are in all.
    pub rows: u64,
    /// How many events they stand for.
    pub estimated: u64,
}

fn name_of<S: Serializer>(step: &Step, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(step.name())
}

fn texts_of<S: Serializer>(times: &[Micros], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(times.iter().map(Micros::to_string))
}

impl Serialize for SeriesOf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::All => {}
            Self::Value(value) => map.serialize_entry("value", value)?,
            Self::Other => map.serialize_entry("other", &true)?,
        }
        map.end()
    }
}

/// The counts of some of the rows.
#[derive(Debug)]
struct Partial {
    timeline: Timeline,
    split: Option<Keys>,
}

impl Partial {
    fn new(request: &HistogramRequest, step: Option<Step>) -> Self {
        Self { timeline: Timeline::new(step), split: request.split.as_ref().map(Keys::of) }
    }

    /// The columns are those that [`wanted`] names.
    fn add(&mut self, batch: &Batch, bounds: &Bounds) -> Result<(), Error> {
        let (Some(times), Some(rates)) = (batch.times(0), batch.columns.get(1)) else {
            return Ok(());
        };
        let weights = weights(rates);
        let mut add = |at: Option<i64>, series, estimated| {
            let at = Micros(at.unwrap_or_default());
            self.timeline.add(at, series, Counts { rows: 1, estimated });
        };
        match self.split.as_mut().zip(batch.columns.get(2)) {
            None => {
                for (at, weight) in times.iter().zip(&weights) {
                    add(at, 0, *weight);
                }
            }
            Some((keys, array)) => {
                for ((at, weight), series) in times.iter().zip(&weights).zip(keys.ids(array)) {
                    add(at, series, *weight);
                }
            }
        }
        let grown = self.split.as_mut().map_or(0, Keys::grown);
        bounds.take(grown.saturating_add(self.timeline.grown()))
    }

    fn absorb(&mut self, other: &Self, bounds: &Bounds) -> Result<(), Error> {
        let renamed = match (&mut self.split, &other.split) {
            (Some(ours), Some(theirs)) => ours.absorb(theirs),
            _ => vec![0],
        };
        self.timeline.absorb(&other.timeline, &renamed);
        let grown = self.split.as_mut().map_or(0, Keys::grown);
        bounds.take(grown.saturating_add(self.timeline.grown()))
    }
}

impl Analyzer {
    /// Counts entries over time.
    ///
    /// Costs a scan of the times and of the columns that are named.
    ///
    /// # Errors
    /// [`Error::Request`] where the step is so short that there would be too many buckets.
    pub fn histogram(
        &self,
        scope: &ReadScope,
        request: &HistogramRequest,
    ) -> Result<Histogram, Error> {
        if let (Some(step), Some(from), Some(to)) = (request.step, request.from, request.to) {
            check_buckets(step, from, before(to))?;
        }
        let window = (request.from, request.to);
        let source = self.source(scope, &request.filter, window, wanted(request));
        let parts = in_parallel(
            &source,
            || Partial::new(request, request.step),
            |partial, batch| partial.add(batch, &source.bounds),
        )?;
        let mut whole = Partial::new(request, request.step);
        for part in parts {
            whole.absorb(&part, &source.bounds)?;
        }
        chart(&whole, request)
    }
}

fn wanted(request: &HistogramRequest) -> Vec<Wanted> {
    let mut wanted = vec![Wanted::SortAt, Wanted::Field(Field::SampleRate)];
    wanted.extend(request.split.as_ref().map(|split| Wanted::of(split.path())));
    wanted
}

fn check_buckets(step: Step, first: Micros, last: Micros) -> Result<(), Error> {
    let n_buckets = step.buckets(first, last);
    if n_buckets <= BUCKETS_MAX {
        return Ok(());
    }
    Err(Error::request(format!(
        "a step of {} makes {n_buckets} buckets, at most {BUCKETS_MAX} are made; take a longer one",
        step.name()
    )))
}

/// Returns the last time of a window.
fn before(to: Micros) -> Micros {
    Micros(to.0.saturating_sub(1))
}

fn chart(whole: &Partial, request: &HistogramRequest) -> Result<Histogram, Error> {
    let first = request.from.or(whole.timeline.range.map(|(first, _)| first));
    let last = request.to.map(before).or(whole.timeline.range.map(|(_, last)| last));
    // With one end given and no entry there is no range.
    let range = first.zip(last).filter(|(first, last)| first <= last);
    let step = request.step.unwrap_or_else(|| {
        let (first, last) = range.unwrap_or_default();
        Step::for_range(first, last, BUCKETS_WANTED)
    });
    let mut times = Vec::new();
    if let Some((first, last)) = range {
        check_buckets(step, first, last)?;
        let start = step.floor(first);
        let nth = |n: usize| {
            let n = i64::try_from(n).unwrap_or(i64::MAX);
            Micros(start.0.saturating_add(step.micros().saturating_mul(n)))
        };
        times.extend((0..step.buckets(first, last)).map(nth));
    }
    let mut totals: BTreeMap<u32, Counts> = BTreeMap::new();
    let mut all = Counts::default();
    for (_, series, counts) in whole.timeline.counts().filter(|(_, _, counts)| counts.rows > 0) {
        totals.entry(series).or_default().add(counts);
        all.add(counts);
    }
    let (kinds, place) = series_of(whole, &totals, request.limit.min(SERIES_MAX));
    let empty = vec![0; times.len()];
    let mut series: Vec<Series> = kinds
        .into_iter()
        .map(|of| Series { of, rows: empty.clone(), estimated: empty.clone() })
        .collect();
    let start = times.first().copied().unwrap_or_default();
    for (at, number, counts) in whole.timeline.counts().filter(|(_, _, counts)| counts.rows > 0) {
        let bucket = step.buckets(start, at).saturating_sub(1);
        let number = place.get(&number).copied().unwrap_or_default();
        let Some(series) = series.get_mut(number) else { continue };
        let slots = series.rows.get_mut(bucket).zip(series.estimated.get_mut(bucket));
        if let Some((rows, estimated)) = slots {
            *rows = rows.saturating_add(counts.rows);
            *estimated = estimated.saturating_add(counts.estimated);
        }
    }
    Ok(Histogram { step, times, series, rows: all.rows, estimated: all.estimated })
}

/// Returns the series, the most frequent first, and which one each number belongs to.
fn series_of(
    whole: &Partial,
    totals: &BTreeMap<u32, Counts>,
    limit: usize,
) -> (Vec<SeriesOf>, BTreeMap<u32, usize>) {
    let Some(keys) = &whole.split else {
        return (vec![SeriesOf::All], BTreeMap::from([(0, 0)]));
    };
    let mut ranked: Vec<(u32, u64, &Cell)> =
        totals.iter().map(|(id, counts)| (*id, counts.rows, keys.cell(*id))).collect();
    ranked.sort_by(|(_, a_rows, a), (_, b_rows, b)| {
        Reverse(a_rows).cmp(&Reverse(b_rows)).then_with(|| a.compare(b))
    });
    let mut kinds: Vec<SeriesOf> =
        ranked.iter().take(limit).map(|(_, _, cell)| SeriesOf::Value((*cell).clone())).collect();
    if ranked.len() > limit {
        kinds.push(SeriesOf::Other);
    }
    let place = |(rank, (id, ..)): (usize, &(u32, u64, &Cell))| (*id, rank.min(limit));
    let places = ranked.iter().enumerate().map(place).collect();
    (kinds, places)
}
