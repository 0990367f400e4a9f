//! Seals the tail: objects first, then one catalog transaction, then the journal is cut.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use trailkeep_catalog::{
    AccountRecord, CommitOutcome, HeadRecord, Lease, RunRecord, SealCommit, SegmentRecord,
};
use trailkeep_duplicates::{Fingerprint, Known, Run, RunMeta, write_run};
use trailkeep_event::{Cut, Micros, SequencedBatch};
use trailkeep_io::yield_to_small_requests;
use trailkeep_segment::{SealOptions, SegmentMeta, seal};

use crate::disk_guard::{self, DiskState};
use crate::ending::Ending;
use crate::env::hex;
use crate::error::{Error, logged};
use crate::shared::{SealerState, Shared};
use crate::step::Step;

const TURN: Duration = Duration::from_millis(500);
/// How long a lease lasts without being renewed.
pub(crate) const LEASE_TTL: Duration = Duration::from_secs(30);
const LEASE_RENEWAL: Duration = Duration::from_secs(10);
/// A tail of so many bytes is sealed early when nothing came for `QUIET`: its part of the journal
/// is several times larger than the segment.
const QUIET_SEAL_BYTES: u64 = 4 << 20;
const QUIET: Duration = Duration::from_secs(15);
/// The most that one seal takes, in multiples of the size that asks for one.
const SEAL_FACTOR_MAX: u64 = 4;

/// Owns the lease; runs on its own thread until it is told to finish.
#[derive(Debug)]
pub(crate) struct Sealer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) lease: Lease,
    pub(crate) renewed: Duration,
    /// Since when the tail holds something.
    pub(crate) waiting_since: Option<Duration>,
    /// How much the tail held when it last changed, and when that was.
    pub(crate) changed: (u64, Duration),
}

/// What is about to be committed.
struct Prepared {
    meta: SegmentMeta,
    ids: Option<SealedIds>,
    commit: SealCommit,
}

/// The source ids of what is about to be committed.
struct SealedIds {
    /// Open already: nothing that can fail follows the commit.
    run: Arc<Run>,
    fingerprints: Vec<Fingerprint>,
}

impl Sealer {
    /// Seals until it is told to finish or the store stops.
    pub(crate) fn run(mut self) {
        let _ending = Ending::new(&self.shared, |state| state.ended = true);
        loop {
            let asked = self.shared.sealer_turn(TURN);
            disk_guard::watch(&self.shared);
            let result = self.renew().and_then(|()| self.turn(&asked));
            if let Err(error) = result {
                self.failed(&error);
                self.shared.tell_sealer(|state| state.failed = asked.asked);
                self.shared.wait_sealer(TURN, |state| state.finish);
            }
            if asked.finish || self.shared.stopped() {
                break;
            }
        }
        self.give_back();
        tracing::info!("the sealer has ended");
    }

    fn turn(&mut self, asked: &SealerState) -> Result<(), Error> {
        let rows = self.shared.shelf.tail_rows();
        let now = self.shared.env.clock.monotonic();
        if rows == 0 {
            self.waiting_since = None;
        }
        let since = *self.waiting_since.get_or_insert(now);
        let options = &self.shared.options;
        let tail_bytes = self.shared.shelf.tail_bytes();
        if self.changed.0 != tail_bytes {
            self.changed = (tail_bytes, now);
        }
        let quiet = now.saturating_sub(self.changed.1) >= QUIET;
        // Then sealing gives room back: the journal's files that it covers.
        let full = self.shared.disk_state() == DiskState::Full;
        let due = tail_bytes >= options.seal_bytes
            || (full && tail_bytes >= options.journal.file_bytes)
            || (quiet && tail_bytes >= QUIET_SEAL_BYTES)
            || now.saturating_sub(since) >= options.seal_interval;
        if rows > 0 && (due || asked.unanswered() || asked.finish) {
            self.seal_all()?;
            self.waiting_since = None;
        }
        self.shared.tell_sealer(|state| state.flushed = state.flushed.max(asked.asked));
        Ok(())
    }

    /// Seals everything that is in the tail now.
    fn seal_all(&self) -> Result<(), Error> {
        let end = self.shared.shelf.view().end();
        while !self.shared.stopped() && !reaches(&self.shared.shelf.view().cut, &end) {
            self.seal()?;
        }
        Ok(())
    }

