//! Merges small segments and runs, and removes what nothing needs any more.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStoreExt;
use trailkeep_catalog::{CommitOutcome, GarbageKind, GarbageRecord, Lease};
use trailkeep_duplicates::{RUN_ENTRIES_MAX, Run, RunMeta, merge_runs};
use trailkeep_event::Micros;
use trailkeep_segment::{SegmentMeta, merge};

use crate::ending::Ending;
use crate::env::hex;
use crate::error::{Error, logged};
use crate::sealer::{run_record, segment_record};
use crate::shared::{SealerState, Shared};
use crate::step::Step;

/// How long it rests where nothing is sealed.
const TURN: Duration = Duration::from_millis(500);
/// While events come fast, merging waits for so many times the segments of one merge.
const WAITING_FACTOR_MAX: usize = 6;
/// How long a chore rests after it failed.
const REST: Duration = Duration::from_secs(30);
const GARBAGE_TURN: Duration = Duration::from_secs(10);
/// How many runs there may be before the smallest are merged.
const RUNS_MAX: usize = 8;

/// Runs on its own thread, beside the sealer, until the store closes.
#[derive(Debug)]
pub(crate) struct Compactor {
    pub(crate) shared: Arc<Shared>,
    /// Only its epoch counts: a commit of a fenced node changes nothing.
    pub(crate) lease: Lease,
    pub(crate) collected: Duration,
    /// Until when each chore rests because it failed.
    pub(crate) resting_until: [Duration; 4],
    /// The segments that were found without their index when the store was opened.
    pub(crate) without_index: Vec<String>,
}

/// What there is to do, one independent of the other.
#[derive(Clone, Copy, Debug)]
enum Chore {
    Segments,
    Runs,
    Garbage,
    Indexes,
}

impl Chore {
    const ALL: [Self; 4] = [Self::Segments, Self::Runs, Self::Garbage, Self::Indexes];

    fn index(self) -> usize {
        match self {
            Self::Segments => 0,
            Self::Runs => 1,
            Self::Garbage => 2,
            Self::Indexes => 3,
        }
    }
}

