//! What a principal may read.

use serde::{Deserialize, Serialize};
use trailkeep_event::{Field, Fields};

use crate::Allow;

/// What a principal may read. Every query takes one; what it does not cover does not exist.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadScope {
    /// The accounts whose entries may be read.
    pub accounts: Allow,
    /// The categories whose entries may be read.
    pub categories: Allow,
}

impl ReadScope {
    /// Returns the scope of the bootstrap key: everything.
    pub fn everything() -> Self {
        Self { accounts: Allow::All, categories: Allow::All }
    }

    /// Tells whether an entry may be read.
    pub fn covers(&self, entry: &impl Fields) -> bool {
        entry.text(Field::AccountId).is_some_and(|account| self.accounts.allows(account))
            && entry.text(Field::Category).is_some_and(|category| self.categories.allows(category))
    }
}