    fn seal(&self) -> Result<(), Error> {
        let view = self.shared.shelf.view();
        let batches = front(view.tail.batches(), self.seal_bytes_max());
        Step::SealObjects.begin();
        let prepared = self.prepare_gently(&batches, view.cut)?;
        Step::SealCommit.begin();
        self.commit(&prepared.commit)?;
        Step::SealPublish.begin();
        let to = prepared.commit.to;
        if let Some(ids) = prepared.ids {
            self.shared.source_ids.sealed_as(ids.run, &ids.fingerprints);
        }
        self.shared.stats.seals.add(1);
        self.shared.stats.section_mismatches.add(u64::from(prepared.meta.mismatches));
        self.shared.shelf.publish(Some(prepared.meta), to);
        self.shared.queue.release(to);
        self.shared.tell_sealer(|state| state.seals = state.seals.saturating_add(1));
        Ok(())
    }

    /// Returns how much of the tail is sealed at once. A segment and its run are smaller than the
    /// rows that they hold, so on a full disk what the reserve gave up is room enough, and each seal
    /// gives back more than it took: the journal's files that it covers.
    fn seal_bytes_max(&self) -> u64 {
        let options = &self.shared.options;
        match self.shared.disk_state() {
            DiskState::Full => options.disk.reserve_bytes.clamp(1, options.seal_bytes.max(1)),
            DiskState::Roomy | DiskState::Tight => {
                options.seal_bytes.saturating_mul(SEAL_FACTOR_MAX)
            }
        }
    }

