//! The one writer: forms groups, decides duplicates, appends, sequences, answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use trailkeep_duplicates::{Fingerprint, Known};
use trailkeep_event::{
    EventId, Micros, PARTITIONS, Partition, Position, Rejection, RejectionCode, SequencedBatch,
};
use trailkeep_journal::{Journal, JournalBatch};
use trailkeep_ledger::{Heads, sequence};
use trailkeep_redact::{Masked, MaskedBatch};

use crate::admit::Admitted;
use crate::ending::Ending;
use crate::error::{Unavailable, logged};
use crate::queue::{Chore, Turn, Work};
use crate::recent::Seen;
use crate::shared::Shared;
use crate::step::Step;
use crate::submission::row_bytes;

const PATIENCE: Duration = Duration::from_millis(500);

/// Owns the journal and the heads; runs on its own thread until the queue ends.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) journal: Journal,
    pub(crate) heads: Heads,
    /// The last admission time: it never goes back, whatever the clock does.
    pub(crate) created_at: Micros,
}

/// An event of the group: whose it is and where it will be.
struct Placed {
    turn: usize,
    position: Position,
}

/// A group under construction.
struct Group {
    created_at: Micros,
    batches: [Option<MaskedBatch>; PARTITIONS],
    placed: Vec<Placed>,
    /// What was remembered for this group, to be forgotten if it cannot be written.
    fingerprints: Vec<Fingerprint>,
    new_accounts: Vec<Box<str>>,
    bytes: usize,
}

