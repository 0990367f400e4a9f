//! What a query lets through: filter, window, scope and cut.

use std::collections::BTreeSet;

use trailkeep_event::{CATEGORIES, Cut, Field, Fields, Micros, Position, SequencedBatch, ValueRef};
use trailkeep_filter::Filter;
use trailkeep_scope::{Allow, ReadScope};
use trailkeep_segment::{ScanPlan, SegmentMeta};

use crate::tail_row::TailRow;

/// What a query lets through. The plan says which accounts and which window are looked at, the
/// filter decides on the rows of those.
#[derive(Debug)]
pub(crate) struct Matcher {
    /// What is left of the query's filter and the scope's categories.
    filter: Filter,
    /// The accounts that the filter and the scope leave; all where absent.
    accounts: Option<BTreeSet<String>>,
    /// The window over the time that lists sort by; `to` is not part of it.
    from: Option<Micros>,
    to: Option<Micros>,
    cut: Cut,
}

impl Matcher {
    pub(crate) fn new(
        filter: &Filter,
        scope: &ReadScope,
        (from, to): (Option<Micros>, Option<Micros>),
        cut: Cut,
    ) -> Self {
        let accounts = intersect(filter.accounts(), &scope.accounts);
        let (filter, accounts) = match (categories(&scope.categories), accounts) {
            (None, _) => (Filter::everything(), Some(BTreeSet::new())),
            (Some(categories), accounts) => {
                without_accounts(filter.clone().and(categories), accounts)
            }
        };
        let mut matcher = Self { filter, accounts, from, to, cut };
        // A skewed entry sorts before its occurred_at, never behind it: only the filter's upper
        // bound holds for the time that segments are sorted by.
        matcher.end_before(matcher.filter.times().to);
        matcher
    }

    /// Moves the end of the window forward.
    pub(crate) fn end_before(&mut self, to: Option<Micros>) {
        self.to = [self.to, to].into_iter().flatten().min();
    }

    /// Moves the start of the window back.
    pub(crate) fn start_at(&mut self, from: Micros) {
        self.from = self.from.max(Some(from));
    }

    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    pub(crate) fn plan(&self) -> ScanPlan<'_> {
        ScanPlan { accounts: self.accounts.as_ref(), from: self.from, to: self.to, fields: &[] }
    }

    /// Tells whether a segment can hold an entry that is let through.
    pub(crate) fn may_hold(&self, meta: &SegmentMeta) -> bool {
        let accounts = self.accounts.as_ref().is_none_or(|accounts| {
            accounts.range(meta.first_account.clone()..=meta.last_account.clone()).next().is_some()
        });
        accounts && meta.overlaps(self.from, self.to) && self.reaches_into(meta)
    }

    fn reaches_into(&self, meta: &SegmentMeta) -> bool {
        meta.from.iter().zip(meta.to).zip(self.cut.0).any(|((from, to), cut)| *from < to.min(cut))
    }

    /// Tells whether every entry of a segment lies before the cut.
    pub(crate) fn covers(&self, meta: &SegmentMeta) -> bool {
        meta.to
            .iter()
            .zip(meta.from)
            .zip(self.cut.0)
            .all(|((to, from), cut)| *to <= cut || *to == from)
    }

    pub(crate) fn before_cut(&self, position: Position) -> bool {
        self.cut.covers(position)
    }

    /// Tells whether the rows of a batch lie before the cut.
    pub(crate) fn covers_batch(&self, batch: &SequencedBatch) -> bool {
        batch.frame < self.cut.frame(batch.partition)
    }

    /// Tells whether every entry of the accounts whose time lies between the two is let through.
    pub(crate) fn lets_all_through(&self, first: Micros, last: Micros) -> bool {
        self.filter.fields().is_empty() && self.in_window(first) && self.in_window(last)
    }

    /// Tells whether a row is let through, where it lies before the cut.
    pub(crate) fn lets_through(&self, row: &TailRow<'_>) -> bool {
        self.in_window(row.sort_at())
            && self.accounts.as_ref().is_none_or(|accounts| accounts.contains(row.account()))
            && self.filter.matches(row)
    }

    /// Tells whether a time between the two can be in the window.
    pub(crate) fn overlaps(&self, (first, last): (Micros, Micros)) -> bool {
        self.from.is_none_or(|from| last >= from) && self.to.is_none_or(|to| first < to)
    }

    fn in_window(&self, sort_at: Micros) -> bool {
        self.from.is_none_or(|from| sort_at >= from) && self.to.is_none_or(|to| sort_at < to)
    }
}

fn intersect(filter: Option<BTreeSet<String>>, scope: &Allow) -> Option<BTreeSet<String>> {
    match (filter, scope) {
        (filter, Allow::All) => filter,
        (None, Allow::Only(allowed)) => Some(allowed.clone()),
        (Some(asked), Allow::Only(allowed)) => Some(asked.intersection(allowed).cloned().collect()),
    }
}

/// Returns the filter for the categories of a scope; `None` where it lets nothing through.
fn categories(allow: &Allow) -> Option<Filter> {
    let Allow::Only(allowed) = allow else { return Some(Filter::everything()) };
    let known: Vec<&str> =
        CATEGORIES.iter().copied().filter(|category| allowed.contains(*category)).collect();
    // The words are those that the filter language knows, so this always reads.
    let filter = || Filter::parse(&format!("category:({})", known.join(" OR "))).ok();
    if known.is_empty() { None } else { filter() }
}

/// Decides a filter that only looks at the account once an account instead of once a row.
fn without_accounts(
    filter: Filter,
    accounts: Option<BTreeSet<String>>,
) -> (Filter, Option<BTreeSet<String>>) {
    match accounts {
        Some(mut accounts) if filter.fields() == [Field::AccountId] => {
            accounts.retain(|account| filter.matches(&Account(account)));
            (Filter::everything(), Some(accounts))
        }
        accounts => (filter, accounts),
    }
}

/// What is known of every entry of an account.
struct Account<'a>(&'a str);

impl Fields for Account<'_> {
    fn get(&self, field: Field) -> Option<ValueRef<'_>> {
        (field == Field::AccountId).then_some(ValueRef::Text(self.0))
    }
}
