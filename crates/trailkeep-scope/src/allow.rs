//! Everything, or a list.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What a scope lets through of one kind of thing.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allow {
    /// Everything, also what does not exist yet.
    All,
    /// These, and nothing else.
    Only(BTreeSet<String>),
}

impl Allow {
    /// Allows the listed things.
    pub fn only<T: Into<String>>(things: impl IntoIterator<Item = T>) -> Self {
        Self::Only(things.into_iter().map(Into::into).collect())
    }

    /// Tells whether a thing is let through.
    pub fn allows(&self, thing: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(things) => things.contains(thing),
        }
    }
}
