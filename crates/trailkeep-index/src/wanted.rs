//! What a search looks for, as items.

use crate::fold::fold_into;
use crate::item::{each_item, item};
use crate::token::{Shape, Token, UUID_RUNS, is_word, tokens};

/// What a page must hold for a row of it to be found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wanted(Tree);

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Tree {
    Always,
    Item(u64),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// What stands beside one end of a text that is looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Edge {
    /// Anything.
    Open,
    /// The end of the value, or a character that is neither of a word nor a dash.
    Closed,
}

impl Wanted {
    /// Wants nothing: every page may hold it.
    pub fn always() -> Self {
        Self(Tree::Always)
    }

    /// Wants a value that is this text in any case: of an identifier, an enumeration, the key of
    /// an action, a status.
    pub fn whole(text: &str) -> Self {
        let folded = folded(text);
        let mut items = Vec::new();
        if !each_item(&folded, |item| items.push(Tree::Item(item))) {
            return Self(Tree::Item(item(&folded)));
        }
        all(items.into_iter())
    }

    /// Wants a value that holds this text in any case: of any text or part of `metadata`.
    pub fn piece(text: &str, left: Edge, right: Edge) -> Self {
        let folded = folded(text);
        let piece = Piece { text: &folded, left, right };
        all(tokens(&folded).filter_map(|token| piece.demand(&token)))
    }

    /// Wants everything.
    pub fn all(wanted: impl IntoIterator<Item = Self>) -> Self {
        all(wanted.into_iter().map(|wanted| wanted.0))
    }

    /// Wants one of these at least.
    pub fn any(wanted: impl IntoIterator<Item = Self>) -> Self {
        let mut trees: Vec<Tree> = wanted.into_iter().map(|wanted| wanted.0).collect();
        if trees.contains(&Tree::Always) {
            return Self::always();
        }
        if trees.len() == 1
            && let Some(tree) = trees.pop()
        {
            return Self(tree);
        }
        Self(Tree::Any(trees))
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.0
    }
}

fn folded(text: &str) -> Vec<u8> {
    let mut folded = Vec::with_capacity(text.len());
    fold_into(&mut folded, text);
    folded
}

fn all(trees: impl Iterator<Item = Tree>) -> Wanted {
    let mut flat = Vec::new();
    for tree in trees {
        match tree {
            Tree::Always => {}
            Tree::All(inner) => flat.extend(inner),
            Tree::Item(_) | Tree::Any(_) => flat.push(tree),
        }
    }
    match flat.len() {
        0 => Wanted::always(),
        1 => Wanted(flat.pop().unwrap_or(Tree::Always)),
        _ => Wanted(Tree::All(flat)),
    }
}

/// A part of a value.
struct Piece<'a> {
    text: &'a [u8],
    left: Edge,
    right: Edge,
}

impl Piece<'_> {
    /// Returns what every value that holds the piece has for certain because of the token.
    fn demand(&self, token: &Token<'_>) -> Option<Tree> {
        let cut_left = self.left == Edge::Open && token.start == 0;
        let cut_right = self.right == Edge::Open && token.end() == self.text.len();
        match token.shape {
            Shape::Uuid if cut_left || cut_right => Some(cut_uuid(token)),
            Shape::Uuid => Some(Tree::Item(item(token.bytes))),
            Shape::Run if cut_left || self.may_be_of_uuid(token, cut_right) => None,
            Shape::Run if cut_right => Some(Tree::Item(item(token.counted_as_start()?))),
            Shape::Run => Some(Tree::Item(item(token.counted()))),
        }
    }

    /// Tells whether the run may be a part of a UUID that goes on beyond the piece, for then it
    /// is no token by itself.
    fn may_be_of_uuid(&self, token: &Token<'_>, cut_right: bool) -> bool {
        let n_bytes = token.bytes.len();
        if !token.bytes.iter().all(u8::is_ascii_hexdigit) {
            return false;
        }
        let before = self.text.get(..token.start).unwrap_or(&[]);
        let after = self.text.get(token.end()..).unwrap_or(&[]);
        if cut_right {
            return n_bytes <= 8 || (n_bytes <= 12 && before.last() == Some(&b'-'));
        }
        let joins = |text: &[u8]| text.iter().all(|byte| is_word(*byte) || *byte == b'-');
        let goes_on = (self.left == Edge::Open && joins(before))
            || (self.right == Edge::Open && joins(after));
        goes_on && UUID_RUNS.contains(&n_bytes)
    }
}

/// A UUID at an open edge is one, or its first or last run is longer; then the three in the
/// middle are tokens.
fn cut_uuid(token: &Token<'_>) -> Tree {
    let middle = token.bytes.split(|byte| *byte == b'-').skip(1).take(3);
    let middle = middle.map(|run| Tree::Item(item(run))).collect();
    Tree::Any(vec![Tree::Item(item(token.bytes)), Tree::All(middle)])
}
