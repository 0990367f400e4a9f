//! Keeps a journal file ready, so that an append never waits for zeros to be written.

use std::sync::Arc;
use std::time::Duration;

use trailkeep_journal::{Error, JournalPreparer};

use crate::disk_guard::DiskState;
use crate::error::logged;
use crate::shared::Shared;

const TURN: Duration = Duration::from_millis(100);

/// Runs on its own thread until the store closes.
#[derive(Debug)]
pub(crate) struct Preparer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) journal: JournalPreparer,
}

impl Preparer {
    /// Prepares files until the store closes.
    pub(crate) fn run(self) {
        while !self.shared.wait_sealer(TURN, |state| state.writer_ended) && !self.shared.stopped() {
            // A full disk's last room is for entries, not for files ahead.
            if self.shared.disk_state() == DiskState::Full {
                continue;
            }
            match self.journal.prepare() {
                Ok(()) | Err(Error::NoSpace { .. }) => {}
                Err(error) => {
                    tracing::error!(error = logged(&error), "could not prepare a journal file");
                    self.shared.stats.failures.add(1);
                    self.shared.stop();
                }
            }
        }
    }
}
