//! Any order of seals and swaps by any owners.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use tempfile::TempDir;
use trailkeep_catalog::conformance::{head, run};
use trailkeep_catalog::{
    Catalog, CommitOutcome, Lease, MemoryCatalog, SealCommit, SegmentRecord, SqliteCatalog,
};
use trailkeep_event::{Cut, Micros, Partition};

#[derive(Clone, Debug)]
enum Step {
    /// An owner takes the lease if it can.
    Acquire { owner: usize, now: i64 },
    /// An owner gives it back.
    Release { owner: usize },
    /// An owner seals from the cut that it saw last, a few frames in some partitions.
    Seal { owner: usize, grown: [u8; 16], n_files: usize, look: Look },
    /// An owner replaces neighbours by one, or one that may be gone.
    Swap { owner: usize, first: usize, length: usize, look: Look },
    /// An owner replaces all runs by one.
    SwapRuns { owner: usize },
    /// Old garbage is forgotten.
    Forget { before: i64 },
}

/// Whether an owner looks at the catalog before it acts.
#[derive(Clone, Copy, Debug)]
enum Look {
    Fresh,
    Old,
}

fn look() -> impl Strategy<Value = Look> {
    prop_oneof![2 => Just(Look::Fresh), 1 => Just(Look::Old)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0..2_usize, 0..300_i64).prop_map(|(owner, now)| Step::Acquire { owner, now }),
        1 => (1..2_usize).prop_map(|owner| Step::Release { owner }),
        6 => (0..2_usize, prop::array::uniform16(0..4_u8), 1..3_usize, look())
            .prop_map(|(owner, grown, n_files, look)| Step::Seal { owner, grown, n_files, look }),
        4 => (0..2_usize, 0..8_usize, 1..5_usize, look())
            .prop_map(|(owner, first, length, look)| Step::Swap { owner, first, length, look }),
        1 => (0..2_usize).prop_map(|owner| Step::SwapRuns { owner }),
        1 => (0..40_i64).prop_map(|before| Step::Forget { before }),
    ]
}

/// What one owner believes.
#[derive(Debug, Default)]
struct Owner {
    lease: Option<Lease>,
    cut: Cut,
    segments: Vec<SegmentRecord>,
}

/// Two owners who act on one catalog.
#[derive(Debug)]
struct World<'a> {
    catalog: &'a dyn Catalog,
    owners: [Owner; 2],
    n_done: u64,
}

impl<'a> World<'a> {
    fn new(catalog: &'a dyn Catalog) -> Self {
        Self { catalog, owners: Default::default(), n_done: 0 }
    }

    fn record(&self, from: Cut, to: Cut, nth: usize, rows: u64) -> SegmentRecord {
        SegmentRecord {
            id: format!("{}-{nth}", self.n_done),
            from,
            to,
            rows,
            bytes: 1,
            min_at: Micros(0),
            max_at: Micros(1),
            meta: String::new(),
        }
    }

    async fn look(&mut self, owner: usize, look: Look) {
        if matches!(look, Look::Fresh) {
            let snapshot = self.catalog.snapshot().await.unwrap();
            self.owners[owner].cut = snapshot.cut;
            self.owners[owner].segments = snapshot.segments;
        }
    }

    /// Does a step and says what came of it.
    async fn act(&mut self, step: &Step) -> Option<CommitOutcome> {
        self.n_done += 1;
        let at = Micros(i64::try_from(self.n_done).unwrap());
        match step.clone() {
            Step::Acquire { owner, now } => {
                let name = ["a", "b"][owner];
                let ttl = Duration::from_micros(50);
                let taken = self.catalog.acquire("builder", name, Micros(now), ttl).await.unwrap();
                if taken.is_some() {
                    self.owners[owner].lease = taken;
                }
                None
            }
            Step::Release { owner } => {
                let lease = self.owners[owner].lease.clone()?;
                self.catalog.release(&lease).await.unwrap();
                None
            }
            Step::Seal { owner, grown, n_files, look } => {
                self.look(owner, look).await;
                self.seal(owner, grown, n_files).await
            }
            Step::Swap { owner, first, length, look } => {
                self.look(owner, look).await;
                self.swap(owner, first, length, at).await
            }
            Step::SwapRuns { owner } => {
                let lease = self.owners[owner].lease.clone()?;
                let runs = self.catalog.snapshot().await.unwrap().runs;
                let removed: Vec<String> = runs.into_iter().map(|run| run.id).collect();
                let added = [run(&format!("r{}", self.n_done))];
                Some(self.catalog.swap_runs(&lease, &removed, &added, at).await.unwrap())
            }
            Step::Forget { before } => {
                let garbage = self.catalog.garbage(Micros(before)).await.unwrap();
                let ids: Vec<String> = garbage.into_iter().map(|record| record.id).collect();
                self.catalog.forget_garbage(&ids).await.unwrap();
                None
            }
        }
    }

