//! The file of records that could not become entries.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::Serialize;

/// How much of a bad record is kept.
const RECORD_BYTES_MAX: usize = 64 * 1024;
/// The longest line of the file: a record whose every byte is escaped, and what stands around it.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// A record that could not become an entry, and why.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Quarantined {
    /// The job comes first: [`QuarantineFile::resume`] looks for it there.
    pub(super) job: String,
    pub(super) file: String,
    pub(super) line: u64,
    pub(super) reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pointer: Option<String>,
    pub(super) record: String,
}

impl Quarantined {
    /// Keeps the front of a record as text; bytes that are no text become a mark.
    pub(super) fn text_of(record: &[u8]) -> String {
        let front = record.get(..RECORD_BYTES_MAX).unwrap_or(record);
        String::from_utf8_lossy(front).into_owned()
    }
}

/// The quarantine file. It is made when the first bad record comes. What others wrote into it is
/// never cut: each line names its job.
#[derive(Debug)]
pub(super) struct QuarantineFile {
    file: Option<File>,
    bytes: u64,
}

/// Returns where a new job begins in a quarantine file: behind what is there.
pub(super) fn quarantine_start(path: &Path) -> io::Result<u64> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

impl QuarantineFile {
    /// Goes on behind `bytes`. What a killed run of the job wrote after that is written again, so
    /// it is cut off; where another job wrote after that, nothing is.
    pub(super) fn resume(path: &Path, bytes: u64, job: &str) -> io::Result<Self> {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && bytes == 0 => {
                return Ok(Self { file: None, bytes: 0 });
            }
            Err(error) => return Err(error),
        };
        lock(&file)?;
        let len = file.metadata()?.len();
        if len < bytes {
            let message = "the quarantine file is shorter than the job left it";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let bytes = if all_of(&file, bytes, job)? { bytes } else { len };
        file.set_len(bytes)?;
        (&file).seek(SeekFrom::Start(bytes))?;
        Ok(Self { file: Some(file), bytes })
    }

    /// Appends records, durably, and returns the file's length.
    pub(super) fn append(&mut self, path: &Path, records: &[Quarantined]) -> io::Result<u64> {
        let mut lines = Vec::new();
        for record in records {
            serde_json::to_writer(&mut lines, record)?;
            lines.push(b'\n');
        }
        if lines.is_empty() {
            return Ok(self.bytes);
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let file = OpenOptions::new().write(true).create_new(true).open(path)?;
                lock(&file)?;
                none.insert(file)
            }
        };
        file.write_all(&lines)?;
        file.sync_data()?;
        self.bytes = self.bytes.saturating_add(u64::try_from(lines.len()).unwrap_or(0));
        Ok(self.bytes)
    }
}

/// Keeps other jobs off the file while this one writes it.
fn lock(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::Error(error) => error,
        TryLockError::WouldBlock => {
            let message = "another import writes it; name another file by --quarantine";
            io::Error::new(io::ErrorKind::WouldBlock, message)
        }
    })
}

/// Tells whether every line of a file behind `from` is of one job; the last may be cut short.
fn all_of(file: &File, from: u64, job: &str) -> io::Result<bool> {
    let mut file = file;
    file.seek(SeekFrom::Start(from))?;
    let start = format!("{{\"job\":\"{job}\",");
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(true);
        }
        // What a crash cut short may end before the job's name does.
        let whole = line.starts_with(start.as_bytes());
        if !whole && !start.as_bytes().starts_with(&line) {
            return Ok(false);
        }
    }
}
