//! The store as its callers see it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;
use trailkeep_catalog::{Catalog, StoreIdentity};
use trailkeep_event::{
    Field, Micros, RecordError, Recorder, Row, RowBuilder, SCHEMA_VERSION, SYSTEM_ACCOUNT,
    SequencedBatch, SystemCategory, ValueRef,
};
use trailkeep_journal::CutNote;
use trailkeep_redact::Masked;
use trailkeep_scope::WriteScope;
use trailkeep_segment::Shelf;

use crate::admit::Admitted;
use crate::answer::Answer;
use crate::charge::Charge;
use crate::disk_guard::DiskState;
use crate::error::{Error, Unavailable};
use crate::open::CLOSE_PATIENCE;
use crate::options::StoreOptions;
use crate::queue::Refusal;
use crate::shared::{SealerState, Shared};
use crate::stats::Stats;
use crate::submission::{Pending, row_bytes};

/// The line in which `system` entries wait.
const SYSTEM_KEY: &str = "_trailkeep";

/// A submission of at most so many bytes is a small one: it never waits for sealing.
const SMALL_BYTES_MAX: usize = 64 * 1024;
/// How often a bulk submission looks whether sealing has caught up, and how many times.
const BULK_TURN: Duration = Duration::from_millis(20);
const BULK_TURNS_MAX: u32 = 500;

/// Who submits, and what it may write.
#[derive(Clone, Debug)]
pub struct Submitter {
    /// The key's identifier: its line in the queue and its quota.
    pub key_id: Arc<str>,
    /// What it may write.
    pub scope: Arc<WriteScope>,
}

/// An open store. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
    identity: Arc<StoreIdentity>,
}

/// Keeps replaced files while it lives, so that a copy of them can be finished.
#[derive(Debug)]
pub struct Pin {
    shared: Arc<Shared>,
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.shared.tell_sealer(|state| state.pins = state.pins.saturating_sub(1));
    }
}

impl Store {
    pub(crate) fn new(shared: Arc<Shared>, identity: StoreIdentity) -> Self {
        Self { shared, identity: Arc::new(identity) }
    }

    /// Writes admitted events and answers once they are durable and visible.
    ///
    /// # Errors
    /// Where nothing may be assumed stored: quotas, full queues, a full disk, a stopped store.
    pub async fn submit(
        &self,
        submitter: &Submitter,
        events: Vec<Admitted>,
    ) -> Result<Answer, Unavailable> {
        self.wait_for_seals(&events).await?;
        let charge = self
            .check_room()
            .and_then(|()| Charge::new(&self.shared, submitter, &events))
            .inspect_err(|_unavailable| self.shared.stats.refused.add(1))?;
        let key_id = Arc::clone(&submitter.key_id);
        let answer = match self.enqueue(key_id, submitter.scope.accounts_create, events) {
            Ok(answered) => answered.await.unwrap_or(Err(Unavailable::Stopped)),
            Err(unavailable) => Err(unavailable),
        };
        if answer.is_err() {
            charge.give_back();
        }
        answer
    }

    fn enqueue(
        &self,
        key_id: Arc<str>,
        accounts_create: bool,
        events: Vec<Admitted>,
    ) -> Result<tokio::sync::oneshot::Receiver<Result<Answer, Unavailable>>, Unavailable> {
        let (pending, answered) = Pending::new(key_id, accounts_create, events);
        self.shared.queue.push(pending).map_err(|refusal| {
            self.shared.stats.refused.add(1);
            match refusal {
                Refusal::KeyFull => Unavailable::KeyBusy,
                Refusal::Full => Unavailable::Busy,
                Refusal::Closed if self.shared.stopped() => Unavailable::Stopped,
                Refusal::Closed => Unavailable::Closing,
            }
        })?;
        Ok(answered)
    }

