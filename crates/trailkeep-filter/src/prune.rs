//! What a filter says about its matches as a whole, so that other data need not be read.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::slice;

use trailkeep_event::{Field, FieldKind, Micros};

use crate::node::Node;
use crate::term::{Range, Target, Term, Test};

/// A span of `occurred_at`. It may be empty: then nothing matches.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TimeRange {
    /// The first time in the span; `None` is any.
    pub from: Option<Micros>,
    /// The first time after the span; `None` is any.
    pub to: Option<Micros>,
}

impl TimeRange {
    /// Tells whether a time is in the span.
    pub fn contains(&self, at: Micros) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }

    /// Returns the times in both.
    fn and(self, other: Self) -> Self {
        Self {
            from: self.from.max(other.from),
            to: [self.to, other.to].into_iter().flatten().min(),
        }
    }

    /// Returns the shortest span with the times of both.
    fn or(self, other: Self) -> Self {
        Self { from: self.from.min(other.from), to: self.to.zip(other.to).map(|(a, b)| a.max(b)) }
    }

    fn of(range: Range<i64>) -> Self {
        let from = match range.0 {
            Bound::Included(at) => Some(at),
            Bound::Excluded(at) => Some(at.saturating_add(1)),
            Bound::Unbounded => None,
        };
        let to = match range.1 {
            Bound::Included(at) => Some(at.saturating_add(1)),
            Bound::Excluded(at) => Some(at),
            Bound::Unbounded => None,
        };
        Self { from: from.map(Micros), to: to.map(Micros) }
    }
}

pub(crate) fn times(node: &Node) -> TimeRange {
    match node {
        Node::And(nodes) => nodes.iter().map(times).fold(TimeRange::default(), TimeRange::and),
        Node::Or(nodes) => nodes.iter().map(times).reduce(TimeRange::or).unwrap_or_default(),
        Node::Not(_) => TimeRange::default(),
        Node::Term(term) if term.target == Target::Field(Field::OccurredAt) => {
            let spans = term.tests.iter().map(|test| match test {
                Test::Range(range) => TimeRange::of(*range),
                _ => TimeRange::default(),
            });
            spans.reduce(TimeRange::or).unwrap_or_default()
        }
        Node::Term(_) => TimeRange::default(),
    }
}

pub(crate) fn accounts(node: &Node) -> Option<BTreeSet<String>> {
    match node {
        Node::And(nodes) => nodes.iter().filter_map(accounts).reduce(|a, b| &a & &b),
        Node::Or(nodes) => nodes.iter().map(accounts).reduce(|a, b| Some(&a? | &b?))?,
        Node::Not(_) => None,
        Node::Term(term) if term.target == Target::Field(Field::AccountId) => {
            term.tests.iter().map(|test| text(test).map(str::to_owned)).collect()
        }
        Node::Term(_) => None,
    }
}

pub(crate) fn exact(node: &Node) -> impl Iterator<Item = (Field, &str)> {
    let conditions = match node {
        Node::And(nodes) => nodes.as_slice(),
        Node::Or(_) | Node::Not(_) | Node::Term(_) => slice::from_ref(node),
    };
    conditions.iter().filter_map(|node| match node {
        Node::Term(Term { target: Target::Field(field), tests }) => match tests.as_slice() {
            [test] if is_text(*field) => text(test).map(|text| (*field, text)),
            _ => None,
        },
        _ => None,
    })
}

fn text(test: &Test) -> Option<&str> {
    match test {
        Test::Text(text) => Some(text),
        _ => None,
    }
}

/// Tells whether an exact test on the field is one on its stored text.
fn is_text(field: Field) -> bool {
    matches!(field.kind(), FieldKind::Id | FieldKind::Text | FieldKind::Enum(_))
}
