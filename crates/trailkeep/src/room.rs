//! Whether the disk has room for a store, looked at before one is opened.

use std::path::Path;

use anyhow::Context;
use trailkeep_ingest::StoreOptions;
use trailkeep_io::{Disk, RealDisk};

use crate::failure::{Exit, Failure};
use crate::local::CATALOG;
use crate::output::say;

/// A new store makes the journal's first file and prepares the next one.
const JOURNAL_FILES_FIRST: u64 = 2;

/// Checks that a new store fits, and says where a store will take no events.
pub(crate) fn check(disk: &RealDisk, data: &Path, options: &StoreOptions) -> anyhow::Result<()> {
    let data = data.display();
    let space = disk.space().with_context(|| format!("could not ask `{data}` for free space"))?;
    let (free, marks) = (space.free_bytes, &options.disk);
    let is_new = !disk.list("")?.iter().any(|entry| entry.name == CATALOG);
    let journal_bytes = options.journal.file_bytes.saturating_mul(JOURNAL_FILES_FIRST);
    let needed = journal_bytes.saturating_add(marks.reserve_bytes);
    if is_new && free < needed {
        let message = format!(
            "`{data}` has {} free, and a new store needs {}: {} for the journal's first files and \
             {} in reserve",
            mib(free),
            mib(needed),
            mib(journal_bytes),
            mib(marks.reserve_bytes)
        );
        let hint = "free some, or make store.journal_file_bytes or disk.reserve_bytes smaller";
        return Err(Failure::new(Exit::Failed, message).hint(hint).into());
    }
    if free < marks.low_bytes {
        say(&format!(
            "warning: `{data}` has {} free, less than disk.low_bytes ({}): new events are refused \
             until there is more",
            mib(free),
            mib(marks.low_bytes)
        ));
    }
    Ok(())
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