    /// Lets a bulk submission wait while sealing is behind, so that what room is left is for small
    /// ones, and so that a load goes on at the speed of sealing instead of by refusals.
    ///
    /// What waits here counts against a limit of its own: no more waits than the queue may hold.
    async fn wait_for_seals(&self, events: &[Admitted]) -> Result<(), Unavailable> {
        let bytes: usize = events.iter().flatten().map(row_bytes).fold(0, usize::saturating_add);
        let bulk_bytes_max = self.shared.options.tail_bytes_max / 4 * 3;
        let behind = || self.shared.shelf.tail_bytes() >= bulk_bytes_max;
        if bytes <= SMALL_BYTES_MAX || !behind() {
            return Ok(());
        }
        let _parked = self.shared.park(bytes).ok_or(Unavailable::Busy)?;
        for _turn in 0..BULK_TURNS_MAX {
            if !behind() || self.shared.queue.is_closed() {
                break;
            }
            tokio::time::sleep(BULK_TURN).await;
        }
        Ok(())
    }

    fn check_room(&self) -> Result<(), Unavailable> {
        if self.shared.stopped() {
            return Err(Unavailable::Stopped);
        }
        if self.shared.disk_state() == DiskState::Full {
            return Err(Unavailable::DiskFull);
        }
        if self.shared.shelf.tail_bytes() >= self.shared.options.tail_bytes_max {
            return Err(Unavailable::Busy);
        }
        Ok(())
    }

    /// Returns how the store behaves.
    pub fn options(&self) -> &StoreOptions {
        &self.shared.options
    }

    /// Returns what can be read.
    pub fn shelf(&self) -> &Arc<Shelf> {
        &self.shared.shelf
    }

    /// Returns what the store remembers.
    pub fn catalog(&self) -> &Arc<dyn Catalog> {
        &self.shared.env.catalog
    }

    /// Returns what makes the store this store.
    pub fn identity(&self) -> &StoreIdentity {
        &self.identity
    }

    /// Returns the counters.
    pub fn stats(&self) -> &Stats {
        &self.shared.stats
    }

    /// Returns the present sizes.
    pub fn gauges(&self) -> Gauges {
        let view = self.shared.shelf.view();
        Gauges {
            queue_bytes: n_u64(self.shared.queue.bytes()),
            tail_bytes: view.tail.bytes(),
            tail_rows: view.tail.rows(),
            segments: n_u64(view.sealed.len()),
            sealed_rows: view.sealed.iter().map(|segment| u64::from(segment.meta().rows)).sum(),
            sealed_bytes: view.sealed.iter().map(|segment| segment.meta().bytes).sum(),
            accounts: n_u64(self.shared.accounts.len()),
            recent_source_ids: n_u64(self.shared.source_ids.n_recent()),
            disk: self.shared.disk_state(),
            stopped: self.shared.stopped(),
        }
    }

    /// Tells whether the store refuses writes until it is restarted.
    pub fn is_stopped(&self) -> bool {
        self.shared.stopped()
    }

    /// Follows the batches that become durable from now on.
    pub fn follow(&self) -> broadcast::Receiver<Arc<SequencedBatch>> {
        self.shared.live.subscribe()
    }

    /// Seals what the tail holds now. Blocks.
    ///
    /// # Errors
    /// Where the store has stopped or sealing fails.
    pub fn flush(&self) -> Result<(), Error> {
        let ticket = self.shared.tell_sealer(|state| {
            state.asked = state.asked.saturating_add(1);
            state.asked
        });
        let answered = |state: &SealerState| state.flushed.max(state.failed) >= ticket;
        self.shared.wait_sealer(CLOSE_PATIENCE, |state| answered(state) || state.ended);
        let state = self.shared.tell_sealer(|state| *state);
        if self.shared.stopped() {
            return Err(Error::Stopped);
        }
        let sealed = state.flushed >= ticket || self.shared.shelf.tail_rows() == 0;
        if sealed { Ok(()) } else { Err(Error::Unsealed) }
    }

