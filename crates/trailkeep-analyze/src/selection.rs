//! Which entries an answer is made of: filter, window and scope.

use std::collections::BTreeSet;

use trailkeep_event::{CATEGORIES, Fields, Micros, SystemCategory};
use trailkeep_filter::Filter;
use trailkeep_scope::{Allow, ReadScope};
use trailkeep_segment::{ScanPlan, SegmentMeta};

/// Which entries an answer is made of. Every row of every answer went through one.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    filter: Filter,
    scope: ReadScope,
    /// The accounts that the filter and the scope leave; all where absent.
    accounts: Option<BTreeSet<String>>,
    /// The window over the time that lists sort by; `to` is not part of it.
    from: Option<Micros>,
    to: Option<Micros>,
}

impl Selection {
    pub(crate) fn new(
        filter: &Filter,
        scope: &ReadScope,
        (from, to): (Option<Micros>, Option<Micros>),
    ) -> Self {
        // A skewed entry sorts before its occurred_at, never behind it: only the filter's upper
        // bound holds for the time that segments are sorted by.
        let to = earliest(to, filter.times().to);
        Self {
            accounts: intersect(filter.accounts(), &scope.accounts),
            filter: filter.clone().and(categories(&scope.categories)),
            scope: scope.clone(),
            from,
            to,
        }
    }

    /// Leaves out what a condition on top of this leaves out anyway, as far as that saves reading.
    pub(crate) fn narrow(&mut self, narrowing: Narrowing) {
        match narrowing {
            Narrowing::Accounts(accounts) => {
                let ours = self.accounts.take();
                self.accounts = Some(match ours {
                    Some(ours) => ours.intersection(&accounts).cloned().collect(),
                    None => accounts,
                });
            }
            Narrowing::Before(to) => self.to = earliest(self.to, Some(to)),
        }
    }

    pub(crate) fn may_hold(&self, meta: &SegmentMeta) -> bool {
        let accounts = self.accounts.as_ref().is_none_or(|accounts| {
            accounts.range(meta.first_account.clone()..=meta.last_account.clone()).next().is_some()
        });
        accounts && meta.overlaps(self.from, self.to)
    }

    /// Returns what decides beside the plan.
    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    pub(crate) fn plan(&self) -> ScanPlan<'_> {
        ScanPlan { accounts: self.accounts.as_ref(), from: self.from, to: self.to, fields: &[] }
    }

    pub(crate) fn in_window(&self, sort_at: Micros) -> bool {
        self.from.is_none_or(|from| sort_at >= from) && self.to.is_none_or(|to| sort_at < to)
    }

    /// Tells whether an entry is let through, where it lies in the window.
    pub(crate) fn lets_through(&self, entry: &impl Fields) -> bool {
        self.scope.covers(entry) && self.filter.matches(entry)
    }
}

/// Where a condition says to look.
#[derive(Debug)]
pub(crate) enum Narrowing {
    Accounts(BTreeSet<String>),
    Before(Micros),
}

fn earliest(a: Option<Micros>, b: Option<Micros>) -> Option<Micros> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Returns the filter for the categories of a scope.
fn categories(allow: &Allow) -> Filter {
    let Allow::Only(allowed) = allow else { return Filter::everything() };
    let known: Vec<&str> =
        CATEGORIES.iter().copied().filter(|category| allowed.contains(*category)).collect();
    let text = match known.as_slice() {
        // No entry is of two categories, so none is let through.
        [] => format!("category:{} -category:*", SystemCategory::WORD),
        known => format!("category:({})", known.join(" OR ")),
    };
    Filter::parse(&text).unwrap_or_else(|_never| Filter::account(""))
}

fn intersect(filter: Option<BTreeSet<String>>, scope: &Allow) -> Option<BTreeSet<String>> {
    match (filter, scope) {
        (filter, Allow::All) => filter,
        (None, Allow::Only(allowed)) => Some(allowed.clone()),
        (Some(asked), Allow::Only(allowed)) => Some(asked.intersection(allowed).cloned().collect()),
    }
}
