//! Opening: what a crash left is read, checked and made durable before anything is appended.

use std::sync::Arc;

use parking_lot::RwLock;
use trailkeep_event::Cut;
use trailkeep_io::Disk;

use crate::folder::Folder;
use crate::live::{Live, LiveFile, first_beyond};
use crate::note::{CutNote, read_notes};
use crate::scan::{Scan, open_files, scan_files};
use crate::spares::Spares;
use crate::{Error, Journal, JournalOptions, Recovery, Result};

impl Journal {
    /// Opens the journal in a folder, making it where there is none. `committed` is the catalog's
    /// cut.
    ///
    /// Reads every file once. Nothing is changed before all of it is known to be sound.
    ///
    /// # Errors
    /// - [`Error::Corrupt`] where anything but an unfinished last write is found.
    /// - [`Error::BehindCatalog`] where the journal ends before `committed`, always.
    /// - [`Error::Gap`] where a frame after `committed` is no longer held.
    pub fn open(
        disk: Arc<dyn Disk>,
        folder: &str,
        options: JournalOptions,
        committed: &Cut,
    ) -> Result<(Self, Recovery)> {
        let options = options.check()?;
        let folder = Folder::new(disk, folder);
        folder.create()?;
        let cuts = read_notes(&folder)?;
        let mut scan = scan_files(open_files(&folder)?)?;
        let torn_bytes = std::mem::replace(&mut scan.torn_bytes, Ok(0))?;
        check_cut(&scan, committed)?;
        settle(&scan, &cuts)?;
        let Scan { files, n_writes, n_frames, .. } = scan;
        let recovery = Recovery { torn_bytes, writes: n_writes, frames: n_frames, cuts };
        let spares = Spares::new(&folder, options.file_bytes)?;
        // A name that a crash left visible may not be durable yet.
        folder.sync()?;
        let mut live = Live { files };
        if live.files.is_empty() {
            let file = spares.begin(live.next_header(options))?;
            live.files.push_back(LiveFile::new(file));
        }
        if recovery.torn_bytes > 0 {
            tracing::warn!(bytes = recovery.torn_bytes, "cleared an unfinished journal write");
        }
        let live = Arc::new(RwLock::new(live));
        Ok((Self::from_parts(folder, options, live, spares), recovery))
    }
}

/// Checks that every frame from the catalog's cut on is held, and the cut itself reached.
fn check_cut(scan: &Scan, committed: &Cut) -> Result<()> {
    let end = scan.files.back().map_or(Cut::default(), |last| last.end.next);
    if let Some((partition, committed, recovered)) = first_beyond(committed, &end) {
        return Err(Error::BehindCatalog { partition, recovered, committed });
    }
    let first = scan.files.front().map_or(Cut::default(), |first| first.file.header.start);
    if let Some((partition, found, expected)) = first_beyond(&first, committed) {
        return Err(Error::Gap { partition, expected, found });
    }
    Ok(())
}

/// Makes what was found durable, and clears an unfinished write.
///
/// What is read back after a failed or missing fsync may only be in memory, and a later fsync
/// alone would not write it (the kernel believes that it did): so the last write is written again,
/// and so are the zeros behind it, as far as an unfinished write or a cut can reach. A crash here
/// leaves an unfinished write again.
fn settle(scan: &Scan, cuts: &[CutNote]) -> Result<()> {
    let Some(LiveFile { file, end, .. }) = scan.files.back() else { return Ok(()) };
    if scan.last_write_bytes > 0 {
        let mut sectors = vec![0; usize::try_from(scan.last_write_bytes).unwrap_or(usize::MAX)];
        let offset = end.offset.saturating_sub(scan.last_write_bytes);
        file.read(&mut sectors, offset)?;
        file.write(&sectors, offset)?;
    }
    let reach = match cuts {
        [] => end.offset.saturating_add(file.header.write_bytes_max),
        [..] => u64::MAX,
    };
    file.zero(end.offset, reach.min(file.header.bytes))?;
    file.sync()
}
