//! What is kept for each group while rows are read.

use arrow_array::ArrayRef;
use trailkeep_event::Micros;

use crate::distinct::Distinct;
use crate::numbers::{float, index, int, whole};
use crate::path::FieldPath;
use crate::spread::Spread;
use crate::values::{Numbers, Values, each, each_int};
use crate::{Cell, Function};

/// What has to be kept for a function. Functions of one field may share it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Rows,
    Estimated,
    Present,
    Distinct,
    Sum,
    Range,
    Spread,
}

impl Kind {
    pub(crate) fn of(function: Function, field: Option<&FieldPath>) -> Self {
        match function {
            Function::Count if field.is_none() => Self::Rows,
            Function::Count => Self::Present,
            Function::Estimated => Self::Estimated,
            Function::CountDistinct => Self::Distinct,
            Function::Sum | Function::Avg => Self::Sum,
            Function::Min | Function::Max => Self::Range,
            Function::P50 | Function::P95 | Function::P99 => Self::Spread,
        }
    }
}

/// One kind of state, for every group.
#[derive(Debug)]
pub(crate) struct State {
    values: Option<Values>,
    divisor: i64,
    is_time: bool,
    groups: PerGroup,
}

#[derive(Debug)]
enum PerGroup {
    Rows(Vec<u64>),
    Estimated(Vec<u64>),
    Present(Vec<u64>),
    Distinct(Vec<Distinct>),
    Sum(Vec<Sum>),
    Range(Vec<Range>),
    Spread(Vec<Spread>),
}

/// A sum: what is whole is added exactly, so that the order does not matter.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    whole: i128,
    fraction: f64,
    n_values: u64,
}

/// The least and the most.
#[derive(Clone, Copy, Debug, Default)]
struct Range {
    whole: Option<(i64, i64)>,
    fraction: Option<(f64, f64)>,
}

/// The rows of a batch as states see them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    /// The group of each row.
    pub(crate) groups: &'a [u32],
    /// How many groups there are by now.
    pub(crate) n_groups: usize,
    /// How many events each row stands for.
    pub(crate) weights: &'a [u64],
}

impl State {
    pub(crate) fn new(kind: Kind, field: Option<&FieldPath>) -> Self {
        Self {
            values: field.map(Values::of),
            divisor: field.map_or(1, FieldPath::divisor),
            is_time: field.is_some_and(FieldPath::is_time),
            groups: match kind {
                Kind::Rows => PerGroup::Rows(Vec::new()),
                Kind::Estimated => PerGroup::Estimated(Vec::new()),
                Kind::Present => PerGroup::Present(Vec::new()),
                Kind::Distinct => PerGroup::Distinct(Vec::new()),
                Kind::Sum => PerGroup::Sum(Vec::new()),
                Kind::Range => PerGroup::Range(Vec::new()),
                Kind::Spread => PerGroup::Spread(Vec::new()),
            },
        }
    }

    /// Makes room for groups and returns how many bytes that took.
    pub(crate) fn grow(&mut self, n_groups: usize) -> usize {
        match &mut self.groups {
            PerGroup::Rows(counts) | PerGroup::Estimated(counts) | PerGroup::Present(counts) => {
                resize(counts, n_groups)
            }
            PerGroup::Distinct(groups) => resize(groups, n_groups),
            PerGroup::Sum(groups) => resize(groups, n_groups),
            PerGroup::Range(groups) => resize(groups, n_groups),
            PerGroup::Spread(groups) => resize(groups, n_groups),
        }
    }

