//! Reads the stored columns of a segment, a run of rows at a time.

use std::sync::Arc;

use trailkeep_event::Micros;

use super::checksum::Checksum;
use crate::caches::Caches;
use crate::column::Column;
use crate::compose::MILLI;
use crate::layout::{
    CLOCK_SKEW, CREATED_AT, N_STORED, OCCURRED_AT, OCCURRED_US, PAGE_ROWS_MAX, ROW_GROUP_ROWS_MAX,
    SECTIONS, SEQ,
};
use crate::members::Members;
use crate::numbers::{index, short};
use crate::page::{PageSource, Picks};
use crate::verbatim::read_sections;
use crate::verified::VerifiedFile;
use crate::{Error, SegmentReader};

/// How much memory decoded dictionaries of one input may take; those beyond are read again.
const CACHE_BYTES: u64 = 256 << 20;
/// How many rows of usual size are read at once: a page.
const RUN_ROWS: u32 = 2048;
/// How many rows are read at once where they are large.
const LARGE_RUN_ROWS: u32 = 256;
/// Rows are large beyond so many bytes.
const LARGE_ROW_BYTES: u64 = 4096;

/// A segment that is read from its first row to its last, past the store's cache.
pub(super) struct Input {
    reader: SegmentReader,
    number: usize,
    file: VerifiedFile,
    caches: Caches,
    run_rows: u32,
    /// The next row.
    at: u32,
    checksum: Checksum,
}

/// Rows of one row group as they are stored.
#[derive(Debug)]
pub(super) struct RawRun {
    pub(super) input: usize,
    pub(super) group: usize,
    pub(super) n_rows: usize,
    pub(super) members: Members,
    /// By stored column.
    pub(super) columns: Vec<Column>,
    /// When each row sorts, and its index in its account's log.
    pub(super) keys: Vec<(Micros, u64)>,
    /// The accounts, each with the number of the row after its last.
    pub(super) accounts: Vec<(usize, Arc<str>)>,
}

impl RawRun {
    pub(super) fn column(&self, column: usize) -> Column {
        self.columns.get(column).cloned().unwrap_or(Column::Absent(self.n_rows))
    }
}

impl Input {
    /// Starts before the first row.
    pub(super) fn new(reader: SegmentReader, number: usize) -> Self {
        let file = reader.walked();
        let row_bytes = reader.uncompressed_bytes().checked_div(u64::from(reader.meta().rows));
        let is_large = row_bytes.is_some_and(|bytes| bytes > LARGE_ROW_BYTES);
        let run_rows = if is_large { LARGE_RUN_ROWS } else { RUN_ROWS };
        let (caches, checksum) = (Caches::new(CACHE_BYTES), Checksum::default());
        Self { reader, number, file, caches, run_rows, at: 0, checksum }
    }

    /// Returns the checksum of the rows so far.
    pub(super) fn checksum(&self) -> u64 {
        self.checksum.total()
    }

    /// Goes past the next rows; returns whether there were any.
    pub(super) fn pass(&mut self) -> Result<bool, Error> {
        self.next().map(|run| run.is_some())
    }

    /// Returns the next rows.
    pub(super) fn next(&mut self) -> Result<Option<RawRun>, Error> {
        let start = self.at;
        let end = start.saturating_add(self.run_rows).min(self.reader.meta().rows);
        if start >= end {
            return Ok(None);
        }
        self.at = end;
        let group_rows = short(ROW_GROUP_ROWS_MAX);
        debug_assert!(group_rows.is_multiple_of(RUN_ROWS) && index(RUN_ROWS) == PAGE_ROWS_MAX);
        let group = index(start / group_rows);
        let first = index(start % group_rows);
        let n_rows = index(end.saturating_sub(start));
        let source = PageSource { file: &self.file, caches: &self.caches, ..self.reader.source() };
        let picks = Picks::Range(first..first.saturating_add(n_rows));
        let mut columns = Vec::with_capacity(N_STORED);
        for column in 0..N_STORED {
            columns.push(source.column(group, column, &picks)?);
        }
        self.checksum.add(n_rows, &columns);
        let keys = keys(&columns, n_rows).ok_or_else(|| self.reader.malformed(start))?;
        let mut accounts = Vec::new();
        let mut row = start;
        while row < end {
            let run = self.reader.trailer().run_of(row);
            let run = run.ok_or_else(|| self.reader.malformed(row))?;
            row = run.rows.end.min(end);
            accounts.push((index(row.saturating_sub(start)), Arc::clone(&run.account)));
        }
        let (input, members) = (self.number, self.reader.members().clone());
        Ok(Some(RawRun { input, group, n_rows, members, columns, keys, accounts }))
    }
}

fn keys(columns: &[Column], n_rows: usize) -> Option<Vec<(Micros, u64)>> {
    let column = |column: usize| columns.get(column);
    let (skew, created) = (column(CLOCK_SKEW)?, column(CREATED_AT)?);
    let (millis, beyond) = (column(OCCURRED_AT)?, column(OCCURRED_US)?);
    let (seqs, sections) = (column(SEQ)?, column(SECTIONS)?);
    let key = |row: usize| {
        let sort_at = if skew.truth(row)? {
            Micros(created.int(row)?)
        } else if let Some(bytes) = sections.bytes(row) {
            read_sections(bytes)?.view().occurred_at()
        } else {
            let beyond = beyond.int(row).unwrap_or(0);
            Micros(millis.int(row)?.checked_mul(MILLI)?.checked_add(beyond)?)
        };
        Some((sort_at, u64::try_from(seqs.int(row)?).ok()?))
    };
    (0..n_rows).map(key).collect()
}
