//! Preparing files beside the writer.

use std::sync::Arc;

use parking_lot::RwLock;

use crate::Result;
use crate::live::Live;
use crate::spares::Spares;

/// Prepares journal files on a thread of its own, so that appends do not wait for zeros.
#[derive(Clone, Debug)]
pub struct JournalPreparer {
    live: Arc<RwLock<Live>>,
    spares: Spares,
}

impl JournalPreparer {
    pub(crate) fn new(live: Arc<RwLock<Live>>, spares: Spares) -> Self {
        Self { live, spares }
    }

    /// Returns how many bytes the file in use has left: beyond them a prepared one is needed.
    pub fn room_bytes(&self) -> u64 {
        let live = self.live.read();
        live.files.back().map_or(0, |last| last.file.room_after(last.end.offset))
    }

    /// Has two files of zeros ready, released ones first. Cheap where there is nothing to do.
    ///
    /// # Errors
    /// [`crate::Error::NoSpace`] changes nothing. After [`crate::Error::Io`] the caller stops the
    /// journal's use: the disk fails.
    pub fn prepare(&self) -> Result<()> {
        self.spares.prepare()
    }

    /// Gives the room of prepared and released files back to the disk. An append that needs a file
    /// then makes it itself.
    ///
    /// # Errors
    /// Those of [`JournalPreparer::prepare`].
    pub fn discard(&self) -> Result<()> {
        self.spares.discard()
    }
}
