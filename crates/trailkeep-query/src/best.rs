//! Keeps the first few of many, in list order.

use std::cmp::Ordering;
use std::sync::Arc;

use trailkeep_event::Micros;
use trailkeep_segment::SortKey;

use crate::list::Order;

/// A place in lists, borrowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) sort_at: Micros,
    pub(crate) account: &'a str,
    pub(crate) seq: u64,
}

impl<'a> Place<'a> {
    pub(crate) fn of(key: &'a SortKey) -> Self {
        Self { sort_at: key.sort_at, account: &key.account, seq: key.seq }
    }

    fn parts(self) -> (Micros, &'a str, u64) {
        (self.sort_at, self.account, self.seq)
    }

    pub(crate) fn compare(self, other: Place<'_>, order: Order) -> Ordering {
        let ascending = self.parts().cmp(&other.parts());
        match order {
            Order::Ascending => ascending,
            Order::Descending => ascending.reverse(),
        }
    }
}

/// The first `limit` of all that were offered. Takes memory for twice as many.
#[derive(Debug)]
pub(crate) struct Best<T> {
    order: Order,
    limit: usize,
    items: Vec<(SortKey, T)>,
    /// The last place that still counts, once `limit` were offered.
    bar: Option<SortKey>,
}

impl<T> Best<T> {
    pub(crate) fn new(order: Order, limit: usize) -> Self {
        Self { order, limit: limit.max(1), items: Vec::new(), bar: None }
    }

    /// Tells whether an item at this place can be among the first.
    pub(crate) fn admits(&self, place: Place<'_>) -> bool {
        self.bar
            .as_ref()
            .is_none_or(|bar| place.compare(Place::of(bar), self.order) == Ordering::Less)
    }

    /// Tells whether an item of this time can be among the first.
    pub(crate) fn reaches(&self, sort_at: Micros) -> bool {
        self.bar.as_ref().is_none_or(|bar| match self.order {
            Order::Ascending => sort_at <= bar.sort_at,
            Order::Descending => sort_at >= bar.sort_at,
        })
    }

    pub(crate) fn offer(&mut self, place: Place<'_>, item: T) {
        if !self.admits(place) {
            return;
        }
        let key =
            SortKey { sort_at: place.sort_at, account: Arc::from(place.account), seq: place.seq };
        self.items.push((key, item));
        if self.items.len() >= self.limit.saturating_mul(2) {
            self.trim();
        }
    }

    fn trim(&mut self) {
        let order = self.order;
        self.items.sort_unstable_by(|a, b| Place::of(&a.0).compare(Place::of(&b.0), order));
        self.items.truncate(self.limit);
        if self.items.len() == self.limit {
            self.bar = self.items.last().map(|(key, _item)| key.clone());
        }
    }

    /// Sets the bar where enough were offered, so that what follows can be skipped.
    pub(crate) fn settle(&mut self) {
        let is_set = self.bar.is_some() && self.items.len() == self.limit;
        if self.items.len() >= self.limit && !is_set {
            self.trim();
        }
    }

    /// Returns the first ones, in order.
    pub(crate) fn finish(mut self) -> Vec<(SortKey, T)> {
        self.trim();
        self.items
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_best_are_the_first_of_all_sorted(
            places in proptest::collection::vec((0_i64..20, 0_u64..20), 0..200),
            limit in 1_usize..30,
            newest_first: bool,
        ) {
            let order = if newest_first { Order::Descending } else { Order::Ascending };
            let mut best = Best::new(order, limit);
            for (index, (at, seq)) in places.iter().enumerate() {
                best.offer(Place { sort_at: Micros(*at), account: "a", seq: *seq }, index);
                if index % 7 == 0 {
                    best.settle();
                }
            }
            let mut sorted = places.clone();
            sorted.sort_unstable();
            if newest_first {
                sorted.reverse();
            }
            sorted.truncate(limit);
            let found: Vec<(i64, u64)> =
                best.finish().into_iter().map(|(key, _)| (key.sort_at.0, key.seq)).collect();
            prop_assert_eq!(found, sorted);
        }
    }
}
