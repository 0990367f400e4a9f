//! What can be read: the sealed segments and the tail behind them, as one.

use std::collections::HashSet;
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, RwLock};
use trailkeep_event::{Cut, IdKey, SequencedBatch};

use crate::{Error, OpenSegment, SegmentMeta, SegmentReader, SegmentStore, TailView};

/// A sealed segment that is opened when it is first read, and stays open.
#[derive(Debug)]
pub struct ShelvedSegment {
    meta: Arc<SegmentMeta>,
    store: Arc<SegmentStore>,
    key: IdKey,
    reader: Mutex<Option<SegmentReader>>,
}

impl ShelvedSegment {
    /// Returns the segment's description.
    pub fn meta(&self) -> &Arc<SegmentMeta> {
        &self.meta
    }

    /// Opens the segment, or returns the reader that is open.
    ///
    /// # Errors
    /// Where the segment cannot be read or is corrupt.
    pub fn reader(&self) -> Result<SegmentReader, Error> {
        let mut slot = self.reader.lock();
        if let Some(reader) = slot.as_ref() {
            return Ok(reader.clone());
        }
        let (store, meta) = (Arc::clone(&self.store), Arc::clone(&self.meta));
        let reader = SegmentReader::open(store, meta, self.key.clone())?;
        *slot = Some(reader.clone());
        Ok(reader)
    }
}

/// What could be read at one moment: every durable entry exactly once.
#[derive(Clone, Debug)]
pub struct ShelfView {
    /// The sealed segments.
    pub sealed: Arc<[Arc<ShelvedSegment>]>,
    /// What is not sealed.
    pub tail: TailView,
    /// What divides the two.
    pub cut: Cut,
}

impl ShelfView {
    /// Returns the cut behind the last entry of the view.
    pub fn end(&self) -> Cut {
        self.tail.end(&self.cut)
    }
}

#[derive(Debug)]
struct Sealed {
    segments: Arc<[Arc<ShelvedSegment>]>,
    cut: Cut,
}

/// The segments and the tail. The writer pushes, the sealer publishes, queries take views.
#[derive(Debug)]
pub struct Shelf {
    store: Arc<SegmentStore>,
    key: IdKey,
    tail: OpenSegment,
    sealed: RwLock<Sealed>,
    /// Segments that were replaced while a view may still read them.
    retired: Mutex<Vec<(String, Weak<ShelvedSegment>)>>,
}

impl Shelf {
    /// Starts with what the catalog says is sealed.
    pub fn new(store: Arc<SegmentStore>, key: IdKey, metas: Vec<SegmentMeta>, cut: Cut) -> Self {
        let segments = metas.into_iter().map(|meta| shelve(&store, &key, meta)).collect();
        let sealed = RwLock::new(Sealed { segments, cut });
        Self { store, key, tail: OpenSegment::new(), sealed, retired: Mutex::default() }
    }

    /// Returns the key that identifiers are made with.
    pub fn key(&self) -> &IdKey {
        &self.key
    }

    /// Returns the store that the segments live in.
    pub fn store(&self) -> &Arc<SegmentStore> {
        &self.store
    }

    /// Appends a durable batch to the tail.
    pub fn push(&self, batch: Arc<SequencedBatch>) {
        self.tail.push(batch);
    }

    /// Returns how many bytes the tail holds.
    pub fn tail_bytes(&self) -> u64 {
        self.tail.bytes()
    }

    /// Returns how many rows the tail holds.
    pub fn tail_rows(&self) -> u64 {
        self.tail.rows()
    }

    /// Takes a view of both. Cheap: nothing is copied.
    pub fn view(&self) -> ShelfView {
        // A seal moves rows from the tail to a segment under the write lock: no view sees a row
        // twice or not at all.
        let sealed = self.sealed.read();
        let segments = Arc::clone(&sealed.segments);
        ShelfView { sealed: segments, tail: self.tail.view(), cut: sealed.cut }
    }

    /// Shows a committed seal: the segment appears and the rows leave the tail at one moment.
    pub fn publish(&self, sealed_as: Option<SegmentMeta>, cut: Cut) {
        let added = sealed_as.map(|meta| shelve(&self.store, &self.key, meta));
        let mut sealed = self.sealed.write();
        sealed.segments = sealed.segments.iter().cloned().chain(added).collect();
        sealed.cut = cut;
        self.tail.drop_sealed(&cut);
    }

    /// Shows a committed compaction: some segments are replaced by one with the same rows.
    pub fn swap(&self, removed: &[String], added: SegmentMeta) {
        let removed: HashSet<&str> = removed.iter().map(String::as_str).collect();
        let added = shelve(&self.store, &self.key, added);
        let mut sealed = self.sealed.write();
        let (gone, kept): (Vec<_>, Vec<_>) =
            sealed.segments.iter().cloned().partition(|held| removed.contains(&*held.meta.id));
        let retired = gone.iter().map(|held| (held.meta.id.clone(), Arc::downgrade(held)));
        self.retired.lock().extend(retired);
        sealed.segments = kept.into_iter().chain([added]).collect();
    }

    /// Tells whether a view still reads a segment that was replaced: its files must stay.
    pub fn in_use(&self, id: &str) -> bool {
        let mut retired = self.retired.lock();
        retired.retain(|(_id, held)| held.strong_count() > 0);
        retired.iter().any(|(held, _segment)| held == id)
    }
}

fn shelve(store: &Arc<SegmentStore>, key: &IdKey, meta: SegmentMeta) -> Arc<ShelvedSegment> {
    let (store, meta) = (Arc::clone(store), Arc::new(meta));
    Arc::new(ShelvedSegment { meta, store, key: key.clone(), reader: Mutex::new(None) })
}
