//! What a store holds, read from its shelf.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use trailkeep_event::{Entry, EventId, Field, Fields, Micros};
use trailkeep_ingest::Store;
use trailkeep_segment::{Error, Shelf};

/// Every entry of a store, by the tag it was sent with.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) by_tag: BTreeMap<String, Vec<Entry>>,
}

impl Stored {
    pub(crate) fn read(store: &Store) -> Result<Self, Error> {
        Self::read_shelf(store.shelf())
    }

    pub(crate) fn read_shelf(shelf: &Shelf) -> Result<Self, Error> {
        let mut by_tag: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        let mut keep = |entry: Entry| {
            let tag = entry.text(Field::ResourceId).unwrap_or("").to_owned();
            by_tag.entry(tag).or_default().push(entry);
        };
        let view = shelf.view();
        for entry in view.tail.entries(shelf.key()) {
            keep(entry.to_entry());
        }
        for segment in view.sealed.iter() {
            segment.reader()?.for_each_entry(&mut |entry| {
                keep(entry);
                ControlFlow::Continue(())
            })?;
        }
        Ok(Self { by_tag })
    }

    pub(crate) fn of(store: &Store) -> Self {
        Self::read(store).unwrap()
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.by_tag.values().flatten()
    }

    pub(crate) fn count(&self, tag: &str) -> usize {
        self.by_tag.get(tag).map_or(0, Vec::len)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries().count()
    }

    /// Checks what holds of every store: its logs, and that each identifier leads to its entry.
    pub(crate) fn check(&self, store: &Store) {
        for entry in self.entries() {
            assert_eq!(find(store, entry.stamp.id).as_ref(), Some(entry));
        }
        self.check_logs();
    }

    /// Checks that each log counts from 0 without a gap and its admission times never go back.
    pub(crate) fn check_logs(&self) {
        let mut logs: BTreeMap<&str, Vec<(u64, Micros)>> = BTreeMap::new();
        for entry in self.entries() {
            let account = entry.text(Field::AccountId).unwrap();
            logs.entry(account).or_default().push((entry.stamp.seq, entry.stamp.created_at));
        }
        for (account, mut log) in logs {
            log.sort_unstable();
            let seqs: Vec<u64> = log.iter().map(|(seq, _)| *seq).collect();
            let whole: Vec<u64> = (0..u64::try_from(log.len()).unwrap()).collect();
            assert_eq!(seqs, whole, "the log of {account}");
            assert!(log.is_sorted_by_key(|(_, at)| *at), "the times of {account}");
        }
    }
}

/// Finds an entry by its identifier alone.
pub(crate) fn find(store: &Store, id: EventId) -> Option<Entry> {
    let key = store.shelf().key();
    let position = key.position(id)?;
    let view = store.shelf().view();
    if let Some(entry) = view.tail.find(key, position) {
        return Some(entry.to_entry());
    }
    view.sealed.iter().find_map(|segment| segment.reader().unwrap().find(position).unwrap())
}
