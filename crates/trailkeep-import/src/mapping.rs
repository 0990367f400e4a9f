//! A mapping: how one record becomes one event.

mod node;
mod reader;

use crate::Format;
use crate::rule::Rule;
use crate::target::Target;

/// What a record looks like before it is mapped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Layout {
    /// Trailkeep's own events as JSON, passed on.
    Native,
    /// Any JSON object.
    Json,
    /// A line of an access log in the combined or common format.
    Combined,
}

/// Says how one record becomes one event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mapping {
    pub(crate) layout: Layout,
    /// In the order in which an event is written: its own members, then `error`, then `block`.
    pub(crate) fields: Vec<FieldRules>,
    pub(crate) metadata: Metadata,
}

/// The rules of one member of the event, tried in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FieldRules {
    pub(crate) target: Target,
    pub(crate) rules: Vec<Rule>,
}

/// Which members of the record go to the event's `metadata`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Metadata {
    pub(crate) rest: Rest,
    /// Members that go to the metadata whatever `rest` says.
    pub(crate) keep: Vec<String>,
}

/// What happens to the members of the record that are not kept by name.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Rest {
    /// Those that no field holds whole go to the metadata.
    #[default]
    Unmapped,
    /// All go to the metadata.
    All,
    /// None does.
    None,
}

/// Says why a mapping cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MappingError {
    /// The file is too large.
    #[error("a mapping has at most {0} bytes")]
    TooLarge(usize),
    /// The file is not TOML.
    #[error("line {line}: {problem}")]
    NotToml {
        /// The line, from 1.
        line: usize,
        /// What the TOML reader says.
        problem: String,
    },
    /// A key of the file is wrong.
    #[error("line {line}, `{key}`: {problem}")]
    Key {
        /// The line, from 1.
        line: usize,
        /// The key with those around it, like `fields.outcome`.
        key: String,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// A member that every event needs has no rule.
    #[error("`fields.{0}` is missing: every event needs it")]
    Missing(String),
    /// Neither the mapping nor the caller says which account the events belong to.
    #[error("no account: the mapping has no `fields.account_id`, so name one with --account")]
    NoAccount,
    /// The account that the caller named is not one.
    #[error("`{0}` cannot be an account: 1 to 128 bytes without control characters")]
    Account(String),
}

impl Mapping {
    /// Returns the built-in mapping of a format.
    #[expect(
        clippy::expect_used,
        reason = "the text is part of the program, and a test parses each one"
    )]
    pub fn builtin(format: Format) -> Self {
        Self::parse_toml(format.mapping_toml()).expect("a built-in mapping is valid")
    }

    /// Parses a mapping file.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line and key.
    pub fn parse_toml(text: &str) -> Result<Self, MappingError> {
        reader::read(text)
    }

    /// Returns what a record looks like before it is mapped.
    pub fn layout(&self) -> Layout {
        self.layout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_mappings_are_valid() {
        for format in Format::ALL {
            let mapping = Mapping::parse_toml(format.mapping_toml());
            assert!(mapping.is_ok(), "{format}: {mapping:?}");
        }
    }
}
