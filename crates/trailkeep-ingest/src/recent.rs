//! What is known of source ids: the unsealed ones in memory, the sealed ones in runs.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use trailkeep_duplicates::{Error, Fingerprint, Known, Run};
use trailkeep_event::EventId;

/// How many entries are forgotten under one lock, so that the writer never waits long.
const FORGET_CHUNK: usize = 4096;

/// Whether an event was seen before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Seen {
    /// No: it is remembered from now on.
    First,
    /// Yes, as this entry.
    Duplicate(EventId),
    /// The same source id, with another action or time.
    Conflict(EventId),
}

/// The index of source ids.
#[derive(Debug, Default)]
pub(crate) struct SourceIds {
    recent: Mutex<HashMap<Fingerprint, Known>>,
    runs: RwLock<Vec<Arc<Run>>>,
}

impl SourceIds {
    /// Looks an event up, and remembers it where it is new.
    pub(crate) fn admit(&self, fingerprint: Fingerprint, known: Known) -> Result<Seen, Error> {
        // Copied out first: the lock is not held while a run is read.
        let recent = self.recent.lock().get(&fingerprint).copied();
        let before = match recent {
            Some(before) => Some(before),
            None => self.sealed(fingerprint)?,
        };
        match before {
            None => {
                self.recent.lock().insert(fingerprint, known);
                Ok(Seen::First)
            }
            Some(before) if before.check == known.check => Ok(Seen::Duplicate(before.id)),
            Some(before) => Ok(Seen::Conflict(before.id)),
        }
    }

    fn sealed(&self, fingerprint: Fingerprint) -> Result<Option<Known>, Error> {
        for run in self.runs.read().iter() {
            if let Some(known) = run.find(fingerprint)? {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }

    /// Remembers an entry of the journal's tail; the first one of a fingerprint wins.
    pub(crate) fn replay(&self, fingerprint: Fingerprint, known: Known) {
        self.recent.lock().entry(fingerprint).or_insert(known);
    }

    /// Forgets what was remembered for events that were then not written.
    pub(crate) fn forget(&self, fingerprints: &[Fingerprint]) {
        for chunk in fingerprints.chunks(FORGET_CHUNK) {
            let mut recent = self.recent.lock();
            for fingerprint in chunk {
                recent.remove(fingerprint);
            }
        }
    }

    /// Adds a committed run whose entries are still remembered in memory, then forgets those:
    /// there is no moment at which one of them is in neither.
    pub(crate) fn sealed_as(&self, run: Arc<Run>, fingerprints: &[Fingerprint]) {
        self.runs.write().push(run);
        self.forget(fingerprints);
    }

    /// Replaces runs by their merged one.
    pub(crate) fn swap_runs(&self, removed: &[String], merged: Arc<Run>) {
        let mut runs = self.runs.write();
        runs.retain(|run| !removed.contains(&run.meta().id));
        runs.push(merged);
    }

    /// Takes over the runs of a store that is being opened.
    pub(crate) fn set_runs(&self, runs: Vec<Arc<Run>>) {
        *self.runs.write() = runs;
    }

    pub(crate) fn runs(&self) -> Vec<Arc<Run>> {
        self.runs.read().clone()
    }

    pub(crate) fn n_recent(&self) -> usize {
        self.recent.lock().len()
    }
}
