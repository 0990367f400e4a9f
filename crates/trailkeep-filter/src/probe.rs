//! What rows must hold for one of them to match, for an index of values and words.
//!
//! Which values are indexed as what is in `docs/format/index.md`.

use std::ops::Bound;

use trailkeep_event::{EventId, Field, FieldKind};

use crate::node::Node;
use crate::term::{Range, Target, Term, Test};

/// A condition that holds wherever a filter matches; it may hold elsewhere, too.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Probe {
    /// Nothing is known.
    Always,
    /// All of these hold.
    All(Vec<Self>),
    /// One of these holds.
    Any(Vec<Self>),
    /// The value of an identifier, an enumeration, a status or the key of an action is this, but
    /// for upper and lower case.
    Whole(String),
    /// An indexed text, or a key or value in `metadata`, holds this, but for upper and lower
    /// case.
    Piece {
        /// What it holds.
        text: String,
        /// What is before it.
        left: Edge,
        /// What is after it.
        right: Edge,
    },
    /// The entry is this one.
    Id(EventId),
}

/// What stands beside one end of a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Edge {
    /// Anything.
    Open,
    /// The end of the value, or a character that is neither of a word nor a dash.
    Closed,
}

/// How many values of a status are listed; more are asked for by their hundreds.
const STATUSES_MAX: usize = 8;

impl Probe {
    fn all(probes: impl IntoIterator<Item = Self>) -> Self {
        let mut probes: Vec<Self> =
            probes.into_iter().filter(|probe| *probe != Self::Always).collect();
        match (probes.pop(), probes.is_empty()) {
            (None, _) => Self::Always,
            (Some(only), true) => only,
            (Some(last), false) => {
                probes.push(last);
                Self::All(probes)
            }
        }
    }

    fn any(probes: impl IntoIterator<Item = Self>) -> Self {
        let mut probes: Vec<Self> = probes.into_iter().collect();
        if probes.contains(&Self::Always) {
            return Self::Always;
        }
        match (probes.pop(), probes.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                probes.extend(last);
                Self::Any(probes)
            }
        }
    }

    /// The whole of a text of which only the words are indexed.
    fn words(text: &str) -> Self {
        Self::Piece { text: text.to_owned(), left: Edge::Closed, right: Edge::Closed }
    }
}

pub(crate) fn probe(node: &Node) -> Probe {
    match node {
        Node::And(nodes) => Probe::all(nodes.iter().map(probe)),
        Node::Or(nodes) => Probe::any(nodes.iter().map(probe)),
        Node::Not(_) => Probe::Always,
        Node::Term(term) => of_term(term),
    }
}

fn of_term(term: &Term) -> Probe {
    let tests = || term.tests.iter();
    match &term.target {
        Target::Field(field) => Probe::any(tests().map(|test| of_field(*field, test))),
        Target::Actor => Probe::any(tests().map(of_words)),
        Target::Member(Field::Metadata, path) => {
            // A key holds one or more parts of the path, with dots between them.
            let keys = path.iter().map(|key| Probe::words(key));
            Probe::all(keys.chain([Probe::any(tests().map(of_words))]))
        }
        Target::Member(..) | Target::Header(_) => Probe::Always,
        Target::Anywhere => Probe::any(tests().map(of_search)),
    }
}

fn of_field(field: Field, test: &Test) -> Probe {
    match (field, field.kind(), test) {
        (Field::Id, _, Test::Id(id)) => Probe::Id(*id),
        (Field::Action, _, Test::Action(key)) => Probe::Whole(key.clone()),
        (Field::Status, _, Test::Range(range)) => of_status(*range),
        (Field::Id | Field::Action | Field::Status | Field::ErrorStack, ..) => Probe::Always,
        (_, FieldKind::Id | FieldKind::Enum(_), Test::Text(text)) => Probe::Whole(text.clone()),
        (_, FieldKind::Id | FieldKind::Enum(_) | FieldKind::Text, _) => of_words(test),
        _ => Probe::Always,
    }
}

/// Says what a text that passes holds.
fn of_words(test: &Test) -> Probe {
    match test {
        Test::Text(text) => Probe::words(text),
        Test::Contains(needle) => {
            Probe::Piece { text: needle.as_str().to_owned(), left: Edge::Open, right: Edge::Open }
        }
        // The key of an action has other words than the action.
        Test::Glob(glob) if !glob.ignores_separators() => {
            let pieces = glob.pieces();
            let last = pieces.len().saturating_sub(1);
            Probe::all(pieces.iter().enumerate().filter(|(_, text)| !text.is_empty()).map(
                |(at, text)| Probe::Piece {
                    text: text.clone(),
                    left: if at == 0 { Edge::Closed } else { Edge::Open },
                    right: if at == last { Edge::Closed } else { Edge::Open },
                },
            ))
        }
        _ => Probe::Always,
    }
}

fn of_search(test: &Test) -> Probe {
    let words = of_words(test);
    match test.whole_id() {
        Some(id) => Probe::any([words, Probe::Id(id)]),
        None => words,
    }
}

fn of_status(range: Range<i64>) -> Probe {
    let FieldKind::Int(min, max) = Field::Status.kind() else { return Probe::Always };
    let low = match range.0 {
        Bound::Included(low) => low,
        Bound::Excluded(low) => low.saturating_add(1),
        Bound::Unbounded => min,
    };
    let high = match range.1 {
        Bound::Included(high) => high,
        Bound::Excluded(high) => high.saturating_sub(1),
        Bound::Unbounded => max,
    };
    let (low, high) = (low.max(min), high.min(max));
    if (low..=high).nth(STATUSES_MAX).is_none() {
        return Probe::any((low..=high).map(|status| Probe::Whole(status.to_string())));
    }
    let hundreds = low.div_euclid(100)..=high.div_euclid(100);
    Probe::any(hundreds.map(|hundred| Probe::Whole(format!("{hundred}xx"))))
}
