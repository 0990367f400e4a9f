//! Which rows of a page are wanted.

use std::ops::Range;

/// Rows of a page, ascending: a run of them, or some here and there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Picks {
    Range(Range<usize>),
    List(Vec<usize>),
}

impl Picks {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Range(range) => range.len(),
            Self::List(list) => list.len(),
        }
    }

    /// Returns the first.
    pub(crate) fn start(&self) -> usize {
        match self {
            Self::Range(range) => range.start,
            Self::List(list) => list.first().copied().unwrap_or(0),
        }
    }

    /// Returns the number after the last.
    pub(crate) fn end(&self) -> usize {
        match self {
            Self::Range(range) if range.is_empty() => 0,
            Self::Range(range) => range.end,
            Self::List(list) => list.last().map_or(0, |last| last.saturating_add(1)),
        }
    }

    /// Calls `visit` with each, until it says `None`.
    pub(crate) fn each(&self, mut visit: impl FnMut(usize) -> Option<()>) -> Option<()> {
        match self {
            Self::Range(range) => range.clone().try_for_each(visit),
            Self::List(list) => list.iter().try_for_each(|at| visit(*at)),
        }
    }

    /// Returns those in a range, counted from its start.
    pub(crate) fn within(&self, rows: &Range<usize>) -> Self {
        match self {
            Self::Range(range) => {
                let start = range.start.clamp(rows.start, rows.end);
                let end = range.end.clamp(start, rows.end.max(start));
                Self::Range(start.saturating_sub(rows.start)..end.saturating_sub(rows.start))
            }
            Self::List(list) => {
                let from = list.partition_point(|at| *at < rows.start);
                let to = list.partition_point(|at| *at < rows.end).max(from);
                let inside = list.get(from..to).unwrap_or(&[]);
                Self::List(inside.iter().map(|at| at.saturating_sub(rows.start)).collect())
            }
        }
    }
}
