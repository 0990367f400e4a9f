//! The tail: entries that are in the journal and in no segment yet.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use parking_lot::RwLock;
use trailkeep_event::{
    Cut, EntryRef, IdKey, Micros, PARTITIONS, Partition, Position, SequencedBatch, Stamp,
};

use crate::ScanPlan;
use crate::numbers::long;

/// How many batches a chunk holds: what a view copies at most, and what a query skips at once.
const CHUNK_BATCHES: usize = 256;
/// The most accounts of a batch that are remembered apart from its rows.
const ACCOUNTS_MAX: usize = 16;

/// The entries that are in no segment yet, in journal order. Many threads may read while one
/// pushes.
#[derive(Debug, Default)]
pub struct OpenSegment {
    state: RwLock<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// Full chunks, shared with views.
    full: Arc<[Arc<Chunk>]>,
    /// The batches after the last full chunk.
    open: Vec<Arc<Held>>,
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
        let (partition, frame) = (batch.partition, batch.frame);
        let held = Arc::new(Held::of(batch));
        let mut state = self.state.write();
        assert!(frame >= state.end.frame(partition), "frames of {partition} not in order");
        state.end.set(partition, frame.saturating_add(1));
        state.append(held);
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
        for held in state.held() {
            if held.batch.frame >= cut.frame(held.batch.partition) {
                kept.append(Arc::clone(held));
            }
        }
        *state = kept;
    }
}

impl State {
    fn append(&mut self, held: Arc<Held>) {
        self.bytes = self.bytes.saturating_add(batch_bytes(&held.batch));
        self.rows = self.rows.saturating_add(long(held.batch.batch.n_rows()));
        self.open.push(held);
        if self.open.len() >= CHUNK_BATCHES {
            let times = times_of(&self.open);
            let chunk = Arc::new(Chunk { held: std::mem::take(&mut self.open), times });
            self.full = self.full.iter().cloned().chain([chunk]).collect();
        }
    }

    fn held(&self) -> impl Iterator<Item = &Arc<Held>> {
        self.full.iter().flat_map(|chunk| &chunk.held).chain(&self.open)
    }

    /// Returns the batches of a chunk; those after the last full one are one, too.
    fn chunk(&self, number: usize) -> &[Arc<Held>] {
        match self.full.get(number) {
            Some(chunk) => &chunk.held,
            None if number == self.full.len() => &self.open,
            None => &[],
        }
    }
}

/// A full run of neighbouring batches.
#[derive(Debug)]
struct Chunk {
    held: Vec<Arc<Held>>,
    times: RangeInclusive<Micros>,
}

/// Returns the times that the rows of some batches sort at.
fn times_of(batches: &[Arc<Held>]) -> RangeInclusive<Micros> {
    let first = batches.iter().map(|held| *held.times.start()).min();
    let last = batches.iter().map(|held| *held.times.end()).max();
    first.unwrap_or(Micros(i64::MAX))..=last.unwrap_or(Micros(i64::MIN))
}

/// A batch, and what tells that a query need not look at its rows.
#[derive(Debug)]
struct Held {
    batch: Arc<SequencedBatch>,
    partition: Partition,
    /// The times that its rows sort at.
    times: RangeInclusive<Micros>,
    /// The accounts of its rows; `None` where they are too many.
    accounts: Option<Vec<Box<str>>>,
}

impl Held {
    /// Costs some 30 ns a row.
    fn of(batch: Arc<SequencedBatch>) -> Self {
        let created_at = batch.batch.created_at();
        let (mut first, mut last) = (Micros(i64::MAX), Micros(i64::MIN));
        let mut accounts: Option<Vec<Box<str>>> = Some(Vec::new());
        for row in batch.batch.rows() {
            let occurred_at = row.row.occurred_at();
            let skewed = Stamp::skewed(occurred_at, created_at);
            let sort_at = if skewed { created_at } else { occurred_at };
            (first, last) = (first.min(sort_at), last.max(sort_at));
            let Some(known) = &mut accounts else { continue };
            let account = row.row.account_id();
            if !known.iter().any(|other| **other == *account) {
                known.push(account.into());
            }
            accounts = accounts.filter(|known| known.len() <= ACCOUNTS_MAX);
        }
        Self { partition: batch.partition, batch, times: first..=last, accounts }
    }

    fn may_hold(&self, plan: &ScanPlan<'_>) -> bool {
        overlaps(&self.times, plan)
            && match (plan.accounts, &self.accounts) {
                (Some(wanted), Some(held)) => {
                    held.iter().any(|account| wanted.contains(&**account))
                }
                (None, _) | (_, None) => true,
            }
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
        self.state.held().map(|held| &held.batch)
    }

    /// Returns for each chunk, a run of at most 256 neighbouring batches, the first and the last
    /// time that its rows sort at.
    pub fn chunks(&self) -> impl Iterator<Item = RangeInclusive<Micros>> {
        let open = Some(times_of(&self.state.open)).filter(|times| !times.is_empty());
        self.state.full.iter().map(|chunk| chunk.times.clone()).chain(open)
    }

