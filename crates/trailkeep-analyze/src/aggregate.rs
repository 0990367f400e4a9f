//! Groups entries and tells something about each group.

use std::cmp::Ordering;

use serde::Serialize;
use trailkeep_event::Micros;
use trailkeep_filter::Filter;
use trailkeep_scope::ReadScope;

use crate::analyzer::Analyzer;
use crate::groups::GROUP_BY_MAX;
use crate::parallel::in_parallel;
use crate::partial::{Layout, Partial};
use crate::{Cell, Column, Error, GroupBy, Metric, Table};

/// The most metrics of one aggregate.
const METRICS_MAX: usize = 16;

/// What an aggregate is made of.
#[derive(Clone, Debug)]
pub struct AggregateRequest {
    /// What entries must match.
    pub filter: Filter,
    /// The earliest time, by which lists sort.
    pub from: Option<Micros>,
    /// The time before which entries must lie.
    pub to: Option<Micros>,
    /// What entries are grouped by; without it all of them are one group.
    pub group_by: Vec<GroupBy>,
    /// What is told about each group.
    pub metrics: Vec<Metric>,
    /// Which groups come first. Groups that are still equal come in the order of their values;
    /// so do all where this is empty and the first group is a time in steps, else the largest
    /// first metric comes first.
    pub order: Vec<OrderBy>,
    /// The most groups of the answer.
    pub limit: usize,
}

/// What an aggregate tells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Aggregate {
    /// A row for each group: its values, then its metrics.
    #[serde(flatten)]
    pub table: Table,
    /// How many groups there are.
    pub groups: usize,
    /// How many stored entries the answer is made of.
    pub rows: u64,
    /// How many events these stand for: each counts as often as its `sample_rate` says.
    pub estimated: u64,
}

/// A column to sort by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OrderBy {
    column: String,
    direction: Direction,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Direction {
    Ascending,
    Descending,
}

impl OrderBy {
    /// Reads a column's name; a minus before it puts the largest first.
    pub fn parse(text: &str) -> Self {
        match text.strip_prefix('-') {
            Some(column) => Self { column: column.to_owned(), direction: Direction::Descending },
            None => Self { column: text.to_owned(), direction: Direction::Ascending },
        }
    }
}

impl Analyzer {
    /// Aggregates entries.
    ///
    /// Costs a scan of the columns that are named. `count_distinct` is exact to 100,000 different
    /// values of a group, percentiles are to 4,096 values; beyond, both are within 1 %, and their
    /// column says so.
    ///
    /// # Errors
    /// [`Error::Request`] where the request asks for too much or orders by what is no column.
    pub fn aggregate(
        &self,
        scope: &ReadScope,
        request: &AggregateRequest,
    ) -> Result<Aggregate, Error> {
        let order = check(request)?;
        let layout = Layout::of(request);
        let window = (request.from, request.to);
        let source = self.source(scope, &request.filter, window, layout.wanted.clone());
        let parts = in_parallel(
            &source,
            || Partial::new(request, &layout),
            |partial, batch| partial.add(batch, &source.bounds),
        )?;
        let mut whole = Partial::new(request, &layout);
        for part in parts {
            whole.absorb(&part, &source.bounds)?;
        }
        if request.group_by.is_empty() {
            whole.ensure_whole();
        }
        let limit = request.limit.min(self.options.rows_max);
        Ok(Aggregate {
            table: table(&whole, request, &layout, (&order, limit)),
            groups: whole.groups.len(),
            rows: whole.rows,
            estimated: whole.estimated,
        })
    }
}

/// Returns the columns to sort by.
fn check(request: &AggregateRequest) -> Result<Vec<(usize, Direction)>, Error> {
    if request.group_by.len() > GROUP_BY_MAX {
        let what = format!("an aggregate has at most {GROUP_BY_MAX} groups");
        return Err(Error::request(what));
    }
    if request.metrics.is_empty() || request.metrics.len() > METRICS_MAX {
        let what = format!("an aggregate has at least one metric and at most {METRICS_MAX}");
        return Err(Error::request(what));
    }
    let names: Vec<&str> = request
        .group_by
        .iter()
        .map(GroupBy::name)
        .chain(request.metrics.iter().map(Metric::name))
        .collect();
    let column = |by: &OrderBy| {
        let found = names.iter().position(|name| *name == by.column);
        found.map(|column| (column, by.direction)).ok_or_else(|| {
            let column: String = by.column.chars().take(64).collect();
            let names = names.join("`, `");
            Error::request(format!("`{column}` is no column to order by; there are `{names}`"))
        })
    };
    let by_time = request.group_by.first().is_some_and(|group| group.step().is_some());
    if request.order.is_empty() && !by_time {
        return Ok(vec![(request.group_by.len(), Direction::Descending)]);
    }
    request.order.iter().map(column).collect()
}

fn table(
    whole: &Partial,
    request: &AggregateRequest,
    layout: &Layout,
    (order, limit): (&[(usize, Direction)], usize),
) -> Table {
    let n_keys = request.group_by.len();
    let mut items: Vec<Vec<Cell>> =
        (0..whole.groups.len()).map(|group| whole.row(group, request, layout)).collect();
    items.sort_unstable_by(|a, b| {
        let ordered = order
            .iter()
            .map(|(column, direction)| compare(a.get(*column), b.get(*column), *direction));
        let values = (0..n_keys).map(|key| compare(a.get(key), b.get(key), Direction::Ascending));
        ordered.chain(values).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    });
    let truncated = items.len() > limit;
    items.truncate(limit);
    let groups = request.group_by.iter().map(|group| Column {
        name: group.name().to_owned(),
        kind: group.path().kind(),
        exact: true,
    });
    let metrics = request.metrics.iter().zip(&layout.of_metric).map(|(metric, state)| Column {
        name: metric.name().to_owned(),
        kind: metric.kind(),
        exact: whole.is_exact(*state),
    });
    Table { columns: groups.chain(metrics).collect(), items, truncated }
}

/// Compares two values; what is absent comes last in either direction.
fn compare(a: Option<&Cell>, b: Option<&Cell>, direction: Direction) -> Ordering {
    let (a, b) = (a.unwrap_or(&Cell::Null), b.unwrap_or(&Cell::Null));
    let absent = matches!(a, Cell::Null) || matches!(b, Cell::Null);
    match direction {
        Direction::Descending if !absent => b.compare(a),
        _ => a.compare(b),
    }
}
