//! Evaluates one term on one entry.

use std::ops::RangeBounds;

use trailkeep_event::{Field, Fields, ValueRef};

use crate::json::{Leaf, any_at, any_header, any_leaf, may_hold, may_hold_folded};
use crate::number::double;
use crate::term::{ACTOR, SEARCHED, Target, Term, Test};

impl Term {
    pub(crate) fn matches(&self, fields: &impl Fields) -> bool {
        match &self.target {
            Target::Field(field) => fields.get(*field).is_some_and(|value| self.holds(value, &[])),
            Target::Actor => ACTOR
                .iter()
                .any(|field| fields.get(*field).is_some_and(|value| self.holds(value, &[]))),
            Target::Member(field, path) => fields
                .get(*field)
                .is_some_and(|value| self.may_hold(value, path) && self.holds(value, path)),
            Target::Header(name) => match fields.get(Field::Headers) {
                Some(ValueRef::Json(json)) => any_header(json, name, |value| {
                    self.tests.iter().any(|test| test.holds_on_text(value))
                }),
                _ => false,
            },
            Target::Anywhere => self.tests.iter().any(|test| test.is_anywhere(fields)),
        }
    }

    /// Looks for the member's name and the text in the JSON as a whole, which is many times
    /// cheaper than walking it, and most entries have neither.
    fn may_hold(&self, value: ValueRef<'_>, path: &[String]) -> bool {
        let ValueRef::Json(json) = value else { return true };
        path.last().is_none_or(|name| may_hold(json, name))
            && self.tests.iter().any(|test| match test {
                Test::Text(text) => may_hold(json, text),
                _ => true,
            })
    }

    fn holds(&self, value: ValueRef<'_>, path: &[String]) -> bool {
        match value {
            ValueRef::Json(json) => {
                any_at(json, path, |leaf| self.tests.iter().any(|test| test.holds_on_leaf(leaf)))
            }
            _ => self.tests.iter().any(|test| test.holds(value)),
        }
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

    /// Searches everything that bare words search.
    fn is_anywhere(&self, fields: &impl Fields) -> bool {
        let in_id = self.may_be_in_id()
            && matches!(fields.get(Field::Id), Some(ValueRef::Id(id)) if self.holds_on_text(&id.to_string()));
        in_id
            || SEARCHED.iter().any(|field| match fields.get(*field) {
                Some(ValueRef::Json(json)) => self.is_in_json(json),
                Some(ValueRef::Text(text)) => self.holds_on_text(text),
                _ => false,
            })
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
