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
        self.covers_account(entry) && self.covers_categories(entry)
    }

    /// Tells whether entries of the entry's account may be read.
    pub fn covers_account(&self, entry: &impl Fields) -> bool {
        covers(&self.accounts, entry, Field::AccountId)
    }

    /// Tells whether entries of the entry's category may be read.
    pub fn covers_categories(&self, entry: &impl Fields) -> bool {
        covers(&self.categories, entry, Field::Category)
    }
}

fn covers(allow: &Allow, entry: &impl Fields, field: Field) -> bool {
    *allow == Allow::All || entry.text(field).is_some_and(|text| allow.allows(text))
}
