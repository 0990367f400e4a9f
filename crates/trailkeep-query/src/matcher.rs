//! What a query lets through: filter, window, scope and cut.

use std::collections::BTreeSet;

use trailkeep_event::{Cut, Field, Fields, IdKey, Micros, Position, ValueRef};
use trailkeep_filter::Filter;
use trailkeep_scope::{Allow, ReadScope};
use trailkeep_segment::{ScanPlan, SegmentMeta};

/// What a query lets through. Built once a query, asked once a row.
#[derive(Debug)]
pub(crate) struct Matcher<'a> {
    filter: &'a Filter,
    scope: &'a ReadScope,
    /// The accounts that the filter and the scope leave; all where absent.
    accounts: Option<BTreeSet<String>>,
    /// The window over the time that lists sort by; `to` is not part of it.
    pub(crate) from: Option<Micros>,
    pub(crate) to: Option<Micros>,
    cut: Cut,
    fields: Vec<Field>,
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(
        filter: &'a Filter,
        scope: &'a ReadScope,
        window: (Option<Micros>, Option<Micros>),
        cut: Cut,
    ) -> Self {
        let accounts = intersect(filter.accounts(), &scope.accounts);
        let mut fields = filter.fields().to_vec();
        if scope.categories != Allow::All && !fields.contains(&Field::Category) {
            fields.push(Field::Category);
        }
        // A skewed entry sorts before its occurred_at, never behind it: only the filter's upper
        // bound holds for the time that segments are sorted by.
        let to = match (window.1, filter.times().to) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self { filter, scope, accounts, from: window.0, to, cut, fields }
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

    /// Returns what to read of a segment.
    pub(crate) fn fields_of(&self, meta: &SegmentMeta) -> Vec<Field> {
        if self.covers(meta) { self.fields.clone() } else { self.fields_with_place() }
    }

    /// Returns what to read of a segment where the rows' positions matter.
    pub(crate) fn fields_with_place(&self) -> Vec<Field> {
        let mut fields = self.fields.clone();
        if !fields.contains(&Field::Id) {
            fields.push(Field::Id);
        }
        fields
    }

    pub(crate) fn plan<'p>(&'p self, fields: &'p [Field]) -> ScanPlan<'p> {
        ScanPlan { accounts: self.accounts.as_ref(), from: self.from, to: self.to, fields }
    }

    /// Tells whether an entry is let through, where it lies in the window and before the cut.
    pub(crate) fn lets_through(&self, entry: &impl Fields) -> bool {
        self.scope.covers_categories(entry)
            && self.scope.covers_account(entry)
            && self.filter.matches(entry)
    }

    pub(crate) fn in_window(&self, sort_at: Micros) -> bool {
        self.from.is_none_or(|from| sort_at >= from) && self.to.is_none_or(|to| sort_at < to)
    }

    pub(crate) fn before_cut(&self, position: Position) -> bool {
        self.cut.covers(position)
    }

    /// Tells whether a row of a segment that reaches beyond the cut lies before it.
    pub(crate) fn row_before_cut(&self, row: &impl Fields, key: &IdKey) -> bool {
        Self::position_of(row, key).is_some_and(|position| self.before_cut(position))
    }

    /// Returns where an entry is in the journal; `None` where its identifier was not read.
    pub(crate) fn position_of(row: &impl Fields, key: &IdKey) -> Option<Position> {
        match row.get(Field::Id) {
            Some(ValueRef::Id(id)) => key.position(id),
            _ => None,
        }
    }
}

fn intersect(filter: Option<BTreeSet<String>>, scope: &Allow) -> Option<BTreeSet<String>> {
    match (filter, scope) {
        (filter, Allow::All) => filter,
        (None, Allow::Only(allowed)) => Some(allowed.clone()),
        (Some(asked), Allow::Only(allowed)) => Some(asked.intersection(allowed).cloned().collect()),
    }
}
