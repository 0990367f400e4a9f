//! Evaluates one term on one entry.

use std::ops::RangeBounds;

use trailkeep_event::{Field, Fields, ValueRef};

use crate::json::{Leaf, after_key, any_at, any_header, any_leaf, may_hold, may_hold_folded};
use crate::number::double;
use crate::term::{ACTOR, SEARCHED, Target, Term, Test};

impl Term {
    pub(crate) fn matches(&self, fields: &impl Fields) -> bool {
        let passes = |field: &Field| fields.get(*field).is_some_and(|value| self.holds(value));
        match &self.target {
            Target::Field(field) | Target::Member(field, _) => passes(field),
            Target::Actor => ACTOR.iter().any(passes),
            Target::Header(_) => passes(&Field::Headers),
            Target::Anywhere => {
                let in_id = self.tests.iter().any(|test| test.whole_id().is_some());
                (in_id && passes(&Field::Id)) || SEARCHED.iter().any(passes)
            }
        }
    }

    /// Tells whether the value of one of the fields passes.
    pub(crate) fn holds(&self, value: ValueRef<'_>) -> bool {
        let mut tests = self.tests.iter();
        match (&self.target, value) {
            (Target::Header(name), ValueRef::Json(json)) => any_header(json, name, |value| {
                self.tests.iter().any(|test| test.holds_on_text(value))
            }),
            (Target::Header(_), _) => false,
            (Target::Anywhere, _) => tests.any(|test| test.is_anywhere_in(value)),
            (Target::Member(_, path), ValueRef::Json(json)) => {
                self.may_hold(json, path) && self.holds_at(json, path)
            }
            (_, ValueRef::Json(json)) => self.holds_at(json, &[]),
            _ => tests.any(|test| test.holds(value)),
        }
    }

    /// Tells whether an object passes for one of its members alone.
    pub(crate) fn holds_member(&self, key: &str, json: &str) -> bool {
        match &self.target {
            Target::Member(_, path) => {
                after_key(path, key).is_some_and(|rest| self.holds_at(json, rest))
            }
            Target::Anywhere => self
                .tests
                .iter()
                .any(|test| test.holds_on_text(key) || test.is_anywhere_in(ValueRef::Json(json))),
            // The object itself, whatever is in it.
            Target::Field(_) => self.tests.contains(&Test::Present),
            Target::Actor | Target::Header(_) => false,
        }
    }

    /// Looks for the member's name and the text in the JSON as a whole, which is many times
    /// cheaper than walking it, and most entries have neither.
    fn may_hold(&self, json: &str, path: &[String]) -> bool {
        path.last().is_none_or(|name| may_hold(json, name))
            && self.tests.iter().any(|test| match test {
                Test::Text(text) => may_hold(json, text),
                _ => true,
            })
    }

    fn holds_at(&self, json: &str, path: &[String]) -> bool {
        any_at(json, path, |leaf| self.tests.iter().any(|test| test.holds_on_leaf(leaf)))
    }
}

impl Test {
    fn holds(&self, value: ValueRef<'_>) -> bool {
        match (self, value) {
            (Self::Present, _) => true,
            (_, ValueRef::Text(text)) => self.holds_on_text(text),
            (Self::Range(range), ValueRef::Int(int)) => range.contains(&int),
            (Self::Range(range), ValueRef::Time(at)) => range.contains(&at.0),
            (Self::Bool(wanted), ValueRef::Bool(truth)) => *wanted == truth,
            (Self::Id(wanted), ValueRef::Id(id)) => *wanted == id,
            (Self::Glob(glob), ValueRef::Id(id)) => glob.matches(&id.to_string()),
            _ => false,
        }
    }

    fn holds_on_text(&self, text: &str) -> bool {
        match self {
            Self::Present => true,
            Self::Text(wanted) => wanted == text,
            Self::Action(key) => has_key(text, key),
            Self::Contains(needle) => needle.is_in(text),
            Self::Glob(glob) => glob.matches(text),
            Self::Network(network) => network.has(text),
            Self::Range(_) | Self::Number(_) | Self::Bool(_) | Self::Id(_) => false,
        }
    }

    fn holds_on_leaf(&self, leaf: &Leaf<'_>) -> bool {
        match (self, leaf.as_text()) {
            (Self::Present, _) => true,
            (Self::Number(range), Some(text)) => {
                double(text).is_some_and(|number| range.contains(&number))
            }
            (_, Some(text)) => self.holds_on_text(text),
            (_, None) => false,
        }
    }

    /// Searches a value as bare words do.
    fn is_anywhere_in(&self, value: ValueRef<'_>) -> bool {
        match value {
            ValueRef::Text(text) => self.holds_on_text(text),
            ValueRef::Json(json) => self.is_in_json(json),
            ValueRef::Id(id) => self.whole_id() == Some(id),
            ValueRef::Int(_) | ValueRef::Bool(_) | ValueRef::Time(_) => false,
        }
    }

    /// Searches each key and value, unless the JSON as a whole lacks what is searched for.
    fn is_in_json(&self, json: &str) -> bool {
        let may_be = match self {
            Self::Contains(needle) => may_hold_folded(json, needle.as_str()),
            Self::Glob(glob) => glob.pieces().iter().all(|piece| may_hold_folded(json, piece)),
            _ => true,
        };
        may_be && any_leaf(json, |leaf| self.holds_on_text(leaf))
    }
}

/// Compares [`trailkeep_event::action_key`] of an action with a key, without making it.
fn has_key(action: &str, key: &str) -> bool {
    action
        .chars()
        .filter(|c| !matches!(c, '.' | '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .eq(key.chars())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use trailkeep_event::action_key;

    proptest! {
        #[test]
        fn keys_are_those_of_the_event_crate(a in "[aA._ -]{0,5}|.{0,8}", b in "[aA._ -]{0,5}") {
            prop_assert!(has_key(&a, &action_key(&a)));
            prop_assert_eq!(has_key(&a, &action_key(&b)), action_key(&a) == action_key(&b));
        }
    }
}
