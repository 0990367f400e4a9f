//! A disk that keeps its own time apart from its user's.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use trailkeep_io::{Clock, DirEntry, Disk, DiskFile, OpenMode, RealDisk, Space, SystemClock};

/// A real disk that adds up how long its files' writes and fsyncs take.
#[derive(Clone, Debug)]
pub(crate) struct TimedDisk {
    disk: RealDisk,
    stopwatch: Stopwatch,
}

#[derive(Clone, Debug)]
struct Stopwatch {
    clock: SystemClock,
    nanos: Arc<AtomicU64>,
}

impl TimedDisk {
    pub(crate) fn new(disk: RealDisk) -> Self {
        let stopwatch = Stopwatch { clock: SystemClock::new(), nanos: Arc::default() };
        Self { disk, stopwatch }
    }

    /// Returns the disk's time so far.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.stopwatch.nanos.load(Ordering::Relaxed))
    }
}

impl Stopwatch {
    fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let begun = self.clock.monotonic();
        let done = work();
        let took = self.clock.monotonic().saturating_sub(begun);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
        done
    }
}

impl Disk for TimedDisk {
    fn open(&self, path: &str, mode: OpenMode) -> io::Result<Box<dyn DiskFile>> {
        let file = self.disk.open(path, mode)?;
        Ok(Box::new(TimedFile { file, stopwatch: self.stopwatch.clone() }))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<DirEntry>> {
        self.disk.list(folder)
    }

    fn create_dir_all(&self, folder: &str) -> io::Result<()> {
        self.disk.create_dir_all(folder)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn sync_dir(&self, folder: &str) -> io::Result<()> {
        self.disk.sync_dir(folder)
    }

    fn space(&self) -> io::Result<Space> {
        self.disk.space()
    }
}

#[derive(Debug)]
struct TimedFile {
    file: Box<dyn DiskFile>,
    stopwatch: Stopwatch,
}

impl DiskFile for TimedFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.stopwatch.time(|| self.file.write_all_at(bytes, offset))
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.stopwatch.time(|| self.file.sync())
    }
}