    /// Takes in the rows of a batch and returns how many bytes that took.
    pub(crate) fn add(&mut self, rows: &Rows<'_>, array: Option<&ArrayRef>) -> usize {
        let mut grown = self.grow(rows.n_groups);
        let groups = rows.groups;
        match (&mut self.groups, self.values.as_mut().zip(array)) {
            (PerGroup::Rows(counts), _) => {
                for group in groups {
                    bump(counts, index(*group), 1);
                }
            }
            (PerGroup::Estimated(counts), _) => {
                for (group, weight) in groups.iter().zip(rows.weights) {
                    bump(counts, index(*group), *weight);
                }
            }
            (PerGroup::Present(counts), Some((values, array))) => {
                each(groups, &values.hashes(array), |group, _| bump(counts, group, 1));
            }
            (PerGroup::Distinct(sets), Some((values, array))) => {
                each(groups, &values.hashes(array), |group, hash| {
                    let added = sets.get_mut(group).map_or(0, |set| set.add(hash));
                    grown = grown.saturating_add(added);
                });
            }
            (PerGroup::Sum(sums), Some((values, array))) => match values.numbers(array) {
                Numbers::Whole(ints) => each_int(groups, &ints, |group, int| {
                    sums.get_mut(group).into_iter().for_each(|sum| sum.add_whole(int));
                }),
                Numbers::Fraction(floats) => each(groups, &floats, |group, float| {
                    sums.get_mut(group).into_iter().for_each(|sum| sum.add(float));
                }),
            },
            (PerGroup::Range(ranges), Some((values, array))) => match values.numbers(array) {
                Numbers::Whole(ints) => each_int(groups, &ints, |group, int| {
                    ranges.get_mut(group).into_iter().for_each(|range| range.add_whole(int, int));
                }),
                Numbers::Fraction(floats) => each(groups, &floats, |group, float| {
                    ranges.get_mut(group).into_iter().for_each(|range| range.add(float, float));
                }),
            },
            (PerGroup::Spread(spreads), Some((values, array))) => {
                let mut add = |group: usize, value: f64| {
                    let added = spreads.get_mut(group).map_or(0, |spread| spread.add(value));
                    grown = grown.saturating_add(added);
                };
                match values.numbers(array) {
                    Numbers::Whole(ints) => {
                        each_int(groups, &ints, |group, int| add(group, float(int.into())));
                    }
                    Numbers::Fraction(floats) => each(groups, &floats, add),
                }
            }
            (_, None) => {}
        }
        grown
    }

    /// Takes in the state of another part, whose groups have new numbers by `renamed`, and returns
    /// how many bytes that took.
    pub(crate) fn absorb(&mut self, other: &Self, renamed: &[u32]) -> usize {
        let mut grown = 0_usize;
        let number = |group: usize| renamed.get(group).map_or(usize::MAX, |group| index(*group));
        match (&mut self.groups, &other.groups) {
            (PerGroup::Rows(ours), PerGroup::Rows(theirs))
            | (PerGroup::Estimated(ours), PerGroup::Estimated(theirs))
            | (PerGroup::Present(ours), PerGroup::Present(theirs)) => {
                for (group, count) in theirs.iter().enumerate() {
                    bump(ours, number(group), *count);
                }
            }
            (PerGroup::Distinct(ours), PerGroup::Distinct(theirs)) => {
                for (group, set) in theirs.iter().enumerate() {
                    let added = ours.get_mut(number(group)).map_or(0, |ours| ours.absorb(set));
                    grown = grown.saturating_add(added);
                }
            }
            (PerGroup::Sum(ours), PerGroup::Sum(theirs)) => {
                for (group, sum) in theirs.iter().enumerate() {
                    ours.get_mut(number(group)).into_iter().for_each(|ours| ours.absorb(*sum));
                }
            }
            (PerGroup::Range(ours), PerGroup::Range(theirs)) => {
                for (group, range) in theirs.iter().enumerate() {
                    ours.get_mut(number(group)).into_iter().for_each(|ours| ours.absorb(*range));
                }
            }
            (PerGroup::Spread(ours), PerGroup::Spread(theirs)) => {
                for (group, spread) in theirs.iter().enumerate() {
                    let added = ours.get_mut(number(group)).map_or(0, |ours| ours.absorb(spread));
                    grown = grown.saturating_add(added);
                }
            }
            _ => {}
        }
        grown
    }

    /// Tells whether what is kept gives exact values.
    pub(crate) fn is_exact(&self) -> bool {
        match &self.groups {
            PerGroup::Distinct(sets) => sets.iter().all(Distinct::is_exact),
            PerGroup::Spread(spreads) => spreads.iter().all(Spread::is_exact),
            _ => true,
        }
    }