    /// Prepares on a thread of its own that yields to small requests. The sealer itself does not:
    /// it holds locks that the writer waits for, and watches the disk and the lease.
    fn prepare_gently(
        &self,
        batches: &[Arc<SequencedBatch>],
        from: Cut,
    ) -> Result<Prepared, Error> {
        let work = || {
            yield_to_small_requests();
            self.prepare(batches, from)
        };
        std::thread::scope(|scope| match scope.spawn(work).join() {
            Ok(prepared) => prepared,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    /// Writes the objects and says what to commit. A crash here leaves orphans.
    fn prepare(&self, batches: &[Arc<SequencedBatch>], from: Cut) -> Result<Prepared, Error> {
        let shared = &self.shared;
        let options = SealOptions { id: shared.env.random_id(), from, fault: None };
        let sealed = seal(shared.shelf.store(), &shared.id_key, batches, &options)
            .map_err(Error::segment("seal"))?;
        let ids = self.write_run(batches).inspect_err(|_error| self.discard(&sealed.meta))?;
        let segments = vec![segment_record(&sealed.meta)?];
        let runs = match &ids {
            Some(ids) => vec![run_record(ids.run.meta())?],
            None => Vec::new(),
        };
        let (heads, accounts) = heads(batches);
        let commit = SealCommit { from, to: Cut(sealed.meta.to), segments, runs, heads, accounts };
        Ok(Prepared { meta: sealed.meta, ids, commit })
    }

    /// Removes the objects of a segment that will not be committed: a disk that is nearly full must
    /// not fill up by trying again.
    fn discard(&self, meta: &SegmentMeta) {
        let store = self.shared.shelf.store();
        for key in meta.keys() {
            if let Err(error) = store.delete(key) {
                tracing::warn!(error = logged(&error), "could not remove an unused object");
            }
        }
    }

    fn write_run(&self, batches: &[Arc<SequencedBatch>]) -> Result<Option<SealedIds>, Error> {
        let shared = &self.shared;
        let mut entries = Vec::new();
        for batch in batches {
            for row in batch.batch.rows() {
                let Some((fingerprint, check)) = shared.source_key.identify(&row.row) else {
                    continue;
                };
                if let Some(entry) = batch.entry(&shared.id_key, row.ordinal) {
                    entries.push((fingerprint, Known { check, id: entry.stamp.id }));
                }
            }
        }
        if entries.is_empty() {
            return Ok(None);
        }
        let fingerprints = entries.iter().map(|(fingerprint, _known)| *fingerprint).collect();
        let id = hex(&shared.env.random_id());
        let meta = write_run(shared.env.objects.as_ref(), &id, entries)
            .map_err(Error::source_ids("extend"))?;
        let run =
            Run::open(Arc::clone(&shared.env.objects), meta).map_err(Error::source_ids("open"))?;
        Ok(Some(SealedIds { run: Arc::new(run), fingerprints }))
    }

    fn commit(&self, commit: &SealCommit) -> Result<(), Error> {
        let env = &self.shared.env;
        let outcome = env.runtime.block_on(env.catalog.commit_seal(&self.lease, commit));
        match outcome.map_err(Error::catalog("commit a seal"))? {
            CommitOutcome::Committed => Ok(()),
            // Stale means that somebody else moved the cut: as much a takeover as a newer epoch.
            CommitOutcome::Fenced | CommitOutcome::Stale => Err(Error::Fenced),
        }
    }

    fn renew(&mut self) -> Result<(), Error> {
        let env = &self.shared.env;
        let now = env.clock.monotonic();
        if now.saturating_sub(self.renewed) < LEASE_RENEWAL {
            return Ok(());
        }
        let renewal = env.catalog.renew(&self.lease, Micros(env.clock.now_micros()), LEASE_TTL);
        let renewed = env.runtime.block_on(renewal).map_err(Error::catalog("renew the lease"))?;
        self.lease = renewed.ok_or(Error::Fenced)?;
        self.renewed = now;
        Ok(())
    }

    fn give_back(&self) {
        let env = &self.shared.env;
        if let Err(error) = env.runtime.block_on(env.catalog.release(&self.lease)) {
            tracing::warn!(error = logged(&error), "could not release the lease");
        }
    }

    /// What failed before the commit is tried again; what may have been committed is not.
    fn failed(&self, error: &Error) {
        tracing::error!(error = logged(error), "could not seal");
        self.shared.stats.failures.add(1);
        if error.is_final() {
            self.shared.stop();
        }
    }
}

/// Tells whether a cut is at or behind another in every partition.
fn reaches(cut: &Cut, end: &Cut) -> bool {
    cut.0.iter().zip(end.0).all(|(cut, end)| *cut >= end)
}

/// Takes batches from the front until they have enough bytes.
fn front<'a>(
    batches: impl Iterator<Item = &'a Arc<SequencedBatch>>,
    bytes_max: u64,
) -> Vec<Arc<SequencedBatch>> {
    let mut taken = Vec::new();
    let mut bytes = 0_u64;
    for batch in batches {
        if bytes >= bytes_max {
            break;
        }
        let len = u64::try_from(batch.batch.as_bytes().len()).unwrap_or(u64::MAX);
        bytes = bytes.saturating_add(len);
        taken.push(Arc::clone(batch));
    }
    taken
}

/// Returns the heads after the batches, and the accounts that they write to.
fn heads(batches: &[Arc<SequencedBatch>]) -> (Vec<HeadRecord>, Vec<AccountRecord>) {
    let mut ends: HashMap<&str, (u64, Micros, Micros)> = HashMap::new();
    for batch in batches {
        let created_at = batch.batch.created_at();
        for (row, seq) in batch.batch.rows().zip(&batch.seqs) {
            let account_id = row.row.account_id();
            let end = ends.entry(account_id).or_insert((0, created_at, created_at));
            end.0 = end.0.max(seq.saturating_add(1));
            end.1 = end.1.max(created_at);
        }
    }
    let mut ends: Vec<_> = ends.into_iter().collect();
    ends.sort_unstable();
    let heads = ends.iter().map(|(account_id, (size, last, _first))| HeadRecord {
        account_id: (*account_id).to_owned(),
        size: *size,
        created_at: *last,
    });
    let accounts = ends.iter().map(|(account_id, (_size, _last, first))| AccountRecord {
        account_id: (*account_id).to_owned(),
        slug: (*account_id).to_owned(),
        name: None,
        created_at: *first,
    });
    (heads.collect(), accounts.collect())
}

pub(crate) fn segment_record(meta: &SegmentMeta) -> Result<SegmentRecord, Error> {
    let json = meta.to_json().map_err(Error::segment("describe"))?;
    Ok(SegmentRecord {
        id: meta.id.clone(),
        from: Cut(meta.from),
        to: Cut(meta.to),
        rows: u64::from(meta.rows),
        bytes: meta.bytes,
        min_at: Micros(meta.min_sort_at),
        max_at: Micros(meta.max_sort_at),
        meta: json,
    })
}

pub(crate) fn run_record(meta: &RunMeta) -> Result<RunRecord, Error> {
    let json = serde_json::to_string(meta)
        .map_err(|source| Error::Record { id: meta.id.clone(), source })?;
    Ok(RunRecord { id: meta.id.clone(), entries: meta.entries, bytes: meta.bytes, meta: json })
}
