//! A shelf that is written, sealed and compacted on demand, and what it must answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use trailkeep_event::{
    Entry, EntryRef, Field, Fields, IdKey, Micros, PARTITIONS, Partition, Row, SequencedBatch,
};
use trailkeep_filter::Filter;
use trailkeep_io::{DiskStore, SimClock, SimDisk};
use trailkeep_ledger::{Heads, sequence};
use trailkeep_query::{Engine, ListRequest, Order, QueryOptions};
use trailkeep_scope::ReadScope;
use trailkeep_segment::{SealFault, SealOptions, SegmentMeta, SegmentStore, Shelf, merge, seal};
use trailkeep_testkit::{batch_of, row_of};

/// 2026-01-01T00:00:00Z
pub(crate) const START: i64 = 1_767_225_600_000_000;

/// A shelf with its one writer.
pub(crate) struct World {
    pub(crate) disk: SimDisk,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) engine: Engine,
    heads: Heads,
    frames: [u64; PARTITIONS],
    n_segments: u8,
    /// Everything that was written.
    pub(crate) entries: Vec<Entry>,
}

impl World {
    pub(crate) fn new() -> Self {
        let disk = SimDisk::new(1);
        let objects = DiskStore::new(Arc::new(disk.clone()), "");
        let store = Arc::new(SegmentStore::new(Arc::new(objects)));
        let key = IdKey::new([7; 16]);
        let shelf = Arc::new(Shelf::new(store, key, Vec::new(), trailkeep_event::Cut::default()));
        Self {
            engine: engine(&shelf, 1),
            disk,
            shelf,
            heads: Heads::default(),
            frames: [0; PARTITIONS],
            n_segments: 0,
            entries: Vec::new(),
        }
    }

    /// Writes events, one frame for each partition, admitted at a time.
    pub(crate) fn write(&mut self, events: &[String], created_at: i64) {
        let mut rows: BTreeMap<Partition, Vec<Row>> = BTreeMap::new();
        for event in events {
            let row = row_of(event);
            let partition = Partition::of_account(row.text(Field::AccountId).unwrap());
            rows.entry(partition).or_default().push(row);
        }
        for (partition, rows) in rows {
            let batch = batch_of(&rows, Micros(created_at));
            let frame = self.frames[partition.index()];
            self.frames[partition.index()] += 1;
            let batch = sequence(&mut self.heads, partition, frame, batch);
            self.keep(&batch);
            self.shelf.push(Arc::new(batch));
        }
    }

    fn keep(&mut self, batch: &SequencedBatch) {
        let key = self.shelf.key().clone();
        self.entries.extend(batch.entries(&key).map(EntryRef::to_entry));
    }

    fn segment_id(&mut self) -> [u8; 16] {
        self.n_segments += 1;
        [self.n_segments; 16]
    }

    /// Seals the whole tail.
    pub(crate) fn seal(&mut self) {
        self.seal_with(None);
    }

    /// Seals the whole tail; a fault makes one row differ from its columns.
    pub(crate) fn seal_with(&mut self, fault: Option<SealFault>) {
        let view = self.shelf.view();
        let batches: Vec<Arc<SequencedBatch>> = view.tail.batches().cloned().collect();
        let options = SealOptions { id: self.segment_id(), from: view.cut, fault };
        let sealed = seal(self.shelf.store(), self.shelf.key(), &batches, &options).unwrap();
        self.shelf.publish(Some(sealed.meta), view.end());
    }

    /// Merges all segments into one.
    pub(crate) fn compact(&mut self) {
        let view = self.shelf.view();
        let inputs: Vec<Arc<SegmentMeta>> =
            view.sealed.iter().map(|segment| Arc::clone(segment.meta())).collect();
        let id = self.segment_id();
        let merged = merge(self.shelf.store(), self.shelf.key(), &inputs, id, &|| false).unwrap();
        let removed: Vec<String> = inputs.iter().map(|meta| meta.id.clone()).collect();
        self.shelf.swap(&removed, merged);
    }

    /// What a list must be: the entries that pass, in order.
    pub(crate) fn expected(&self, scope: &ReadScope, request: &ListRequest) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self
            .entries
            .iter()
            .filter(|entry| {
                let at = entry.view().sort_at();
                request.from.is_none_or(|from| at >= from)
                    && request.to.is_none_or(|to| at < to)
                    && scope.covers(*entry)
                    && request.filter.matches(*entry)
            })
            .cloned()
            .collect();
        entries.sort_by_cached_key(|entry| {
            let account = entry.text(Field::AccountId).unwrap_or("").to_owned();
            (entry.view().sort_at(), account, entry.stamp.seq)
        });
        if request.order == Order::Descending {
            entries.reverse();
        }
        entries
    }

    /// Walks over all pages, doing something between them; returns the entries and the totals.
    pub(crate) fn walk(
        &mut self,
        scope: &ReadScope,
        request: &ListRequest,
        mut between: impl FnMut(&mut Self, usize),
    ) -> (Vec<Entry>, Vec<u64>) {
        let (mut request, mut entries, mut totals) = (request.clone(), Vec::new(), Vec::new());
        for n_pages in 0.. {
            let page = self.engine.list(scope, &request).unwrap();
            assert!(page.entries.len() <= request.limit);
            totals.extend(page.total);
            entries.extend(page.entries);
            let Some(cursor) = page.next_cursor else { break };
            request.cursor = Some(cursor);
            between(self, n_pages);
        }
        (entries, totals)
    }
}

/// An engine over a shelf, with its secret.
pub(crate) fn engine(shelf: &Arc<Shelf>, secret: u8) -> Engine {
    let options = QueryOptions { duration_max: Duration::from_secs(30) };
    Engine::new(Arc::clone(shelf), &[secret; 32], Arc::new(SimClock::new(START)), options)
}

pub(crate) fn request(q: &str, order: Order, limit: usize) -> ListRequest {
    ListRequest {
        filter: Filter::parse(q).unwrap(),
        from: None,
        to: None,
        order,
        limit,
        cursor: None,
        include_total: true,
    }
}

/// An event at some microseconds after the start.
pub(crate) fn event(account: &str, micros: i64, tag: &str) -> String {
    let at = Micros(START + micros);
    format!(
        "{{\"account_id\":\"{account}\",\"action\":\"thing.done\",\"occurred_at\":\"{at}\",\
         \"resource_id\":\"{tag}\"}}"
    )
}

pub(crate) fn tags(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.text(Field::ResourceId).unwrap_or("")).collect()
}
