//! The file of records that could not become entries.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use serde::Serialize;

/// How much of a bad record is kept.
const RECORD_BYTES_MAX: usize = 64 * 1024;

/// A record that could not become an entry, and why.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Quarantined {
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

/// The quarantine file. It is made when the first bad record comes.
#[derive(Debug)]
pub(super) struct QuarantineFile {
    file: Option<File>,
    bytes: u64,
}

impl QuarantineFile {
    /// Goes on behind `bytes`: what a killed run wrote after that is written again.
    pub(super) fn resume(path: &Path, bytes: u64) -> io::Result<Self> {
        if bytes == 0 {
            // What an earlier run left without having saved its progress comes again.
            return match OpenOptions::new().write(true).open(path) {
                Ok(file) => Self::cut(file, 0),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Ok(Self { file: None, bytes: 0 })
                }
                Err(error) => Err(error),
            };
        }
        Self::cut(OpenOptions::new().write(true).open(path)?, bytes)
    }

    fn cut(mut file: File, bytes: u64) -> io::Result<Self> {
        if file.metadata()?.len() < bytes {
            let message = "the quarantine file is shorter than the job left it";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        file.set_len(bytes)?;
        file.seek(SeekFrom::Start(bytes))?;
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
            none => none.insert(OpenOptions::new().write(true).create_new(true).open(path)?),
        };
        file.write_all(&lines)?;
        file.sync_data()?;
        self.bytes = self.bytes.saturating_add(u64::try_from(lines.len()).unwrap_or(0));
        Ok(self.bytes)
    }
}