    /// Returns a function's value for a group.
    pub(crate) fn cell(&self, group: usize, function: Function) -> Cell {
        let found = match &self.groups {
            PerGroup::Rows(counts) | PerGroup::Estimated(counts) | PerGroup::Present(counts) => {
                counts.get(group).map(|count| Cell::Int(int(*count)))
            }
            PerGroup::Distinct(sets) => sets.get(group).map(|set| Cell::number(set.count())),
            PerGroup::Sum(sums) => sums.get(group).map(|sum| self.sum(*sum, function)),
            PerGroup::Range(ranges) => ranges.get(group).map(|range| self.range(*range, function)),
            PerGroup::Spread(spreads) => spreads.get(group).and_then(|spread| {
                let value = spread.quantile(share(function))?;
                Some(Cell::number(value / float(self.divisor.into())))
            }),
        };
        found.unwrap_or(Cell::Null)
    }

    fn sum(&self, sum: Sum, function: Function) -> Cell {
        if sum.n_values == 0 {
            return Cell::Null;
        }
        let is_whole = sum.fraction == 0.0 && self.divisor == 1;
        if let (true, Function::Sum, Ok(int)) = (is_whole, function, i64::try_from(sum.whole)) {
            return Cell::Int(int);
        }
        let total = (float(sum.whole) + sum.fraction) / float(self.divisor.into());
        match function {
            Function::Avg => Cell::number(total / float(sum.n_values.into())),
            _ => Cell::number(total),
        }
    }

    fn range(&self, range: Range, function: Function) -> Cell {
        let least = function == Function::Min;
        let whole = range.whole.map(|(min, max)| if least { min } else { max });
        let fraction = range.fraction.map(|(min, max)| if least { min } else { max });
        match (whole, fraction) {
            (Some(micros), _) if self.is_time => Cell::Time(Micros(micros)),
            (Some(int), _) if self.divisor == 1 => Cell::Int(int),
            (Some(int), _) => Cell::number(float(int.into()) / float(self.divisor.into())),
            (None, Some(value)) => Cell::number(value),
            (None, None) => Cell::Null,
        }
    }
}

fn share(function: Function) -> f64 {
    match function {
        Function::P95 => 0.95,
        Function::P99 => 0.99,
        _ => 0.5,
    }
}

impl Sum {
    fn add_whole(&mut self, int: i64) {
        self.whole = self.whole.saturating_add(int.into());
        self.n_values = self.n_values.saturating_add(1);
    }

    fn add(&mut self, value: f64) {
        if let Some(int) = whole(value) {
            return self.add_whole(int);
        }
        self.fraction += value;
        self.n_values = self.n_values.saturating_add(1);
    }

    fn absorb(&mut self, other: Self) {
        self.whole = self.whole.saturating_add(other.whole);
        self.fraction += other.fraction;
        self.n_values = self.n_values.saturating_add(other.n_values);
    }
}

impl Range {
    fn add_whole(&mut self, low: i64, high: i64) {
        let (min, max) = self.whole.unwrap_or((low, high));
        self.whole = Some((min.min(low), max.max(high)));
    }

    fn add(&mut self, low: f64, high: f64) {
        let (min, max) = self.fraction.unwrap_or((low, high));
        self.fraction = Some((min.min(low), max.max(high)));
    }

    fn absorb(&mut self, other: Self) {
        other.whole.into_iter().for_each(|(low, high)| self.add_whole(low, high));
        other.fraction.into_iter().for_each(|(low, high)| self.add(low, high));
    }
}

fn bump(counts: &mut [u64], group: usize, by: u64) {
    if let Some(count) = counts.get_mut(group) {
        *count = count.saturating_add(by);
    }
}

fn resize<T: Default>(groups: &mut Vec<T>, n_groups: usize) -> usize {
    let more = n_groups.saturating_sub(groups.len());
    groups.resize_with(n_groups.max(groups.len()), T::default);
    more.saturating_mul(size_of::<T>())
}
