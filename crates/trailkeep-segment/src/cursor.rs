//! Walks over the entries of a segment in the order they are stored in.

use trailkeep_event::{Entry, RowBuilder};

use crate::batches::{Batches, WIDE_ROWS, Wanted};
use crate::columns::Columns;
use crate::columns_row::ColumnsRow;
use crate::{Error, SegmentReader, SortKey};

/// An entry with its place in the segment's order.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) sort: SortKey,
    pub(crate) entry: Entry,
    /// The row's section bytes, where the columns do not give it back.
    pub(crate) verbatim: Option<Box<[u8]>>,
}

/// Walks over all entries of a segment; holds one run of rows at a time.
#[derive(Debug)]
pub(crate) struct EntryCursor {
    reader: SegmentReader,
    batches: Batches,
    columns: Option<Columns>,
    /// The next row's number in the run.
    at: usize,
    /// The next row's number in the segment.
    row: u32,
    builder: RowBuilder,
}

impl EntryCursor {
    /// Starts before the first row.
    pub(crate) fn open(reader: SegmentReader) -> Result<Self, Error> {
        let wanted = Wanted { columns: None, rows: None, batch_rows: WIDE_ROWS };
        let batches = reader.batches(&wanted)?;
        let builder = RowBuilder::default();
        Ok(Self { reader, batches, columns: None, at: 0, row: 0, builder })
    }

    /// Returns the next entry.
    pub(crate) fn next(&mut self) -> Result<Option<Located>, Error> {
        while self.columns.as_ref().is_none_or(|columns| self.at >= columns.n_rows()) {
            self.columns = self.batches.next()?;
            self.at = 0;
            if self.columns.is_none() {
                return Ok(None);
            }
        }
        let row = self.row;
        let located = self.read().ok_or_else(|| self.reader.malformed(row))?;
        self.at += 1;
        self.row = self.row.saturating_add(1);
        Ok(Some(located))
    }

    fn read(&mut self) -> Option<Located> {
        let columns = self.columns.as_ref()?;
        let entry = ColumnsRow::of(columns, self.at)?.entry(&mut self.builder)?;
        let run = self.reader.trailer().run_of(self.row)?;
        let sort = SortKey {
            sort_at: entry.view().sort_at(),
            account: std::sync::Arc::clone(&run.account),
            seq: entry.stamp.seq,
        };
        Some(Located { sort, entry, verbatim: columns.sections(self.at).map(Into::into) })
    }
}
