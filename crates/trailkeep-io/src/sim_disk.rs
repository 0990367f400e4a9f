//! A disk in memory that loses power.

mod fault;
mod image;
mod inode;
mod state;
mod tree;

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

pub use self::fault::{Fault, FaultKind, FaultOp, OpCounts};
use self::{
    inode::Inode,
    state::State,
    tree::{Effect, Node, Tree},
};
use crate::{DirEntry, Disk, DiskFile, OpenMode, Space, disk_path, size::u64_of};

/// A disk in memory that keeps what is written apart from what is durable, fails on request and
/// can lose its power. Clones are the same disk; one seed gives one run.
///
/// A power cut keeps:
/// - of a file, what [`DiskFile::sync`] made durable, and of each 512-byte sector written since,
///   either all of the old or all of the new bytes. The length of a file that grew is the old or
///   the new one, or a whole sector in between.
/// - of the names in each folder, what [`Disk::sync_dir`] made durable, and a prefix of the
///   changes since. The name of a folder is one of the folder above it. A rename is whole or not
///   at all, also between two folders.
///
/// After a sync that failed without effect, a later success does not cover the bytes that the
/// first one did not write, as on Linux.
///
/// # Example
/// Cutting the power at each write of a piece of code:
/// ```
/// # use std::io;
/// # use trailkeep_io::{Disk, Fault, FaultKind, FaultOp, OpenMode, SimDisk};
/// fn save(disk: &SimDisk) -> io::Result<()> {
///     let file = disk.open("a", OpenMode::CreateNew)?;
///     file.write_all_at(b"one", 0)?;
///     file.write_all_at(b"two", 3)?;
///     file.sync()?;
///     disk.sync_dir("")
/// }
/// let whole = SimDisk::new(7);
/// save(&whole)?;
/// for nth in 1..=whole.ops().writes {
///     let disk = SimDisk::new(7);
///     disk.arm(Fault { op: FaultOp::Write, nth, kind: FaultKind::PowerOff });
///     assert!(save(&disk).is_err());
///     let survived = disk.power_cut();
///     // Here the code reopens `survived` and checks its promises.
/// #   drop(survived);
/// }
/// # Ok::<(), io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

impl SimDisk {
    /// Returns an empty disk of 1 TiB.
    pub fn new(seed: u64) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(seed))) }
    }

    /// Returns a disk with what survives if the power is cut now; this one stays as it is.
    #[must_use]
    pub fn power_cut(&self) -> Self {
        Self { state: Arc::new(Mutex::new(self.state.lock().survive())) }
    }

    /// Plans a fault. Several can be armed; each fires once.
    pub fn arm(&self, fault: Fault) {
        self.state.lock().faults.arm(fault);
    }

    /// Returns how many operations of each kind were tried, the failed ones included.
    pub fn ops(&self) -> OpCounts {
        self.state.lock().faults.counts()
    }

    /// Makes `bytes` the free space; files that grow use it up, removed ones give it back.
    pub fn set_free_bytes(&self, bytes: u64) {
        self.state.lock().set_free_bytes(bytes);
    }

    /// Flips one bit of a file, durable bytes included, as decay would.
    pub fn flip_bit(&self, path: &str, byte_offset: u64, bit: u8) -> io::Result<()> {
        let inode = self.state.lock().tree.file(path)?;
        inode.lock().flip_bit(byte_offset, bit)
    }

    /// Returns the bytes of a file, also when the power is off; not an operation that can fail.
    pub fn read_all(&self, path: &str) -> io::Result<Vec<u8>> {
        let inode = self.state.lock().tree.file(path)?;
        let inode = inode.lock();
        Ok(inode.live().to_vec())
    }

    /// Makes a file hold `bytes`, durably and with its folders; not an operation that can fail.
    pub fn write_raw(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        disk_path::check_file(path)?;
        self.state.lock().write_raw(path, bytes)
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &str, mode: OpenMode) -> io::Result<Box<dyn DiskFile>> {
        disk_path::check_file(path)?;
        let inode = self.state.lock().perform(FaultOp::Open, |state| match mode {
            OpenMode::Read | OpenMode::ReadWrite => state.tree.file(path),
            OpenMode::CreateNew => state.tree.create(path),
        })?;
        let state = Arc::clone(&self.state);
        Ok(Box::new(SimFile { state, inode, mode }))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<DirEntry>> {
        disk_path::check_folder(folder)?;
        let state = self.state.lock();
        state.check_power()?;
        state.tree.list(folder)
    }

    fn create_dir_all(&self, folder: &str) -> io::Result<()> {
        disk_path::check_folder(folder)?;
        let mut state = self.state.lock();
        state.check_power()?;
        state.tree.create_dir_all(folder)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        disk_path::check_file(from)?;
        disk_path::check_file(to)?;
        self.state.lock().perform(FaultOp::Rename, |state| {
            let replaced = rename(&mut state.tree, from, to)?;
            state.give_back(replaced);
            Ok(())
        })
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        disk_path::check_file(path)?;
        self.state.lock().perform(FaultOp::Remove, |state| {
            let inode = state.tree.file(path)?;
            state.tree.change(vec![Effect::new(path, None)]);
            state.give_back(inode.lock().live().len());
            Ok(())
        })
    }

    fn sync_dir(&self, folder: &str) -> io::Result<()> {
        disk_path::check_folder(folder)?;
        self.state.lock().perform(FaultOp::SyncDir, |state| state.tree.sync(folder))
    }

    fn space(&self) -> io::Result<Space> {
        let state = self.state.lock();
        state.check_power()?;
        Ok(state.space())
    }
}

