//! The right to write.

use std::time::Duration;

use trailkeep_event::Micros;

/// The right of one owner to change what a resource stands for.
///
/// The epoch is the fence: it rises with every acquisition, and a commit under an older epoch
/// changes nothing, however late it arrives. The end only tells others when they may take over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    /// What is leased.
    pub resource: String,
    /// Who has it.
    pub owner: String,
    /// The number of the acquisition, from 1.
    pub epoch: u64,
    /// When others may take it over.
    pub until: Micros,
}

/// Returns the end of a lease that starts now.
pub(crate) fn lease_end(now: Micros, ttl: Duration) -> Micros {
    now.plus(i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX))
}
