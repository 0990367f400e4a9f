//! Keeps journal files ready while events come, so that an append never waits for zeros, and gives
//! their room back when none come.

use std::sync::Arc;
use std::time::Duration;

use trailkeep_journal::{Error, JournalPreparer};

use crate::disk_guard::DiskState;
use crate::error::logged;
use crate::shared::Shared;

const TURN: Duration = Duration::from_millis(100);
/// Files are kept ready for as long as the one in use would be full within this time, in turns.
const AHEAD_TURNS: u64 = 200;
/// How long they are kept when that is over.
const KEPT: Duration = Duration::from_secs(20);

/// Runs on its own thread until the store closes.
#[derive(Debug)]
pub(crate) struct Preparer {
    shared: Arc<Shared>,
    journal: JournalPreparer,
    need: Need,
}

impl Preparer {
    pub(crate) fn new(shared: &Arc<Shared>, journal: JournalPreparer) -> Self {
        Self { shared: Arc::clone(shared), journal, need: Need::default() }
    }

    /// Prepares files until the store closes.
    pub(crate) fn run(mut self) {
        while !self.shared.wait_sealer(TURN, |state| state.writer_ended) && !self.shared.stopped() {
            let now = self.shared.env.clock.monotonic();
            let accepted_bytes = self.shared.stats.accepted_bytes.get();
            let needed = self.need.turn(now, accepted_bytes, self.journal.room_bytes());
            // A full disk's last room is for entries, not for files ahead.
            let full = self.shared.disk_state() == DiskState::Full;
            let done =
                if needed && !full { self.journal.prepare() } else { self.journal.discard() };
            match done {
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

/// Tells whether files must be ready.
#[derive(Debug, Default)]
struct Need {
    seen_bytes: u64,
    until: Duration,
}

impl Need {
    /// Looks at how fast events come: the file in use has `room_bytes` left.
    fn turn(&mut self, now: Duration, accepted_bytes: u64, room_bytes: u64) -> bool {
        let fresh_bytes = accepted_bytes.saturating_sub(self.seen_bytes);
        self.seen_bytes = accepted_bytes;
        if fresh_bytes > 0 && fresh_bytes.saturating_mul(AHEAD_TURNS) >= room_bytes {
            self.until = now.saturating_add(KEPT);
        }
        now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn files_are_ready_before_a_load_needs_them_and_gone_when_it_is_over() {
        let mut need = Need::default();
        let at = Duration::from_millis;
        assert!(!need.turn(at(0), 0, 0), "nothing came");
        // A few events a minute never need a second file while there is room.
        assert!(!need.turn(at(100), 1000, 10 * MIB));
        // 40 MiB/s fill 10 MiB in a quarter of a second: the first turn sees it.
        assert!(need.turn(at(200), 4 * MIB, 10 * MIB));
        assert!(need.turn(at(20_100), 4 * MIB, 6 * MIB));
        assert!(!need.turn(at(20_200), 4 * MIB, 6 * MIB));
        // At the end of a file little is enough.
        assert!(need.turn(at(30_000), 4 * MIB + 300, 50_000));
    }
}
