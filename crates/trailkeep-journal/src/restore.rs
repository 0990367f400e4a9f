//! Restoring: an empty journal that goes on where a backup ends.

use std::io;
use std::sync::Arc;

use trailkeep_event::Cut;
use trailkeep_io::Disk;

use crate::folder::Folder;
use crate::header::FileHeader;
use crate::spares::Spares;
use crate::{Error, Journal, JournalOptions, Result};

impl Journal {
    /// Makes an empty journal whose next frames are those behind `cut`, so that a restored store
    /// never gives a position twice that the backup holds. [`Journal::open`] then opens it.
    ///
    /// A crash in here leaves no journal file, or the whole one.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder holds something already.
    pub fn restore_at(
        disk: Arc<dyn Disk>,
        folder: &str,
        options: JournalOptions,
        cut: &Cut,
    ) -> Result<()> {
        let options = options.check()?;
        let folder = Folder::new(disk, folder);
        folder.create()?;
        if let Some(entry) = folder.list()?.first() {
            let source = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(Error::io("restore beside", &folder.path_of(&entry.name))(source));
        }
        let header = FileHeader { start: *cut, ..FileHeader::following(None, options) };
        Spares::new(&folder, options.file_bytes)?.begin(header)?;
        folder.sync()
    }
}