impl Writer {
    /// Writes until the queue ends or the journal stops.
    pub(crate) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let _ending = Ending::new(&shared, |state| state.writer_ended = true);
        loop {
            match self.shared.queue.take(PATIENCE) {
                Work::Group(turns) => self.commit(turns),
                Work::Chore(chore) => self.chore(&chore),
                Work::Idle => {}
                Work::End => break,
            }
            if let Some(chore) = self.shared.queue.take_chore() {
                self.chore(&chore);
            }
        }
        tracing::info!("the writer has ended");
    }

    fn chore(&mut self, chore: &Chore) {
        let result = match chore {
            Chore::Release(sealed) => {
                Step::JournalRelease.begin();
                self.journal.release_one(sealed).map(|released| {
                    if released.is_continue() {
                        self.shared.queue.release_more(*sealed);
                    }
                })
            }
            Chore::ForgetCuts => self.journal.forget_cuts(),
        };
        self.looked_after(result);
    }

    fn looked_after(&self, result: Result<(), trailkeep_journal::Error>) {
        if let Err(error) = result {
            // The files stay; nothing is lost. A stopped journal shows at the next append.
            let error = logged(&error);
            tracing::error!(error, "could not look after the journal files");
            self.shared.stats.failures.add(1);
        }
    }

    fn commit(&mut self, mut turns: Vec<Turn>) {
        let mut group = self.form(&mut turns);
        let result = self.append(&mut group);
        if let Ok(batches) = &result {
            self.note_places(&mut turns, &group, batches);
        } else {
            self.shared.source_ids.forget(&group.fingerprints);
            self.shared.accounts.forget(&group.new_accounts);
        }
        self.shared.stats.groups.add(1);
        self.answer(turns, result.map(drop));
    }

    /// Decides every event of the group's turns.
    fn form(&mut self, turns: &mut [Turn]) -> Group {
        let now = Micros(self.shared.env.clock.now_micros());
        self.created_at = self.created_at.max(now);
        let mut group = Group {
            created_at: self.created_at,
            batches: [const { None }; PARTITIONS],
            placed: Vec::new(),
            fingerprints: Vec::new(),
            new_accounts: Vec::new(),
            bytes: 0,
        };
        for (number, turn) in turns.iter_mut().enumerate() {
            while let Some((index, event)) = turn.pending.take(turn.until) {
                self.decide(&mut group, number, turn, (index, event));
            }
        }
        group
    }

    fn decide(&self, group: &mut Group, number: usize, turn: &mut Turn, event: (usize, Admitted)) {
        let (index, event) = event;
        let answer = &mut turn.pending.answer;
        let masked = match event {
            Ok(masked) => masked,
            Err(rejection) => return answer.reject(index, rejection),
        };
        let account_id = masked.row().view().account_id();
        match self.shared.accounts.admit(account_id, turn.pending.accounts_create) {
            Ok(new) => group.new_accounts.extend(new),
            Err(rejection) => return answer.reject(index, rejection),
        }
        let position = self.next_position(group, account_id);
        let id = self.shared.id_key.id(group.created_at, position);
        match self.seen(group, &masked, id) {
            Ok(Seen::First) => {
                place(group, &masked, position);
                group.placed.push(Placed { turn: number, position });
                answer.accept(index, id);
            }
            Ok(Seen::Duplicate(first)) => answer.duplicate(index, first),
            Ok(Seen::Conflict(first)) => answer.reject(index, conflict(first)),
            Err(unavailable) => turn.pending.failed = Some(unavailable),
        }
    }

    /// Returns where the next event of an account will be.
    fn next_position(&self, group: &Group, account_id: &str) -> Position {
        let partition = Partition::of_account(account_id);
        let n_rows = group.batches.get(partition.index()).and_then(Option::as_ref);
        let ordinal = n_rows.map_or(0, MaskedBatch::n_rows);
        Position { partition, frame: self.journal.next().frame(partition), ordinal }
    }

    fn seen(&self, group: &mut Group, masked: &Masked, id: EventId) -> Result<Seen, Unavailable> {
        let Some((fingerprint, check)) = self.shared.source_key.identify(&masked.row().view())
        else {
            return Ok(Seen::First);
        };
        let seen = self.shared.source_ids.admit(fingerprint, Known { check, id });
        match seen {
            Ok(Seen::First) => {
                group.fingerprints.push(fingerprint);
                Ok(Seen::First)
            }
            Ok(seen) => Ok(seen),
            Err(error) => {
                // Better no answer than a second entry: the producer tries again, the operator
                // sees which run is damaged.
                tracing::error!(error = logged(&error), "could not look up a source id");
                self.shared.stats.failures.add(1);
                Err(Unavailable::SourceIds)
            }
        }
    }

    /// Makes the group durable and visible.
    fn append(&mut self, group: &mut Group) -> Result<Vec<Arc<SequencedBatch>>, Unavailable> {
        let created_at = group.created_at;
        let batches: Vec<JournalBatch> = group
            .batches
            .iter_mut()
            .filter_map(Option::take)
            .map(|batch| JournalBatch::new(batch, created_at))
            .collect::<Result<_, _>>()
            .map_err(|error| self.refuse(&error))?;
        if batches.is_empty() {
            return Ok(Vec::new());
        }
        Step::Append.begin();
        let frames = self.journal.append(&batches).map_err(|error| self.refuse(&error))?;
        let mut sequenced = Vec::with_capacity(batches.len());
        for (batch, frame) in batches.iter().zip(frames) {
            let partition = batch.partition();
            let batch = sequence(&mut self.heads, partition, frame, batch.batch().clone());
            sequenced.push(Arc::new(batch));
        }
        Step::Acknowledge.begin();
        // Durable, and visible before anybody is told.
        for batch in &sequenced {
            self.shared.shelf.push(Arc::clone(batch));
            self.shared.announce(batch);
        }
        self.shared.appended();
        Ok(sequenced)
    }

    fn refuse(&self, error: &trailkeep_journal::Error) -> Unavailable {
        tracing::error!(error = logged(error), "could not append to the journal");
        self.shared.stats.failures.add(1);
        match error {
            trailkeep_journal::Error::NoSpace { .. } => Unavailable::DiskFull,
            // Nothing was written; the configuration does not let this happen.
            trailkeep_journal::Error::TooLarge { .. } => Unavailable::Busy,
            _ => {
                self.shared.stop();
                Unavailable::Stopped
            }
        }
    }

    fn note_places(&self, turns: &mut [Turn], group: &Group, batches: &[Arc<SequencedBatch>]) {
        let by_partition: HashMap<Partition, &Arc<SequencedBatch>> =
            batches.iter().map(|batch| (batch.partition, batch)).collect();
        for placed in &group.placed {
            let Some(batch) = by_partition.get(&placed.position.partition) else { continue };
            assert_eq!(batch.frame, placed.position.frame, "the frame is the one promised");
            let seq = usize::try_from(placed.position.ordinal).ok();
            let seq = seq.and_then(|ordinal| batch.seqs.get(ordinal)).copied();
            let row = batch.batch.row(placed.position.ordinal);
            if let (Some(turn), Some(seq), Some(row)) = (turns.get_mut(placed.turn), seq, row) {
                turn.pending.answer.placed(row.row.account_id(), seq, placed.position);
            }
        }
        let stats = &self.shared.stats;
        stats.accepted.add(n_u64(group.placed.len()));
        stats.accepted_bytes.add(n_u64(group.bytes));
    }

    /// Answers the submissions that are complete and puts the others back.
    fn answer(&self, turns: Vec<Turn>, result: Result<(), Unavailable>) {
        for turn in turns {
            let pending = turn.pending;
            let result = pending.failed.map_or(result, Err);
            self.shared.queue.done(&pending.key_id, turn.bytes);
            if pending.taken() || result.is_err() {
                if result.is_err() {
                    self.shared.queue.done(&pending.key_id, pending.bytes());
                    self.shared.queue.abandon(&pending.key_id);
                }
                let stats = &self.shared.stats;
                stats.answered.add(1);
                stats.duplicates.add(n_u64(pending.answer.duplicates.len()));
                stats.rejected.add(n_u64(pending.answer.rejected.len()));
                pending.reply(result);
            } else {
                self.shared.queue.resume(pending);
            }
        }
    }
}

fn place(group: &mut Group, masked: &Masked, position: Position) {
    let Some(slot) = group.batches.get_mut(position.partition.index()) else { return };
    let batch = slot.get_or_insert_with(|| MaskedBatch::new(position.partition));
    let ordinal = batch.push(masked);
    assert_eq!(ordinal, position.ordinal, "the row is where its identifier says");
    group.bytes = group.bytes.saturating_add(row_bytes(masked));
}

fn conflict(first: EventId) -> Rejection {
    let detail = format!(
        "this source_id was sent before with another action or occurred_at, as entry {first}"
    );
    Rejection::at(RejectionCode::SourceIdConflict, "source_id", detail)
}

fn n_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
