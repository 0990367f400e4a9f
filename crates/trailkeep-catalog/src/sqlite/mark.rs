//! The mark: how many changes were committed, told outside the database.

use std::io;
use std::sync::Arc;

use crc32c::crc32c;
use parking_lot::Mutex;
use trailkeep_io::{Disk, DiskFile, OpenMode, durable};

/// The length of a slot: a page of its own, so that a torn write harms only one of the two.
const SLOT_BYTES: usize = 4096;
/// Where the slots begin.
const SLOTS: [u64; 2] = [0, 4096];
/// What the record of a slot begins with.
const MAGIC: &[u8] = b"TKM1";
/// Magic, count and checksum.
const RECORD_BYTES: usize = 16;

/// A handle on the mark that tasks share.
#[derive(Clone, Debug)]
pub(super) struct SharedMark(Arc<Mutex<Mark>>);

impl SharedMark {
    pub(super) fn new(mark: Mark) -> Self {
        Self(Arc::new(Mutex::new(mark)))
    }

    /// Raises the mark, off the runtime.
    pub(super) async fn raise(&self, changes: u64) -> io::Result<()> {
        let mark = Arc::clone(&self.0);
        let raised = tokio::task::spawn_blocking(move || mark.lock().raise(changes));
        raised.await.map_err(io::Error::other)?
    }
}

/// A number that only grows, in a file with two slots that are written in turn.
#[derive(Debug)]
pub(super) struct Mark {
    disk: Arc<dyn Disk>,
    name: String,
    made: Option<Made>,
}

/// A mark that has a file.
#[derive(Debug)]
struct Made {
    file: Box<dyn DiskFile>,
    /// The slot that holds the number.
    slot: usize,
    changes: u64,
}

impl Mark {
    /// Reads the mark, which may have no file yet.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] where neither slot can be right.
    pub(super) fn read(disk: Arc<dyn Disk>, name: String) -> io::Result<Self> {
        let made = match disk.open(&name, OpenMode::ReadWrite) {
            Ok(file) => Some(Made::read(file)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Self { disk, name, made })
    }

    /// Returns the number; `None` where there is no file.
    pub(super) fn changes(&self) -> Option<u64> {
        self.made.as_ref().map(|made| made.changes)
    }

    /// Raises the number, durably, and makes the file where there is none. One that is as high
    /// already is left alone: commits of two tasks may come here in any order.
    ///
    /// A crash leaves the old number or the new one. An error leaves either, so it is final.
    pub(super) fn raise(&mut self, changes: u64) -> io::Result<()> {
        match &mut self.made {
            None => self.made = Some(make(&*self.disk, &self.name, changes)?),
            Some(made) if made.changes < changes => made.raise(changes)?,
            Some(_) => {}
        }
        Ok(())
    }
}

fn make(disk: &dyn Disk, name: &str, changes: u64) -> io::Result<Made> {
    let mut bytes = Vec::with_capacity(SLOTS.len() * SLOT_BYTES);
    for _ in SLOTS {
        bytes.extend_from_slice(&record(changes));
        bytes.resize(bytes.len() + SLOT_BYTES - RECORD_BYTES, 0);
    }
    durable::write(disk, name, &bytes)?;
    Made::read(disk.open(name, OpenMode::ReadWrite)?)
}

impl Made {
    fn read(file: Box<dyn DiskFile>) -> io::Result<Self> {
        let mut highest = None;
        for (slot, offset) in SLOTS.into_iter().enumerate() {
            // `None` is below every number.
            highest = highest.max(read_slot(&*file, offset)?.map(|changes| (changes, slot)));
        }
        let unreadable = "neither of its two numbers has the right checksum";
        let (changes, slot) =
            highest.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, unreadable))?;
        Ok(Self { file, slot, changes })
    }

    /// Writes the slot that does not hold the number: a torn write leaves the old one.
    fn raise(&mut self, changes: u64) -> io::Result<()> {
        let slot = 1 - self.slot;
        let offset = if slot == 0 { SLOTS[0] } else { SLOTS[1] };
        self.file.write_all_at(&record(changes), offset)?;
        self.file.sync()?;
        (self.slot, self.changes) = (slot, changes);
        Ok(())
    }
}