    /// Returns the batches that may hold rows of the plan's accounts and window, in journal
    /// order. The plan's own fields are not looked at, and no row is.
    pub fn candidates<'a, 'p>(
        &'a self,
        plan: &ScanPlan<'p>,
    ) -> impl Iterator<Item = &'a Arc<SequencedBatch>> + use<'a, 'p> {
        let plan = *plan;
        let inside = move |times: &RangeInclusive<Micros>| overlaps(times, &plan);
        let numbers = (0..).zip(self.chunks()).filter(move |(_number, times)| inside(times));
        numbers
            .flat_map(move |(number, _)| self.candidates_in(number, &plan))
            .map(|(batch, _times)| batch)
    }

    /// Returns the batches of a chunk that may hold rows of the plan's accounts and window, each
    /// with the first and the last time that its rows sort at.
    ///
    /// Costs some 20 ns a batch.
    pub fn candidates_in<'a, 'p>(
        &'a self,
        chunk: usize,
        plan: &ScanPlan<'p>,
    ) -> impl Iterator<Item = (&'a Arc<SequencedBatch>, RangeInclusive<Micros>)> + use<'a, 'p> {
        let plan = *plan;
        let partitions = plan.accounts.map(partitions_of);
        let wanted = move |partition: Partition| {
            partitions.is_none_or(|wanted| wanted.get(partition.index()) == Some(&true))
        };
        let held = self.state.chunk(chunk).iter();
        held.filter(move |held| wanted(held.partition) && held.may_hold(&plan))
            .map(|held| (&held.batch, held.times.clone()))
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
        self.batches().flat_map(move |batch| batch.entries(key))
    }

    /// Finds the entry at a position. Costs a look at every batch.
    pub fn find(&self, key: &IdKey, position: Position) -> Option<EntryRef<'_>> {
        let batch = self
            .batches()
            .find(|batch| batch.partition == position.partition && batch.frame == position.frame)?;
        batch.entry(key, position.ordinal)
    }
}

fn overlaps(times: &RangeInclusive<Micros>, plan: &ScanPlan<'_>) -> bool {
    plan.from.is_none_or(|from| *times.end() >= from)
        && plan.to.is_none_or(|to| *times.start() < to)
}

/// Returns for each partition whether one of the accounts lives in it.
fn partitions_of(accounts: &BTreeSet<String>) -> [bool; PARTITIONS] {
    let mut partitions = [false; PARTITIONS];
    for account in accounts {
        if let Some(slot) = partitions.get_mut(Partition::of_account(account).index()) {
            *slot = true;
        }
    }
    partitions
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailkeep_event::Row;
    use trailkeep_testkit::{batch_of, row_of};

    /// Pushes 600 batches, one account each, a second apart.
    fn tail() -> OpenSegment {
        let tail = OpenSegment::new();
        let mut frames = [0; PARTITIONS];
        for n in 0..600_i64 {
            let account = format!("account-{}", n % 30);
            let at = Micros(n * 1_000_000);
            let row: Row = row_of(&format!(
                "{{\"account_id\":\"{account}\",\"action\":\"a\",\"occurred_at\":\"{at}\"}}"
            ));
            let partition = Partition::of_account(&account);
            let frame = frames[partition.index()];
            frames[partition.index()] += 1;
            let (batch, seqs) = (batch_of(&[row], at), vec![0].into());
            tail.push(Arc::new(SequencedBatch { partition, frame, batch, seqs }));
        }
        tail
    }

    #[test]
    fn queries_skip_batches_by_account_and_time() {
        let view = tail().view();
        let chunks: Vec<RangeInclusive<Micros>> = view.chunks().collect();
        assert_eq!(chunks.len(), 3);
        assert_eq!(chunks[1], Micros(256_000_000)..=Micros(511_000_000));
        let one: BTreeSet<String> = BTreeSet::from(["account-7".to_owned()]);
        let at = |seconds: i64| Some(Micros(seconds * 1_000_000));
        for (accounts, from, to, n_batches) in [
            (None, None, None, 600),
            (Some(&one), None, None, 20),
            (Some(&one), at(300), None, 10),
            (None, at(10), at(20), 10),
            (None, at(600), None, 0),
        ] {
            let plan = ScanPlan { accounts, from, to, fields: &[] };
            assert_eq!(view.candidates(&plan).count(), n_batches, "{plan:?}");
            let by_chunk: usize = (0..4).map(|n| view.candidates_in(n, &plan).count()).sum();
            assert_eq!(by_chunk, n_batches, "{plan:?}");
        }
    }

    #[test]
    fn a_batch_of_many_accounts_may_hold_any() {
        let rows: Vec<Row> = (0..=ACCOUNTS_MAX)
            .map(|n| {
                row_of(&format!(
                    "{{\"account_id\":\"a{n}\",\"action\":\"a\",\"occurred_at\":\
                     \"2026-01-01T00:00:00Z\"}}"
                ))
            })
            .collect();
        let held = |rows: &[Row]| {
            let (batch, seqs) = (batch_of(rows, Micros(0)), vec![0; rows.len()].into());
            let partition = Partition::of_account("x");
            Held::of(Arc::new(SequencedBatch { partition, frame: 0, batch, seqs }))
        };
        let one: BTreeSet<String> = BTreeSet::from(["x".to_owned()]);
        let plan = ScanPlan { accounts: Some(&one), from: None, to: None, fields: &[] };
        assert!(held(&rows).may_hold(&plan));
        assert!(!held(&rows[1..]).may_hold(&plan));
        // All are ahead of the clock: they sort at the time they were admitted.
        assert_eq!(held(&rows).times, Micros(0)..=Micros(0));
    }
}
