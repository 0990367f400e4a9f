//! The way out of a damaged end of the journal.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use trailkeep_ingest::JOURNAL_FOLDER;
use trailkeep_io::{Disk, RealDisk};
use trailkeep_journal::{CutTail, cut_tail, repair_headers};

use super::report::{Finding, Report};
use crate::catalog_copy::CatalogCopy;
use crate::local::{Machine, lock};
use crate::output::counted;

/// Writes damaged headers again, which loses nothing, then cuts a damaged end off.
pub(super) fn mend_journal(report: &mut Report, data: &Path) -> anyhow::Result<()> {
    let disk = RealDisk::open(data).context("could not open the data directory")?;
    let held = lock(&disk, data)?;
    let machine = Machine::start()?;
    let cut = CatalogCopy::open(machine.runtime.handle(), &disk)?.snapshot.cut;
    let disk: Arc<dyn Disk> = Arc::new(disk);
    let repairs = repair_headers(Arc::clone(&disk), JOURNAL_FOLDER, &cut)?;
    for repair in &repairs {
        let detail = format!("wrote the header of `{}` again; nothing is lost", repair.file_name());
        report.say("journal", Finding::Warn, &detail)?;
    }
    let cut = cut_tail(disk, JOURNAL_FOLDER)?;
    drop(held);
    match cut {
        CutTail::Sound => report.say("journal", Finding::Ok, "its end is sound: nothing was cut"),
        CutTail::Cut(note) => {
            let detail = format!(
                "cut {} with at least {} from `{}` at byte {}; the next start records it",
                counted(note.bytes, "byte", "bytes"),
                counted(note.frames, "frame", "frames"),
                note.file_name(),
                note.offset
            );
            report.say("journal", Finding::Warn, &detail)
        }
    }
}
