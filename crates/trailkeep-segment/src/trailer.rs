//! The trailer: the checksums of the Parquet object and what finds rows in it.

use std::ops::Range;
use std::sync::Arc;

use trailkeep_event::Micros;

use crate::layout::PAGE_ROWS_MAX;
use crate::numbers::{index, long};

const MAGIC: &[u8; 4] = b"TKS1";
/// The longest range of bytes that one checksum covers.
pub(crate) const BLOCK_BYTES_MAX: u32 = 16 * 1024;
/// The column number of bytes outside any column.
pub(crate) const OUTSIDE: u16 = u16::MAX;

/// A range of the Parquet object and its checksum.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Block {
    pub(crate) offset: u64,
    pub(crate) len: u32,
    pub(crate) column: u16,
    pub(crate) crc: u32,
}

impl Block {
    /// Returns where the block ends.
    pub(crate) fn end(&self) -> u64 {
        self.offset.saturating_add(u64::from(self.len))
    }
}

/// The rows of one account, which stand together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct AccountRun {
    pub(crate) account: Arc<str>,
    pub(crate) rows: Range<u32>,
    pub(crate) min_sort_at: Micros,
    pub(crate) max_sort_at: Micros,
}

/// The second object of a segment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Trailer {
    pub(crate) format: u16,
    pub(crate) rows: u32,
    /// How many rows are stored with their section bytes.
    pub(crate) verbatim: u32,
    pub(crate) file_bytes: u64,
    /// Covers every byte of the Parquet object, in order.
    pub(crate) blocks: Vec<Block>,
    /// Covers every row, in order.
    pub(crate) accounts: Vec<AccountRun>,
    /// The time that every row with a number divisible by [`PAGE_ROWS_MAX`] sorts at.
    pub(crate) marks: Vec<Micros>,
}

/// Says why bytes are not a trailer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TrailerError {
    /// It is of a version that this program does not read.
    Format(u16),
    /// It contradicts itself.
    Malformed,
}

