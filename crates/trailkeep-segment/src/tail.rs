//! The tail: entries that are in the journal and in no segment yet.

use std::sync::Arc;

use parking_lot::RwLock;
use trailkeep_event::{Cut, EntryRef, IdKey, PARTITIONS, Position, SequencedBatch};

use crate::numbers::long;

/// How many batches a chunk holds: what a view copies at most.
const CHUNK_BATCHES: usize = 256;

type Chunk = Arc<[Arc<SequencedBatch>]>;

/// The entries that are in no segment yet, in journal order. Many threads may read while one
/// pushes.
#[derive(Debug, Default)]
pub struct OpenSegment {
    state: RwLock<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// Full chunks, shared with views.
    full: Arc<[Chunk]>,
    /// The batches after the last full chunk.
    open: Vec<Arc<SequencedBatch>>,
    /// For each partition the frame after the last one pushed.
    end: Cut,
    bytes: u64,
    rows: u64,
}

impl OpenSegment {
    /// Starts empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a batch.
    ///
    /// # Panics
    /// Where a frame of the partition comes twice or out of order: every cut would be wrong.
    pub fn push(&self, batch: Arc<SequencedBatch>) {
        let mut state = self.state.write();
        let partition = batch.partition;
        assert!(batch.frame >= state.end.frame(partition), "frames of {partition} not in order");
        state.end.set(partition, batch.frame.saturating_add(1));
        state.append(batch);
    }

    /// Returns how many bytes the batches hold.
    pub fn bytes(&self) -> u64 {
        self.state.read().bytes
    }

    /// Returns how many rows there are.
    pub fn rows(&self) -> u64 {
        self.state.read().rows
    }

    /// Returns the tail as it is now. Costs a copy of at most 256 pointers.
    pub fn view(&self) -> TailView {
        TailView { state: self.state.read().clone() }
    }

    /// Forgets the batches below a cut, once the catalog says that they are sealed. Views that
    /// were taken before keep them.
    pub fn drop_sealed(&self, cut: &Cut) {
        let mut state = self.state.write();
        let mut kept = State { end: state.end, ..State::default() };
        for batch in state.batches() {
            if batch.frame >= cut.frame(batch.partition) {
                kept.append(Arc::clone(batch));
            }
        }
        *state = kept;
    }
}

impl State {
    fn append(&mut self, batch: Arc<SequencedBatch>) {
        self.bytes = self.bytes.saturating_add(batch_bytes(&batch));
        self.rows = self.rows.saturating_add(long(batch.batch.n_rows()));
        self.open.push(batch);
        if self.open.len() >= CHUNK_BATCHES {
            let chunk: Chunk = std::mem::take(&mut self.open).into();
            self.full = self.full.iter().cloned().chain([chunk]).collect();
        }
    }

    fn batches(&self) -> impl Iterator<Item = &Arc<SequencedBatch>> {
        self.full.iter().flat_map(|chunk| chunk.iter()).chain(&self.open)
    }
}

fn batch_bytes(batch: &SequencedBatch) -> u64 {
    long(batch.batch.as_bytes().len()).saturating_add(long(batch.seqs.len()).saturating_mul(8))
}

/// The tail as it was at one moment.
#[derive(Clone, Debug)]
pub struct TailView {
    state: State,
}

impl TailView {
    /// Returns the batches, in journal order.
    pub fn batches(&self) -> impl Iterator<Item = &Arc<SequencedBatch>> {
        self.state.batches()
    }

    /// Returns the batches below a cut: what [`crate::seal`] takes.
    pub fn up_to(&self, cut: &Cut) -> Vec<Arc<SequencedBatch>> {
        let below = |batch: &&Arc<SequencedBatch>| batch.frame < cut.frame(batch.partition);
        self.batches().filter(below).cloned().collect()
    }

    /// Returns the cut after the last batch. Partitions without batches stand where they stood.
    pub fn end(&self, from: &Cut) -> Cut {
        let mut end = *from;
        for index in 0..PARTITIONS {
            if let (Some(slot), Some(pushed)) = (end.0.get_mut(index), self.state.end.0.get(index))
            {
                *slot = (*slot).max(*pushed);
            }
        }
        end
    }

    /// Returns how many bytes the batches hold.
    pub fn bytes(&self) -> u64 {
        self.state.bytes
    }

    /// Returns how many rows there are.
    pub fn rows(&self) -> u64 {
        self.state.rows
    }

    /// Returns every entry, in journal order.
    pub fn entries<'a>(&'a self, key: &'a IdKey) -> impl Iterator<Item = EntryRef<'a>> {
        self.batches().flat_map(move |batch| batch.entries(key).map(|(entry, _)| entry))
    }

    /// Finds the entry at a position. Costs a look at every batch.
    pub fn find(&self, key: &IdKey, position: Position) -> Option<EntryRef<'_>> {
        let batch = self
            .batches()
            .find(|batch| batch.partition == position.partition && batch.frame == position.frame)?;
        batch.entry(key, position.ordinal).map(|(entry, _)| entry)
    }
}