    /// Keeps replaced files until the pin is dropped.
    pub fn pin(&self) -> Pin {
        self.shared.tell_sealer(|state| state.pins = state.pins.saturating_add(1));
        Pin { shared: Arc::clone(&self.shared) }
    }

    /// Takes no more events, writes and seals what waits, and ends the threads. Blocks.
    ///
    /// # Errors
    /// Where it does not end in time, the store had stopped or sealing fails: the journal holds
    /// what is not sealed.
    pub fn close(&self) -> Result<(), Error> {
        self.shared.queue.close();
        let written = self.shared.wait_sealer(CLOSE_PATIENCE, |state| state.writer_ended);
        self.shared.tell_sealer(|state| state.finish = true);
        let sealed = self.shared.wait_sealer(CLOSE_PATIENCE, |state| state.ended);
        if !written || !sealed || self.shared.stopped() {
            return Err(Error::Stopped);
        }
        if self.shared.shelf.tail_rows() > 0 { Err(Error::Unsealed) } else { Ok(()) }
    }

    /// Records what the doctor cut from a damaged journal, then forgets the note.
    pub(crate) fn record_cuts(&self, cuts: &[CutNote]) {
        for cut in cuts {
            let detail = format!(
                "{{\"bytes\":{},\"file\":\"{}\",\"frames\":{},\"offset\":{},\"write\":{}}}",
                cut.bytes,
                cut.file_name(),
                cut.frames,
                cut.offset,
                cut.write
            );
            let row = self.system_event("journal.tail_cut", "critical", &detail);
            if self.record(row).is_err() {
                return;
            }
        }
        if !cuts.is_empty() {
            self.shared.queue.forget_cuts();
        }
    }

    /// Makes the row of a `system` entry about the store itself; `metadata` is canonical JSON.
    pub fn system_event(&self, action: &str, severity: &str, metadata: &str) -> Row {
        let mut builder = RowBuilder::default();
        builder.set(Field::AccountId, ValueRef::Text(SYSTEM_ACCOUNT));
        builder.set(Field::Action, ValueRef::Text(action));
        let now = Micros(self.shared.env.clock.now_micros());
        builder.set(Field::OccurredAt, ValueRef::Time(now));
        builder.set(Field::Category, ValueRef::Text(SystemCategory::WORD));
        builder.set(Field::Outcome, ValueRef::Text("success"));
        builder.set(Field::Severity, ValueRef::Text(severity));
        builder.set(Field::ActorType, ValueRef::Text("system"));
        builder.set(Field::ActorId, ValueRef::Text("trailkeep"));
        builder.set(Field::Schema, ValueRef::Int(SCHEMA_VERSION));
        builder.set(Field::Metadata, ValueRef::Json(metadata));
        builder.finish()
    }
}

impl Recorder for Store {
    fn record(&self, event: Row) -> Result<(), RecordError> {
        let masked = Masked::new(event);
        let answered = self
            .enqueue(Arc::from(SYSTEM_KEY), true, vec![Ok(masked)])
            .map_err(|_unavailable| RecordError::Unavailable)?;
        match answered.blocking_recv() {
            Ok(Ok(_answer)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(RecordError::Unavailable),
        }
    }
}

/// The store's present sizes.
#[derive(Clone, Copy, Debug)]
pub struct Gauges {
    /// Bytes that wait for the writer.
    pub queue_bytes: u64,
    /// Bytes that are not sealed.
    pub tail_bytes: u64,
    /// Rows that are not sealed.
    pub tail_rows: u64,
    /// Sealed segments.
    pub segments: u64,
    /// Rows in sealed segments.
    pub sealed_rows: u64,
    /// Bytes of sealed segments.
    pub sealed_bytes: u64,
    /// Accounts that exist.
    pub accounts: u64,
    /// Source ids that are not sealed.
    pub recent_source_ids: u64,
    /// How much room the disk has.
    pub disk: DiskState,
    /// Whether the store refuses writes until it is restarted.
    pub stopped: bool,
}

fn n_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// How long to wait before trying again after a refusal that names no time.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);
