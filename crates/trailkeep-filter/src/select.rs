//! Evaluates a filter on many rows at once, term by term.

use trailkeep_event::{Field, Fields, ValueRef};

use crate::bits::Bits;
use crate::json::is_escaped;
use crate::node::Node;
use crate::term::{Target, Term, Test};

/// Answers the terms of a filter on a run of rows.
pub trait Select {
    /// Why a term could not be answered.
    type Error;

    /// Returns the number of rows.
    fn n_rows(&self) -> usize;

    /// Tells whether it is known, without reading rows, that none has a value in a field of the
    /// term.
    fn is_nowhere(&self, term: TermRef<'_>) -> bool {
        let _ = term;
        false
    }

    /// Returns the rows that pass a term. Only those in `among` are asked for, and it has one at
    /// least; the answer on others counts nothing.
    ///
    /// # Errors
    /// Where the rows could not be read.
    fn term(&mut self, term: TermRef<'_>, among: &Bits) -> Result<Bits, Self::Error>;
}

/// One term of a filter. A row passes where the value of one of [`TermRef::fields`] does; an
/// absent value never does.
#[derive(Clone, Copy, Debug)]
pub struct TermRef<'a> {
    number: usize,
    term: &'a Term,
}

impl<'a> TermRef<'a> {
    /// Returns the term's number in its filter: its place in [`crate::Filter::terms`].
    pub fn number(self) -> usize {
        self.number
    }

    /// Returns the fields that the term reads.
    pub fn fields(self) -> Vec<Field> {
        self.term.fields()
    }

    /// Returns the path that the term takes into a JSON field, where it takes one.
    pub fn member(self) -> Option<(Field, &'a [String])> {
        match &self.term.target {
            Target::Member(field, path) => Some((*field, path)),
            Target::Field(_) | Target::Actor | Target::Header(_) | Target::Anywhere => None,
        }
    }

    /// Returns the texts of which one must be the whole value of a field, where nothing else
    /// passes: then a dictionary can be searched instead of asked.
    pub fn exact_texts(self) -> Option<Vec<&'a str>> {
        let plain = matches!(self.term.target, Target::Field(_) | Target::Actor);
        let exact = |test: &'a Test| match test {
            Test::Text(text) => Some(text.as_str()),
            _ => None,
        };
        if plain { self.term.tests.iter().map(exact).collect() } else { None }
    }

    /// Returns texts of which JSON must hold one, as it is written, to pass for its members;
    /// `None` where that is not enough to tell.
    pub fn texts_in_json(self) -> Option<Vec<&'a str>> {
        let Target::Member(..) = self.term.target else { return None };
        let written = |test: &'a Test| match test {
            Test::Text(text) if !text.is_empty() && !is_escaped(text) => Some(text.as_str()),
            _ => None,
        };
        self.term.tests.iter().map(written).collect()
    }

    /// Returns a text that stands, as it is written, in every text that passes in a field that is
    /// no JSON; `None` where there is no such text.
    pub fn text_inside(self) -> Option<&'a str> {
        match (&self.term.target, &self.term.tests[..]) {
            (Target::Field(_) | Target::Actor | Target::Anywhere, [Test::Glob(glob)]) => {
                glob.inside()
            }
            _ => None,
        }
    }

    /// Tells whether a value of one of the fields passes. The same value always does or never,
    /// so that it needs to be asked once for all rows that have it.
    pub fn holds(self, value: ValueRef<'_>) -> bool {
        self.term.holds(value)
    }

    /// Tells whether a JSON object passes for one of its members alone: an object passes where
    /// one of its members does, and one without members as [`TermRef::holds`] says of `{}`.
    pub fn holds_member(self, key: &str, json: &str) -> bool {
        self.term.holds_member(key, json)
    }

    /// Tells whether a row passes.
    pub fn matches(self, row: &impl Fields) -> bool {
        self.term.matches(row)
    }
}

/// Returns the rows among some that match; `number` is that of the node's first term.
pub(crate) fn select<S: Select>(
    node: &Node,
    number: usize,
    rows: &mut S,
    among: &Bits,
) -> Result<Bits, S::Error> {
    if among.is_empty() {
        return Ok(Bits::none(among.n_rows()));
    }
    let mut number = number;
    match node {
        Node::And(nodes) => {
            let mut left = among.clone();
            if any_is_nowhere(nodes, number, rows) {
                return Ok(Bits::none(among.n_rows()));
            }
            for node in nodes {
                left = select(node, number, rows, &left)?;
                number = number.saturating_add(node.n_terms());
            }
            Ok(left)
        }
        Node::Or(nodes) => {
            let mut open = among.clone();
            for node in nodes {
                open.and_not(&select(node, number, rows, &open)?);
                number = number.saturating_add(node.n_terms());
            }
            let mut found = among.clone();
            found.and_not(&open);
            Ok(found)
        }
        Node::Not(node) => {
            let mut left = among.clone();
            left.and_not(&select(node, number, rows, among)?);
            Ok(left)
        }
        Node::Term(term) => {
            let mut found = rows.term(TermRef { number, term }, among)?;
            found.and(among);
            Ok(found)
        }
    }
}

/// Tells whether one of the nodes is a term that no row passes, as is known without a look at rows.
fn any_is_nowhere<S: Select>(nodes: &[Node], number: usize, rows: &S) -> bool {
    let mut number = number;
    nodes.iter().any(|node| {
        let first = number;
        number = number.saturating_add(node.n_terms());
        matches!(node, Node::Term(term) if rows.is_nowhere(TermRef { number: first, term }))
    })
}

/// Returns the terms in the order of their numbers.
pub(crate) fn terms(node: &Node) -> Vec<TermRef<'_>> {
    let mut terms = Vec::new();
    node.each_term(&mut |term| terms.push(TermRef { number: terms.len(), term }));
    terms
}
