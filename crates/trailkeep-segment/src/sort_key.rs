//! The order in which lists show entries.

use std::sync::Arc;

use trailkeep_event::Micros;

/// An entry's place in a list: time, then account, then index in the account's log.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SortKey {
    /// The producer's time, or ours where its clock was ahead.
    pub sort_at: Micros,
    /// The account.
    pub account: Arc<str>,
    /// The index in the account's log.
    pub seq: u64,
}

impl SortKey {
    /// Returns the key of the order in which a segment stores rows: account first.
    pub(crate) fn stored(&self) -> (&str, Micros, u64) {
        (&self.account, self.sort_at, self.seq)
    }
}
