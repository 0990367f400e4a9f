//! Histograms, aggregates and SQL over the same files and the same scope.
//!
//! Promises: every answer is made of entries that a [`ReadScope`](trailkeep_scope::ReadScope) lets
//! through, decided inside the scan, below any expression of the question: an entry outside it
//! changes no byte of any answer. An answer takes no more memory and time than its
//! [`AnalyzeOptions`] say. The same question on the same entries has the same answer, however the
//! entries are divided over segments and threads.
//!
//! Never does: write, HTTP, files other than the store's segments.

mod analyzer;
mod bounds;

mod aggregate;
mod groups;
mod histogram;
mod keys;
mod partial;
mod state;
mod timeline;

mod distinct;
mod spread;
mod values;
mod weights;

mod sql;

mod metric;
mod path;
mod step;

mod columns;
mod parallel;
mod row_batch;
mod selection;
mod source;

mod cell;
mod error;
mod member;
mod memo;
mod numbers;

pub use self::{
    aggregate::{Aggregate, AggregateRequest, OrderBy},
    analyzer::Analyzer,
    bounds::AnalyzeOptions,
    cell::{Cell, CellKind, Column, Table},
    error::Error,
    histogram::{Histogram, HistogramRequest, Series, SeriesOf},
    metric::{Function, Metric},
    path::{FieldPath, GroupBy},
    step::Step,
};