impl Compactor {
    /// Works until the store closes.
    pub(crate) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let _ending = Ending::new(&shared, |_state| {});
        let mut seals = 0;
        loop {
            let woken =
                |state: &SealerState| state.finish || state.seals > seals || shared.stopped();
            shared.wait_sealer(TURN, woken);
            let state = shared.tell_sealer(|state| *state);
            if state.finish || shared.stopped() {
                break;
            }
            seals = state.seals;
            self.turn();
        }
        tracing::info!("the compactor has ended");
    }

    fn failed(&self, error: &Error) {
        if matches!(error, Error::Fenced) && self.shared.tell_sealer(|state| state.finish) {
            // The sealer gave the lease back while this was at work: what it made is an orphan.
            return;
        }
        tracing::error!(error = logged(error), "could not compact");
        self.shared.stats.failures.add(1);
        if error.is_final() {
            self.shared.stop();
        }
    }

    /// Does each kind of work, whatever became of the others. What failed rests for a while: a
    /// damaged input would fail again at once.
    fn turn(&mut self) {
        let now = self.shared.env.clock.monotonic();
        for (chore, resting_until) in Chore::ALL.into_iter().zip(self.resting_until) {
            if now < resting_until {
                continue;
            }
            let result = match chore {
                Chore::Segments => self.segments(),
                Chore::Runs => self.runs(),
                Chore::Garbage => self.garbage(),
                Chore::Indexes => self.indexes(),
            };
            if let Err(error) = result {
                self.failed(&error);
                if let Some(slot) = self.resting_until.get_mut(chore.index()) {
                    *slot = now.saturating_add(REST);
                }
            }
        }
    }

    /// Tells whether merging can wait: events come fast, and there are not too many segments yet.
    /// A load goes on at the speed of sealing and is merged once, when it is over.
    fn can_wait(&self, n_segments: usize) -> bool {
        let options = &self.shared.options;
        let segments_max = options.compaction.inputs_min.saturating_mul(WAITING_FACTOR_MAX);
        let busy = self.shared.shelf.tail_bytes() >= options.seal_bytes / 2;
        busy && n_segments < segments_max
    }

    fn segments(&self) -> Result<(), Error> {
        let shared = &self.shared;
        let view = shared.shelf.view();
        if self.can_wait(view.sealed.len()) {
            return Ok(());
        }
        let metas: Vec<Arc<SegmentMeta>> =
            view.sealed.iter().map(|segment| Arc::clone(segment.meta())).collect();
        let compaction = &shared.options.compaction;
        let inputs = compaction.pick(&metas).or_else(|| compaction.settle(&metas));
        let Some(inputs) = inputs else { return Ok(()) };
        Step::CompactObjects.begin();
        let stop = || shared.stopped() || shared.tell_sealer(|state| state.finish);
        let (store, key) = (shared.shelf.store(), &shared.id_key);
        let merged = match merge(store, key, &inputs, shared.env.random_id(), &stop) {
            // The store closes; what was written is an orphan.
            Err(trailkeep_segment::Error::Stopped { .. }) => return Ok(()),
            merged => merged.map_err(Error::segment("merge"))?,
        };
        let removed: Vec<String> = inputs.iter().map(|meta| meta.id.clone()).collect();
        let added = [segment_record(&merged)?];
        Step::CompactCommit.begin();
        let swap = shared.env.catalog.swap_segments(&self.lease, &removed, &added, self.now());
        committed(shared.env.runtime.block_on(swap))?;
        shared.shelf.swap(&removed, merged);
        shared.stats.compactions.add(1);
        Ok(())
    }

    fn runs(&self) -> Result<(), Error> {
        let shared = &self.shared;
        let runs = shared.source_ids.runs();
        let inputs = pick_runs(&runs);
        if inputs.len() < 2 {
            return Ok(());
        }
        let id = hex(&shared.env.random_id());
        let parts: Vec<&Run> = inputs.iter().map(AsRef::as_ref).collect();
        let merged = merge_runs(shared.env.objects.as_ref(), &id, &parts)
            .map_err(Error::source_ids("merge"))?;
        // Opened before the commit: nothing that can fail follows it.
        let merged = Run::open(Arc::clone(&shared.env.objects), merged)
            .map_err(Error::source_ids("open"))?;
        let removed: Vec<String> = inputs.iter().map(|run| run.meta().id.clone()).collect();
        let added = [run_record(merged.meta())?];
        let swap = shared.env.catalog.swap_runs(&self.lease, &removed, &added, self.now());
        committed(shared.env.runtime.block_on(swap))?;
        shared.source_ids.swap_runs(&removed, Arc::new(merged));
        Ok(())
    }

    /// Removes files that were replaced long enough ago.
    fn garbage(&mut self) -> Result<(), Error> {
        let shared = &self.shared;
        let now = shared.env.clock.monotonic();
        if now.saturating_sub(self.collected) < GARBAGE_TURN.min(shared.options.garbage_delay) {
            return Ok(());
        }
        self.collected = now;
        let delay = i64::try_from(shared.options.garbage_delay.as_micros()).unwrap_or(i64::MAX);
        let before = self.now().plus(delay.saturating_neg());
        let mut garbage = shared
            .env
            .runtime
            .block_on(shared.env.catalog.garbage(before))
            .map_err(Error::catalog("list replaced files"))?;
        garbage.retain(|record| !shared.shelf.in_use(&record.id));
        if garbage.is_empty() || shared.tell_sealer(|state| state.pins > 0) {
            return Ok(());
        }
        Step::Garbage.begin();
        for record in &garbage {
            remove(shared, record)?;
        }
        let ids: Vec<String> = garbage.into_iter().map(|record| record.id).collect();
        shared
            .env
            .runtime
            .block_on(shared.env.catalog.forget_garbage(&ids))
            .map_err(Error::catalog("forget removed files"))
    }

    /// Makes one lost index again. Where that fails, the next start tries again; queries read every
    /// page until then.
    fn indexes(&mut self) -> Result<(), Error> {
        let Some(id) = self.without_index.pop() else { return Ok(()) };
        let view = self.shared.shelf.view();
        let Some(segment) = view.sealed.iter().find(|segment| segment.meta().id == id) else {
            return Ok(());
        };
        let rebuilt = segment.reader().and_then(|reader| reader.rebuild_index());
        rebuilt.map_err(Error::segment("make the index again of"))
    }

    fn now(&self) -> Micros {
        Micros(self.shared.env.clock.now_micros())
    }
}

/// Says what became of a swap of files.
pub(crate) fn committed(
    outcome: Result<CommitOutcome, trailkeep_catalog::Error>,
) -> Result<(), Error> {
    match outcome.map_err(Error::catalog("replace files"))? {
        CommitOutcome::Committed => Ok(()),
        CommitOutcome::Fenced | CommitOutcome::Stale => Err(Error::Fenced),
    }
}

/// Picks the smallest runs where there are too many, as many as fit in one.
fn pick_runs(runs: &[Arc<Run>]) -> Vec<Arc<Run>> {
    let entries_max = u64::try_from(RUN_ENTRIES_MAX).unwrap_or(u64::MAX);
    let mut small: Vec<&Arc<Run>> =
        runs.iter().filter(|run| run.meta().entries < entries_max / 2).collect();
    if small.len() <= RUNS_MAX {
        return Vec::new();
    }
    small.sort_by_key(|run| run.meta().entries);
    let mut entries = 0_u64;
    small.retain(|run| {
        entries = entries.saturating_add(run.meta().entries);
        entries <= entries_max
    });
    small.into_iter().cloned().collect()
}

fn remove(shared: &Shared, record: &GarbageRecord) -> Result<(), Error> {
    let unreadable = |source| Error::Record { id: record.id.clone(), source };
    match record.kind {
        GarbageKind::Segment => {
            let meta: SegmentMeta = serde_json::from_str(&record.meta).map_err(unreadable)?;
            for key in meta.keys() {
                let store = shared.shelf.store();
                store.delete(key).map_err(Error::segment("remove"))?;
            }
            Ok(())
        }
        GarbageKind::Run => {
            let meta: RunMeta = serde_json::from_str(&record.meta).map_err(unreadable)?;
            let path = object_store::path::Path::from(meta.key.as_str());
            match shared.env.runtime.block_on(shared.env.objects.delete(&path)) {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(source) => {
                    let source = trailkeep_duplicates::Error::Write { run: meta.id, source };
                    Err(Error::source_ids("remove a part of")(source))
                }
            }
        }
    }
}
