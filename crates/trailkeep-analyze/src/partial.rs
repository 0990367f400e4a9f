//! An aggregate of some of the rows.

use crate::aggregate::AggregateRequest;
use crate::bounds::Bounds;
use crate::columns::{Batch, Wanted};
use crate::groups::Groups;
use crate::keys::Keys;
use crate::metric::Metric;
use crate::numbers::long;
use crate::path::FieldPath;
use crate::state::{Kind, Rows, State};
use crate::weights::weights;
use crate::{Cell, Error};
use trailkeep_event::Field;

/// What has to be read and kept for a request.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The columns to read; the first is the weight.
    pub(crate) wanted: Vec<Wanted>,
    /// The column of each group.
    group_columns: Vec<usize>,
    /// What is kept, and the column that it looks at.
    kept: Vec<(Kind, Option<FieldPath>, Option<usize>)>,
    /// What each metric is made from.
    pub(crate) of_metric: Vec<usize>,
}

impl Layout {
    pub(crate) fn of(request: &AggregateRequest) -> Self {
        let mut layout = Self {
            wanted: vec![Wanted::Field(Field::SampleRate)],
            group_columns: Vec::new(),
            kept: Vec::new(),
            of_metric: Vec::new(),
        };
        for group in &request.group_by {
            let column = layout.column(group.path());
            layout.group_columns.push(column);
        }
        for metric in &request.metrics {
            let state = layout.state(metric);
            layout.of_metric.push(state);
        }
        layout
    }

    fn column(&mut self, path: &FieldPath) -> usize {
        position_or_push(&mut self.wanted, Wanted::of(path))
    }

    fn state(&mut self, metric: &Metric) -> usize {
        let field = metric.field();
        let column = field.map(|path| self.column(path));
        let kind = Kind::of(metric.function(), field);
        position_or_push(&mut self.kept, (kind, field.cloned(), column))
    }
}

fn position_or_push<T: PartialEq>(items: &mut Vec<T>, item: T) -> usize {
    items.iter().position(|known| *known == item).unwrap_or_else(|| {
        items.push(item);
        items.len().saturating_sub(1)
    })
}

/// An aggregate of some of the rows.
#[derive(Debug)]
pub(crate) struct Partial {
    group_columns: Vec<usize>,
    keys: Vec<Keys>,
    pub(crate) groups: Groups,
    states: Vec<(State, Option<usize>)>,
    pub(crate) rows: u64,
    pub(crate) estimated: u64,
}

impl Partial {
    pub(crate) fn new(request: &AggregateRequest, layout: &Layout) -> Self {
        let state = |(kind, field, column): &(Kind, Option<FieldPath>, Option<usize>)| {
            (State::new(*kind, field.as_ref()), *column)
        };
        Self {
            group_columns: layout.group_columns.clone(),
            keys: request.group_by.iter().map(Keys::of).collect(),
            groups: Groups::default(),
            states: layout.kept.iter().map(state).collect(),
            rows: 0,
            estimated: 0,
        }
    }

    /// Takes in the rows of a batch.
    pub(crate) fn add(&mut self, batch: &Batch, bounds: &Bounds) -> Result<(), Error> {
        let Some(rates) = batch.columns.first() else { return Ok(()) };
        let weights = weights(rates);
        self.rows = self.rows.saturating_add(long(batch.n_rows));
        self.estimated = weights.iter().fold(self.estimated, |sum, w| sum.saturating_add(*w));
        let ids: Vec<Vec<u32>> = self
            .keys
            .iter_mut()
            .zip(&self.group_columns)
            .filter_map(|(keys, column)| Some(keys.ids(batch.columns.get(*column)?)))
            .collect();
        let groups = self.groups.of_rows(&ids, batch.n_rows);
        let rows = Rows { groups: &groups, n_groups: self.groups.len(), weights: &weights };
        let mut grown = self.grown();
        for (state, column) in &mut self.states {
            let array = column.and_then(|column| batch.columns.get(column));
            grown = grown.saturating_add(state.add(&rows, array));
        }
        bounds.take(grown)
    }

    fn grown(&mut self) -> usize {
        let keys = self.keys.iter_mut().map(Keys::grown).fold(0, usize::saturating_add);
        keys.saturating_add(self.groups.grown())
    }

    /// Takes in another part.
    pub(crate) fn absorb(&mut self, other: &Self, bounds: &Bounds) -> Result<(), Error> {
        let renamed: Vec<Vec<u32>> = self
            .keys
            .iter_mut()
            .zip(&other.keys)
            .map(|(ours, theirs)| ours.absorb(theirs))
            .collect();
        let numbers = self.groups.absorb(&other.groups, &renamed);
        let n_groups = self.groups.len();
        let mut grown = self.grown();
        for ((ours, _), (theirs, _)) in self.states.iter_mut().zip(&other.states) {
            grown = grown.saturating_add(ours.grow(n_groups));
            grown = grown.saturating_add(ours.absorb(theirs, &numbers));
        }
        self.rows = self.rows.saturating_add(other.rows);
        self.estimated = self.estimated.saturating_add(other.estimated);
        bounds.take(grown)
    }

    /// Makes the one group of all rows, also where there are none.
    pub(crate) fn ensure_whole(&mut self) {
        self.groups.of_rows(&[], 0);
        for (state, _) in &mut self.states {
            state.grow(self.groups.len());
        }
    }

    /// Returns the row of a group: its values, then its metrics.
    pub(crate) fn row(
        &self,
        group: usize,
        request: &AggregateRequest,
        layout: &Layout,
    ) -> Vec<Cell> {
        let values = self.groups.values(group, self.keys.len());
        let keys = self.keys.iter().zip(values).map(|(keys, id)| keys.cell(id).clone());
        let metrics = request.metrics.iter().zip(&layout.of_metric).map(|(metric, state)| {
            self.states
                .get(*state)
                .map_or(Cell::Null, |(state, _)| state.cell(group, metric.function()))
        });
        keys.chain(metrics).collect()
    }

    /// Tells whether every value of a metric is exact.
    pub(crate) fn is_exact(&self, state: usize) -> bool {
        self.states.get(state).is_none_or(|(state, _)| state.is_exact())
    }
}