/// Renames a file and returns the length of the one that it replaced.
fn rename(tree: &mut Tree, from: &str, to: &str) -> io::Result<usize> {
    let inode = tree.file(from)?;
    if from == to {
        return Ok(0);
    }
    let replaced = match tree.file(to) {
        Ok(replaced) => replaced.lock().live().len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            tree.check_folder(disk_path::split(to).0)?;
            0
        }
        Err(error) => return Err(error),
    };
    tree.change(vec![Effect::new(from, None), Effect::new(to, Some(Node::File(inode)))]);
    Ok(replaced)
}

#[derive(Debug)]
struct SimFile {
    state: Arc<Mutex<State>>,
    inode: Arc<Mutex<Inode>>,
    mode: OpenMode,
}

impl SimFile {
    fn check_writable(&self) -> io::Result<()> {
        match self.mode {
            OpenMode::Read => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the file is open for reading only",
            )),
            OpenMode::ReadWrite | OpenMode::CreateNew => Ok(()),
        }
    }
}

impl DiskFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        self.state.lock().check_power()?;
        Ok(u64_of(self.inode.lock().live().len()))
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let offset = position(offset)?;
        self.state
            .lock()
            .perform(FaultOp::Read, |_| self.inode.lock().live().read_exact(buffer, offset))
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.check_writable()?;
        let offset = position(offset)?;
        let end = offset.checked_add(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.state.lock().perform(FaultOp::Write, |state| {
            let mut inode = self.inode.lock();
            state.take(end.saturating_sub(inode.live().len()))?;
            inode.write(bytes, offset);
            Ok(())
        })
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.check_writable()?;
        let bytes = position(bytes)?;
        self.state.lock().perform(FaultOp::Write, |state| {
            let mut inode = self.inode.lock();
            let old_bytes = inode.live().len();
            state.take(bytes.saturating_sub(old_bytes))?;
            state.give_back(old_bytes.saturating_sub(bytes));
            inode.set_len(bytes);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        let mut inode = self.inode.lock();
        let synced = state.perform(FaultOp::Sync, |_| {
            inode.sync();
            Ok(())
        });
        if synced.is_err() {
            inode.strand();
        }
        synced
    }
}

fn position(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(|error| io::Error::new(io::ErrorKind::FileTooLarge, error))
}