    async fn seal(
        &mut self,
        owner: usize,
        grown: [u8; 16],
        n_files: usize,
    ) -> Option<CommitOutcome> {
        let lease = self.owners[owner].lease.clone()?;
        let from = self.owners[owner].cut;
        let mut to = from;
        for partition in Partition::all() {
            let frames = u64::from(grown[partition.index()]);
            to.set(partition, from.frame(partition) + frames);
        }
        let commit = SealCommit {
            from,
            to,
            segments: (0..n_files).map(|nth| self.record(from, to, nth, 5)).collect(),
            runs: vec![run(&format!("r{}", self.n_done))],
            heads: vec![head("acme", to.0.iter().sum())],
            accounts: vec![],
        };
        Some(self.catalog.commit_seal(&lease, &commit).await.unwrap())
    }

    async fn swap(
        &mut self,
        owner: usize,
        first: usize,
        length: usize,
        at: Micros,
    ) -> Option<CommitOutcome> {
        let lease = self.owners[owner].lease.clone()?;
        let chosen: Vec<SegmentRecord> =
            self.owners[owner].segments.iter().skip(first).take(length).cloned().collect();
        let from = chosen.first()?.from;
        let to = chosen.iter().fold(from, |to, segment| Cut(max_of(to.0, segment.to.0)));
        let rows = chosen.iter().map(|segment| segment.rows).sum();
        let removed: Vec<String> = chosen.into_iter().map(|segment| segment.id).collect();
        let added = [self.record(from, to, 0, rows)];
        Some(self.catalog.swap_segments(&lease, &removed, &added, at).await.unwrap())
    }
}

fn max_of(a: [u64; 16], b: [u64; 16]) -> [u64; 16] {
    std::array::from_fn(|index| a[index].max(b[index]))
}

async fn agree(steps: &[Step]) -> Result<(), TestCaseError> {
    let folder = TempDir::new().unwrap();
    let sqlite = SqliteCatalog::open(&folder.path().join("catalog.db")).await.unwrap();
    let memory = MemoryCatalog::new();
    let mut worlds = [World::new(&sqlite), World::new(&memory)];
    let start = Step::Acquire { owner: 0, now: 0 };
    for step in std::iter::once(&start).chain(steps) {
        let before = memory.snapshot().await.unwrap();
        let [in_sqlite, in_memory] = &mut worlds;
        let outcome = in_memory.act(step).await;
        prop_assert_eq!(in_sqlite.act(step).await, outcome);
        memory.check().await.unwrap();
        let snapshot = memory.snapshot().await.unwrap();
        prop_assert_eq!(&sqlite.snapshot().await.unwrap(), &snapshot);
        prop_assert_eq!(sqlite.heads().await.unwrap(), memory.heads().await.unwrap());
        let n_rows = |segments: &[SegmentRecord]| segments.iter().map(|s| s.rows).sum::<u64>();
        match (step, outcome) {
            (Step::Seal { .. }, Some(CommitOutcome::Committed)) => {}
            (Step::Swap { .. }, Some(CommitOutcome::Committed)) => {
                prop_assert_eq!(n_rows(&snapshot.segments), n_rows(&before.segments));
            }
            (Step::SwapRuns { .. }, Some(CommitOutcome::Committed)) => {}
            _ => prop_assert_eq!(&snapshot, &before),
        }
        let late = Micros::MAX;
        prop_assert_eq!(sqlite.garbage(late).await.unwrap(), memory.garbage(late).await.unwrap());
    }
    sqlite.check().await.unwrap();
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The live segments cover exactly the frames before the cut, whoever does what in whatever
    /// order; and both catalogs give the same answers.
    #[test]
    fn segments_cover_exactly_what_is_sealed(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(agree(&steps))?;
    }
}
