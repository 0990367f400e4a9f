//! Changes to small files that are whole and durable when they return.
//!
//! A power cut in the middle of any of these leaves the old state or the new one, and perhaps a
//! file with the suffix [`TEMPORARY_SUFFIX`], which the next [`write()`] of that path replaces.
//! There is one writer of a path at a time.

use std::io;

use crate::{Disk, DiskFile, OpenMode, disk_path};

/// What the names of files end in that are not finished.
pub const TEMPORARY_SUFFIX: &str = ".tmp";

/// The longest file that [`read`] takes into memory.
pub const READ_BYTES_MAX: u64 = 1 << 30;

/// Writes a file of these bytes, replacing the one of that name if there is one.
pub fn write(disk: &dyn Disk, path: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = format!("{path}{TEMPORARY_SUFFIX}");
    let file = create(disk, &temporary)?;
    file.write_all_at(bytes, 0)?;
    file.sync()?;
    // A crash before this leaves only the temporary file; after it the old name is replaced.
    rename(disk, &temporary, path)
}

/// Renames a file, replacing what has the new name.
pub fn rename(disk: &dyn Disk, from: &str, to: &str) -> io::Result<()> {
    disk.rename(from, to)?;
    let (old_folder, _) = disk_path::split(from);
    let (new_folder, _) = disk_path::split(to);
    // The new name first: a crash in between may leave both names, never none.
    disk.sync_dir(new_folder)?;
    if old_folder != new_folder {
        disk.sync_dir(old_folder)?;
    }
    Ok(())
}

/// Reads a whole file.
///
/// # Errors
/// [`io::ErrorKind::FileTooLarge`] beyond [`READ_BYTES_MAX`].
pub fn read(disk: &dyn Disk, path: &str) -> io::Result<Vec<u8>> {
    let file = disk.open(path, OpenMode::Read)?;
    let n_bytes = file.len()?;
    if n_bytes > READ_BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let n_bytes = usize::try_from(n_bytes).map_err(io::Error::other)?;
    let mut bytes = vec![0; n_bytes];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Removes a file.
pub fn remove(disk: &dyn Disk, path: &str) -> io::Result<()> {
    disk.remove(path)?;
    disk.sync_dir(disk_path::split(path).0)
}

/// Makes a folder and those above it; those that exist are made durable too.
pub fn create_dir_all(disk: &dyn Disk, folder: &str) -> io::Result<()> {
    disk.create_dir_all(folder)?;
    for folder in disk_path::folders_down_to(folder) {
        disk.sync_dir(disk_path::split(folder).0)?;
    }
    Ok(())
}

/// Creates a temporary file in place of one that a crash left.
pub(crate) fn create(disk: &dyn Disk, path: &str) -> io::Result<Box<dyn DiskFile>> {
    match disk.open(path, OpenMode::CreateNew) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            disk.remove(path)?;
            disk.open(path, OpenMode::CreateNew)
        }
        created => created,
    }
}