impl Trailer {
    /// Returns the trailer's bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.blocks.len() * 10 + self.accounts.len() * 40);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.format.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.rows.to_le_bytes());
        out.extend_from_slice(&self.verbatim.to_le_bytes());
        out.extend_from_slice(&self.file_bytes.to_le_bytes());
        let n_blocks = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
        let n_accounts = u32::try_from(self.accounts.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&n_blocks.to_le_bytes());
        out.extend_from_slice(&n_accounts.to_le_bytes());
        for block in &self.blocks {
            out.extend_from_slice(&block.len.to_le_bytes());
            out.extend_from_slice(&block.column.to_le_bytes());
            out.extend_from_slice(&block.crc.to_le_bytes());
        }
        for run in &self.accounts {
            let len = u16::try_from(run.account.len()).unwrap_or(u16::MAX);
            out.extend_from_slice(&len.to_le_bytes());
            out.extend_from_slice(run.account.as_bytes());
            out.extend_from_slice(&run.rows.end.saturating_sub(run.rows.start).to_le_bytes());
            out.extend_from_slice(&run.min_sort_at.0.to_le_bytes());
            out.extend_from_slice(&run.max_sort_at.0.to_le_bytes());
        }
        for mark in &self.marks {
            out.extend_from_slice(&mark.0.to_le_bytes());
        }
        out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
        out
    }

    /// Reads and checks a trailer.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, TrailerError> {
        let Some((body, crc)) = bytes.split_last_chunk::<4>() else {
            return Err(TrailerError::Malformed);
        };
        if crc32c::crc32c(body) != u32::from_le_bytes(*crc) {
            return Err(TrailerError::Malformed);
        }
        let mut cursor = Cursor(body);
        if cursor.array() != Some(*MAGIC) {
            return Err(TrailerError::Malformed);
        }
        let format = cursor.array().map(u16::from_le_bytes).ok_or(TrailerError::Malformed)?;
        if format != crate::FORMAT_VERSION {
            return Err(TrailerError::Format(format));
        }
        Self::decode_body(format, cursor).ok_or(TrailerError::Malformed)
    }

    fn decode_body(format: u16, mut cursor: Cursor<'_>) -> Option<Self> {
        let _reserved: [u8; 2] = cursor.array()?;
        let rows = cursor.u32()?;
        let verbatim = cursor.u32()?;
        let file_bytes = u64::from_le_bytes(cursor.array()?);
        let n_blocks = cursor.u32()?;
        let n_accounts = cursor.u32()?;
        let mut blocks = Vec::new();
        let mut offset = 0_u64;
        for _ in 0..n_blocks {
            let len = cursor.u32().filter(|len| (1..=BLOCK_BYTES_MAX).contains(len))?;
            let column = u16::from_le_bytes(cursor.array()?);
            blocks.push(Block { offset, len, column, crc: cursor.u32()? });
            offset = offset.checked_add(u64::from(len))?;
        }
        let mut accounts = Vec::new();
        let mut first = 0_u32;
        for _ in 0..n_accounts {
            let len = u16::from_le_bytes(cursor.array()?);
            let account = std::str::from_utf8(cursor.take(usize::from(len))?).ok()?.into();
            let end = first.checked_add(cursor.u32()?)?;
            let min_sort_at = cursor.micros()?;
            let max_sort_at = cursor.micros()?;
            accounts.push(AccountRun { account, rows: first..end, min_sort_at, max_sort_at });
            first = end;
        }
        let mut marks = Vec::new();
        for _ in 0..index(rows).div_ceil(PAGE_ROWS_MAX) {
            marks.push(cursor.micros()?);
        }
        let sorted = accounts.windows(2).all(|pair| match pair {
            [a, b] => a.account < b.account,
            _ => true,
        });
        let whole = offset == file_bytes && first == rows && cursor.0.is_empty() && sorted;
        whole.then_some(Self { format, rows, verbatim, file_bytes, blocks, accounts, marks })
    }

    /// Returns the numbers of the blocks that hold a range of bytes.
    pub(crate) fn blocks_of(&self, bytes: Range<u64>) -> Range<usize> {
        let first = self.blocks.partition_point(|block| block.end() <= bytes.start);
        let end = self.blocks.partition_point(|block| block.offset < bytes.end);
        first..end.max(first)
    }

    /// Returns the account whose rows include one.
    pub(crate) fn run_of(&self, row: u32) -> Option<&AccountRun> {
        self.accounts.get(self.accounts.partition_point(|run| run.rows.end <= row))
    }

    /// Returns the account's run of rows, where it has one.
    pub(crate) fn run_named(&self, account: &str) -> Option<&AccountRun> {
        let at = self.accounts.binary_search_by(|run| (*run.account).cmp(account)).ok()?;
        self.accounts.get(at)
    }

    /// Returns bounds of the times that an account's rows on a page sort at.
    pub(crate) fn span(&self, run: &AccountRun, page: u32) -> (Micros, Micros) {
        let page_rows = u32::try_from(PAGE_ROWS_MAX).unwrap_or(u32::MAX);
        let mark = |page: u32| {
            let inside = (run.rows.start..run.rows.end).contains(&page.saturating_mul(page_rows));
            self.marks.get(index(page)).copied().filter(|_| inside)
        };
        let earliest = mark(page).unwrap_or(run.min_sort_at);
        (earliest, mark(page.saturating_add(1)).unwrap_or(run.max_sort_at))
    }

    /// Returns bounds of the times that the rows of each page sort at.
    pub(crate) fn spans(&self) -> Box<[(Micros, Micros)]> {
        let page_rows = u32::try_from(PAGE_ROWS_MAX).unwrap_or(u32::MAX);
        let mut spans = vec![(Micros(i64::MAX), Micros(i64::MIN)); self.marks.len()];
        for run in &self.accounts {
            let first = run.rows.start.checked_div(page_rows).unwrap_or(0);
            for page in first..run.rows.end.div_ceil(page_rows) {
                let (earliest, latest) = self.span(run, page);
                if let Some(span) = spans.get_mut(index(page)) {
                    *span = (span.0.min(earliest), span.1.max(latest));
                }
            }
        }
        spans.into()
    }

    /// Returns points of time in an account's narrowed rows, each with about how many rows sort
    /// from there to the next one.
    pub(crate) fn points(&self, run: &AccountRun, rows: &Range<u32>) -> Vec<(Micros, u32)> {
        let page = u32::try_from(PAGE_ROWS_MAX).unwrap_or(u32::MAX);
        let first_mark = rows.start.div_ceil(page);
        let before = first_mark.saturating_mul(page).min(rows.end).saturating_sub(rows.start);
        let mut points = Vec::new();
        if before > 0 {
            let at = rows.start.checked_div(page).map(index).and_then(|at| self.marks.get(at));
            let start = at.filter(|_mark| rows.start > run.rows.start).copied();
            points.push((start.unwrap_or(run.min_sort_at), before));
        }
        for mark in first_mark..rows.end.div_ceil(page) {
            let at = mark.saturating_mul(page);
            let n_rows = rows.end.saturating_sub(at).min(page);
            points.extend(self.marks.get(index(mark)).map(|time| (*time, n_rows)));
        }
        points
    }

    /// Narrows the rows of an account to those that can sort in a window. What is left may still
    /// hold up to a page of rows on either side that do not.
    pub(crate) fn narrow(
        &self,
        run: &AccountRun,
        from: Option<Micros>,
        to: Option<Micros>,
    ) -> Range<u32> {
        let outside = from.is_some_and(|from| run.max_sort_at < from)
            || to.is_some_and(|to| run.min_sort_at >= to);
        if outside {
            return run.rows.start..run.rows.start;
        }
        let page = u32::try_from(PAGE_ROWS_MAX).unwrap_or(u32::MAX);
        let first_mark = index(run.rows.start.div_ceil(page));
        let end_mark = index(run.rows.end.div_ceil(page));
        let marks = self.marks.get(first_mark..end_mark).unwrap_or(&[]);
        let row_of = |mark: usize| {
            let row = long(first_mark.saturating_add(mark)).saturating_mul(u64::from(page));
            u32::try_from(row).unwrap_or(u32::MAX)
        };
        let early = from.map_or(0, |from| marks.partition_point(|mark| *mark < from));
        let start = if early == 0 { run.rows.start } else { row_of(early - 1) };
        let late = to.map_or(marks.len(), |to| marks.partition_point(|mark| *mark < to));
        let end = if late == marks.len() { run.rows.end } else { row_of(late) };
        start..end.max(start)
    }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn micros(&mut self) -> Option<Micros> {
        self.array().map(|bytes| Micros(i64::from_le_bytes(bytes)))
    }
}
