//! Watches how much room the disk has, and keeps a reserve for `system` entries.

use std::io;

use trailkeep_io::{Disk, OpenMode};

use crate::error::logged;
use crate::options::DiskMarks;
use crate::shared::Shared;

/// The file whose room is given up when the disk is full.
const RESERVE: &str = "RESERVE";
const CHUNK_BYTES: u64 = 1 << 20;

/// How much room there is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DiskState {
    /// Enough.
    Roomy,
    /// Below the high mark: somebody should act.
    Tight,
    /// Below the low mark: new events are refused.
    Full,
}

impl DiskState {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Roomy => 0,
            Self::Tight => 1,
            Self::Full => 2,
        }
    }

    pub(crate) fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Roomy,
            1 => Self::Tight,
            _ => Self::Full,
        }
    }

    fn of(free_bytes: u64, marks: &DiskMarks) -> Self {
        if free_bytes < marks.low_bytes {
            Self::Full
        } else if free_bytes < marks.high_bytes {
            Self::Tight
        } else {
            Self::Roomy
        }
    }
}

/// Looks at the disk, notes its state, and keeps or gives up the reserve.
pub(crate) fn watch(shared: &Shared) {
    let marks = &shared.options.disk;
    let free_bytes = match free_for_events(shared.env.disk.as_ref(), marks) {
        Ok(free_bytes) => free_bytes,
        Err(error) => {
            tracing::warn!(error = logged(&error), "could not ask for free space");
            return;
        }
    };
    let state = DiskState::of(free_bytes, marks);
    let before = shared.set_disk_state(state);
    if before != state {
        match state {
            DiskState::Roomy => tracing::info!(free_bytes, "the disk has room again"),
            DiskState::Tight => tracing::warn!(free_bytes, "the disk is getting full"),
            DiskState::Full => tracing::error!(free_bytes, "the disk is full: events are refused"),
        }
    }
    let kept = match state {
        DiskState::Full => give_up(shared.env.disk.as_ref()),
        DiskState::Tight => Ok(()),
        DiskState::Roomy => keep(shared.env.disk.as_ref(), marks.reserve_bytes),
    };
    if let Err(error) = kept {
        tracing::warn!(error = logged(&error), "could not change the reserve");
    }
}

/// Returns the free space without the reserve, whether that is held or given up: giving it up
/// must not look like room for events.
fn free_for_events(disk: &dyn Disk, marks: &DiskMarks) -> io::Result<u64> {
    let held = reserved(disk)?.unwrap_or(0);
    let missing = marks.reserve_bytes.saturating_sub(held);
    Ok(disk.space()?.free_bytes.saturating_sub(missing))
}

fn reserved(disk: &dyn Disk) -> io::Result<Option<u64>> {
    let entries = disk.list("")?;
    Ok(entries.into_iter().find(|entry| entry.name == RESERVE).map(|entry| entry.bytes))
}

/// Writes the reserve where it is not whole. Zeros are really written: a hole reserves nothing.
fn keep(disk: &dyn Disk, bytes: u64) -> io::Result<()> {
    let held = reserved(disk)?;
    if held.unwrap_or(0) >= bytes {
        return Ok(());
    }
    let mode = if held.is_some() { OpenMode::ReadWrite } else { OpenMode::CreateNew };
    let file = disk.open(RESERVE, mode)?;
    let zeros = vec![0; usize::try_from(CHUNK_BYTES).unwrap_or(0)];
    let mut at = 0;
    while at < bytes {
        file.write_all_at(&zeros, at)?;
        at = at.saturating_add(CHUNK_BYTES);
    }
    file.sync()
}

fn give_up(disk: &dyn Disk) -> io::Result<()> {
    if reserved(disk)?.is_some() { disk.remove(RESERVE) } else { Ok(()) }
}