/// Returns the number in a slot; `None` where the slot cannot be right.
fn read_slot(file: &dyn DiskFile, offset: u64) -> io::Result<Option<u64>> {
    let mut bytes = [0; RECORD_BYTES];
    match file.read_exact_at(&mut bytes, offset) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let [_, _, _, _, number @ .., _, _, _, _] = bytes;
    let changes = u64::from_le_bytes(number);
    Ok((record(changes) == bytes).then_some(changes))
}

fn record(changes: u64) -> [u8; RECORD_BYTES] {
    let mut bytes = [0; RECORD_BYTES];
    let number = changes.to_le_bytes();
    let checksum = crc32c(&[MAGIC, &number].concat()).to_le_bytes();
    bytes.iter_mut().zip(MAGIC.iter().chain(&number).chain(&checksum)).for_each(|(to, from)| {
        *to = *from;
    });
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailkeep_io::{Fault, FaultKind, FaultOp, SimDisk};

    const NAME: &str = "catalog.mark";

    fn read(disk: &SimDisk) -> io::Result<Mark> {
        Mark::read(Arc::new(disk.clone()), NAME.to_owned())
    }

    /// Raises the mark from 0 and returns the last number that was answered.
    fn raise_to(disk: &SimDisk, last: u64) -> Option<u64> {
        let mut mark = read(disk).ok()?;
        let mut answered = None;
        for changes in 0..=last {
            if mark.raise(changes).is_err() {
                break;
            }
            answered = Some(changes);
        }
        answered
    }

    #[test]
    fn a_mark_is_what_it_was_raised_to() {
        let disk = SimDisk::new(1);
        assert_eq!(read(&disk).unwrap().changes(), None);
        raise_to(&disk, 5);
        let mut mark = read(&disk).unwrap();
        assert_eq!(mark.changes(), Some(5));
        mark.raise(3).unwrap();
        assert_eq!(read(&disk).unwrap().changes(), Some(5), "it never falls");
        mark.raise(u64::MAX).unwrap();
        assert_eq!(read(&disk).unwrap().changes(), Some(u64::MAX));
    }

    /// A power cut at any operation leaves what was answered or the next.
    #[test]
    fn a_power_cut_never_lowers_what_was_answered() {
        const LAST: u64 = 6;
        let whole = SimDisk::new(1);
        raise_to(&whole, LAST);
        let operations = [FaultOp::Write, FaultOp::Sync, FaultOp::SyncDir, FaultOp::Rename];
        for op in operations {
            for nth in 1..=whole.ops().of(op) {
                for seed in 0..8 {
                    let disk = SimDisk::new(seed);
                    disk.arm(Fault { op, nth, kind: FaultKind::PowerOff });
                    let answered = raise_to(&disk, LAST);
                    let found = read(&disk.power_cut()).unwrap().changes();
                    let next = answered.map_or(0, |changes| changes + 1);
                    assert!(
                        found == answered || found == Some(next),
                        "{op:?} {nth} seed {seed}: {answered:?} became {found:?}"
                    );
                }
            }
        }
    }

    /// One damaged slot costs at most the last number; two are an error, never a number.
    #[test]
    fn a_damaged_slot_is_not_a_number() {
        for slot in [0, 4096] {
            for byte in 0..16 {
                let disk = SimDisk::new(1);
                raise_to(&disk, 5);
                disk.flip_bit(NAME, slot + byte, 3).unwrap();
                let mut mark = read(&disk).unwrap();
                assert!(matches!(mark.changes(), Some(4 | 5)), "{slot} {byte}");
                mark.raise(6).unwrap();
                mark.raise(7).unwrap();
                assert_eq!(read(&disk).unwrap().changes(), Some(7));
                disk.flip_bit(NAME, 1, 0).unwrap();
                disk.flip_bit(NAME, 4097, 0).unwrap();
                assert_eq!(read(&disk).unwrap_err().kind(), io::ErrorKind::InvalidData);
            }
        }
        let disk = SimDisk::new(1);
        disk.write_raw(NAME, b"").unwrap();
        assert_eq!(read(&disk).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
