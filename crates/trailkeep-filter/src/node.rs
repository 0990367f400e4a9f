//! The tree of conditions.

use trailkeep_event::Fields;

use crate::term::Term;

/// A condition. `And` never holds an `And`, `Or` never an `Or`, `Not` never a `Not`, and neither
/// list has one member: equal meaning by shape is equal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Term(Term),
}

impl Node {
    pub(crate) fn and(nodes: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(nodes.len());
        for node in nodes {
            match node {
                Self::And(inner) => flat.extend(inner),
                Self::Or(_) | Self::Not(_) | Self::Term(_) => flat.push(node),
            }
        }
        single(&mut flat).unwrap_or(Self::And(flat))
    }

    pub(crate) fn or(nodes: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(nodes.len());
        for node in nodes {
            match node {
                Self::Or(inner) => flat.extend(inner),
                Self::And(_) | Self::Not(_) | Self::Term(_) => flat.push(node),
            }
        }
        single(&mut flat).unwrap_or(Self::Or(flat))
    }

    pub(crate) fn not(node: Self) -> Self {
        match node {
            Self::Not(inner) => *inner,
            Self::And(_) | Self::Or(_) | Self::Term(_) => Self::Not(Box::new(node)),
        }
    }

    pub(crate) fn matches(&self, fields: &impl Fields) -> bool {
        match self {
            Self::And(nodes) => nodes.iter().all(|node| node.matches(fields)),
            Self::Or(nodes) => nodes.iter().any(|node| node.matches(fields)),
            Self::Not(node) => !node.matches(fields),
            Self::Term(term) => term.matches(fields),
        }
    }

    /// Sorts every list by cost. Conditions have no effects, so order changes no answer.
    pub(crate) fn cheapest_first(self) -> Self {
        let sorted = |nodes: Vec<Self>| {
            let mut nodes: Vec<Self> = nodes.into_iter().map(Self::cheapest_first).collect();
            nodes.sort_by_key(Self::cost);
            nodes
        };
        match self {
            Self::And(nodes) => Self::And(sorted(nodes)),
            Self::Or(nodes) => Self::Or(sorted(nodes)),
            Self::Not(node) => Self::Not(Box::new(node.cheapest_first())),
            Self::Term(_) => self,
        }
    }

    fn cost(&self) -> u32 {
        match self {
            Self::And(nodes) | Self::Or(nodes) => {
                nodes.iter().map(Self::cost).fold(0, u32::saturating_add)
            }
            Self::Not(node) => node.cost(),
            Self::Term(term) => term.cost(),
        }
    }

    pub(crate) fn n_terms(&self) -> usize {
        let mut n_terms = 0_usize;
        self.each_term(&mut |_| n_terms = n_terms.saturating_add(1));
        n_terms
    }

    pub(crate) fn each_term<'a>(&'a self, visit: &mut impl FnMut(&'a Term)) {
        match self {
            Self::And(nodes) | Self::Or(nodes) => {
                for node in nodes {
                    node.each_term(visit);
                }
            }
            Self::Not(node) => node.each_term(visit),
            Self::Term(term) => visit(term),
        }
    }
}

/// Takes the only member out of a list of one.
fn single(nodes: &mut Vec<Node>) -> Option<Node> {
    if nodes.len() == 1 { nodes.pop() } else { None }
}
