//! What a submission takes out of the quotas.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::admit::Admitted;
use crate::error::Unavailable;
use crate::quota::{Quotas, Take};
use crate::shared::Shared;
use crate::store::Submitter;

/// What a submission took: its events of the key's quota, and of each account's.
#[derive(Debug)]
pub(crate) struct Charge<'a> {
    taken: Vec<(&'a Quotas, Take)>,
}

impl<'a> Charge<'a> {
    /// Takes all of it, or nothing.
    pub(crate) fn new(
        shared: &'a Shared,
        submitter: &Submitter,
        events: &[Admitted],
    ) -> Result<Self, Unavailable> {
        let now = shared.env.clock.monotonic();
        let mut charge = Self { taken: Vec::new() };
        if let Some(per_second) = submitter.scope.events_per_second_max {
            let name = Arc::clone(&submitter.key_id);
            let take = Take { name, per_second, n_events: events.len() };
            shared
                .key_quotas
                .take(&take, now)
                .map_err(|retry_after| Unavailable::KeyQuota { retry_after })?;
            charge.taken.push((&shared.key_quotas, take));
        }
        let Some(per_second) = shared.options.account_events_per_second_max else {
            return Ok(charge);
        };
        for (account_id, n_events) in by_account(events) {
            let take = Take { name: account_id.into(), per_second, n_events };
            if let Err(retry_after) = shared.account_quotas.take(&take, now) {
                charge.give_back();
                return Err(Unavailable::AccountQuota { retry_after });
            }
            charge.taken.push((&shared.account_quotas, take));
        }
        Ok(charge)
    }

    /// Puts everything back: the submission was refused.
    pub(crate) fn give_back(self) {
        for (quotas, take) in &self.taken {
            quotas.give_back(take);
        }
    }
}

fn by_account(events: &[Admitted]) -> BTreeMap<&str, usize> {
    let mut n_by_account: BTreeMap<&str, usize> = BTreeMap::new();
    for event in events.iter().flatten() {
        let n_events = n_by_account.entry(event.row().view().account_id()).or_default();
        *n_events = n_events.saturating_add(1);
    }
    n_by_account
}
