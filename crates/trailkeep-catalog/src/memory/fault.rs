//! Commits that fail.

use crate::{Error, Result};

/// What a failed commit left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FaultOutcome {
    /// It failed and was not done.
    NotDone,
    /// It failed but was done.
    Done,
}

/// A commit that is to fail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MemoryFault {
    /// Which commit from now, counted from 1.
    pub nth: u64,
    /// What it leaves.
    pub outcome: FaultOutcome,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    Succeeds,
    Fails(FaultOutcome),
}

/// Whether a handle still answers, and until when.
#[derive(Debug, Default)]
pub(super) struct Gate {
    armed: Option<MemoryFault>,
    stopped: bool,
}

impl Gate {
    pub(super) fn arm(&mut self, fault: MemoryFault) {
        self.armed = Some(fault);
    }

    pub(super) fn check(&self, what: &'static str) -> Result<()> {
        if self.stopped { Err(Error::Stopped { what }) } else { Ok(()) }
    }

    pub(super) fn commit(&mut self) -> Fate {
        let Some(fault) = &mut self.armed else { return Fate::Succeeds };
        fault.nth = fault.nth.saturating_sub(1);
        if fault.nth > 0 {
            return Fate::Succeeds;
        }
        self.stopped = true;
        Fate::Fails(fault.outcome)
    }
}
