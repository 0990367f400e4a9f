//! The disk as a value: a tree of files below one root.

use std::fmt::Debug;
use std::io;

/// How a file is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OpenMode {
    /// For reading; the file must exist.
    Read,
    /// For reading and writing; the file must exist.
    ReadWrite,
    /// For reading and writing; the file must not exist.
    CreateNew,
}

/// One file or folder of a listing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DirEntry {
    /// The name within its folder.
    pub name: String,
    /// The file's length; 0 for a folder.
    pub bytes: u64,
    /// Whether it is a folder.
    pub folder: bool,
}

/// How much room a disk has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Space {
    /// How many bytes can still be written.
    pub free_bytes: u64,
    /// How many bytes the disk has in all.
    pub total_bytes: u64,
}

/// A tree of files. Paths are relative to the root, with `/`, without `..`.
///
/// What a change needs to survive a power cut: the bytes of a file [`DiskFile::sync`], its
/// name (creation, renaming, removal) [`Disk::sync_dir`] of the folder that holds it.
pub trait Disk: Debug + Send + Sync {
    /// Opens a file.
    fn open(&self, path: &str, mode: OpenMode) -> io::Result<Box<dyn DiskFile>>;

    /// Lists a folder by name; a folder that does not exist is [`io::ErrorKind::NotFound`].
    fn list(&self, folder: &str) -> io::Result<Vec<DirEntry>>;

    /// Makes a folder and those above it; one that exists is left alone.
    fn create_dir_all(&self, folder: &str) -> io::Result<()>;

    /// Renames a file, replacing what has the new name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Makes the names in a folder durable.
    fn sync_dir(&self, folder: &str) -> io::Result<()>;

    /// Tells how much room there is.
    fn space(&self) -> io::Result<Space>;
}

/// An open file. All methods take an offset: a file has no position of its own.
#[expect(clippy::len_without_is_empty, reason = "a length in bytes, not a collection")]
pub trait DiskFile: Debug + Send + Sync {
    /// Returns the file's length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Fills `buffer` from `offset`; fewer bytes are [`io::ErrorKind::UnexpectedEof`].
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`, growing the file where needed.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Cuts or grows the file; grown parts read as zero.
    fn set_len(&self, bytes: u64) -> io::Result<()>;

    /// Makes the file's bytes and length durable.
    ///
    /// # Errors
    /// A failure is final: what was written since the last success may or may not be durable,
    /// and a later success says nothing about it.
    fn sync(&self) -> io::Result<()>;
}
