//! The filter: a parsed query, ready to be evaluated.

use std::collections::BTreeSet;
use std::ops::Bound;

use trailkeep_event::{Field, Fields, Micros};

use crate::bits::Bits;
use crate::error::{Fault, ParseError};
use crate::node::Node;
use crate::parser::parse;
use crate::probe::{self, Probe};
use crate::prune::{self, TimeRange};
use crate::select::{self, Select, TermRef};
use crate::term::{Target, Term, Test};

/// A condition on entries.
///
/// ```
/// # use trailkeep_filter::Filter;
/// let filter = Filter::parse("status:>=500  -path:/health* \"limit reached\"")?;
/// assert_eq!(filter.canonical(), "status:>=500 -path:/health* \"limit reached\"");
///
/// let error = Filter::parse("category:api stauts:500").unwrap_err();
/// assert_eq!((error.column, error.hint.as_deref()), (14, Some("did you mean `status`?")));
/// # Ok::<(), trailkeep_filter::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// As written, for the canonical text.
    tree: Node,
    /// The same with the cheapest conditions first.
    plan: Node,
    fields: Box<[Field]>,
}

impl Filter {
    /// The longest text that is read, and the longest canonical text of what was read.
    pub const TEXT_BYTES_MAX: usize = 4096;
    /// The most terms; each value of a list counts.
    pub const TERMS_MAX: usize = 64;
    /// The deepest nesting of parentheses.
    pub const DEPTH_MAX: usize = 16;

    /// Reads a filter; the empty text is [`Filter::everything`].
    ///
    /// # Errors
    /// The first place where the text is not a filter within the limits.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let filter = parse(text).map(Self::new).map_err(|fault| ParseError::new(text, fault))?;
        // What is accepted is accepted again in its canonical form, where names are in full.
        let n_bytes = filter.canonical().len();
        if n_bytes > Self::TEXT_BYTES_MAX {
            return Err(ParseError::new(text, too_long(n_bytes)));
        }
        Ok(filter)
    }

    /// Returns the filter that every entry matches.
    pub fn everything() -> Self {
        Self::new(Node::and(Vec::new()))
    }

    /// Returns the filter for one account.
    pub fn account(id: &str) -> Self {
        Self::term(Field::AccountId, Test::Text(id.to_owned()))
    }

    /// Returns the filter on `occurred_at`: `from` is inclusive, `to` exclusive.
    pub fn between(from: Option<Micros>, to: Option<Micros>) -> Self {
        if from.is_none() && to.is_none() {
            return Self::everything();
        }
        let low = from.map_or(Bound::Unbounded, |from| Bound::Included(from.0));
        let high = to.map_or(Bound::Unbounded, |to| Bound::Excluded(to.0));
        Self::term(Field::OccurredAt, Test::Range((low, high)))
    }

    /// Returns the filter that matches what both match. Its canonical text may go beyond
    /// [`Filter::TEXT_BYTES_MAX`].
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::new(Node::and(vec![self.tree, other.tree]))
    }

    fn term(field: Field, test: Test) -> Self {
        Self::new(Node::Term(Term { target: Target::Field(field), tests: vec![test] }))
    }

    fn new(tree: Node) -> Self {
        let mut fields = BTreeSet::new();
        tree.each_term(&mut |term| fields.extend(term.fields()));
        Self { plan: tree.clone().cheapest_first(), fields: fields.into_iter().collect(), tree }
    }

    /// Tells whether an entry matches. Allocates nothing for exact, number and enumeration
    /// terms. On a row of 2 KB such a term costs about 50 ns, a member of `metadata` 0.2 to 1 us,
    /// a phrase 1 to 2 us.
    pub fn matches(&self, fields: &impl Fields) -> bool {
        self.plan.matches(fields)
    }

    /// Returns the rows that match, term by term: an expensive term is asked only about rows that
    /// the cheaper ones left open.
    ///
    /// # Errors
    /// Where a term could not be answered.
    pub fn select<S: Select>(&self, rows: &mut S) -> Result<Bits, S::Error> {
        let all = Bits::all(rows.n_rows());
        select::select(&self.plan, 0, rows, &all)
    }

    /// Returns the terms that [`Filter::select`] asks about, in the order of their numbers.
    pub fn terms(&self) -> Vec<TermRef<'_>> {
        select::terms(&self.plan)
    }

    /// Returns what an index of values and words can be asked for: where it says that rows hold
    /// nothing of this, none of them matches.
    pub fn probe(&self) -> Probe {
        probe::probe(&self.tree)
    }

    /// Returns the fields that [`Filter::matches`] may read, in number order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Returns the accounts that every match belongs to one of; `None` where any may match.
    pub fn accounts(&self) -> Option<BTreeSet<String>> {
        prune::accounts(&self.tree)
    }

    /// Returns bounds that the `occurred_at` of every match keeps.
    pub fn times(&self) -> TimeRange {
        prune::times(&self.tree)
    }

    /// Returns the text values that every match has exactly.
    pub fn exact(&self) -> impl Iterator<Item = (Field, &str)> {
        prune::exact(&self.tree)
    }

    /// Returns the filter's one text: the terms in the order written, with one spacing, quoting
    /// and spelling of names. Parsing it gives the same filter.
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        self.tree.write(&mut out);
        out
    }
}

pub(crate) fn too_long(n_bytes: usize) -> Fault {
    Fault::new(
        0,
        format!("the filter has {n_bytes} bytes, at most {} are read", Filter::TEXT_BYTES_MAX),
    )
}
