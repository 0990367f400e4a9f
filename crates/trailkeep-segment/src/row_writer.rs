//! Turns sorted rows into the columns of a segment, and proves that they come back from them.

use trailkeep_event::{BatchRow, Field, IdKey, Micros};

use crate::Error;
use crate::columns::Columns;
use crate::columns_builder::{ColumnsBuilder, Place, with_sections};
use crate::expected::FileColumns;
use crate::given_back::GivenBack;
use crate::layout::{Effort, WRITE_BATCH_ROWS};
use crate::seal::SealFault;
use crate::values::Values;
use crate::verbatim::{read_sections, write_sections};
use crate::writer::SegmentWriter;

/// How many rows are encoded at once.
pub(crate) const CHUNK_ROWS: usize = 8192;
/// How many bytes of rows are encoded at once.
pub(crate) const CHUNK_BYTES: usize = 8 << 20;

/// A row on its way into a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SortedRow<'a> {
    pub(crate) admitted: BatchRow<'a>,
    pub(crate) place: Place,
    /// When it sorts.
    pub(crate) sort_at: Micros,
}

/// Writes rows in their order. Memory: a run of columns, and what the file takes.
#[derive(Debug)]
pub(crate) struct RowWriter<'a> {
    writer: SegmentWriter,
    key: IdKey,
    file: FileColumns,
    fault: Option<SealFault>,
    builder: ColumnsBuilder,
    pending: Vec<SortedRow<'a>>,
    pending_bytes: usize,
    /// Whether a row has a value in a column that the file lacks.
    misses_columns: bool,
}

impl<'a> RowWriter<'a> {
    /// Starts a segment with some of the stored columns. Where a row has a value in another, the
    /// segment has to be begun again with all of them.
    pub(crate) fn new(
        id: [u8; 16],
        key: &IdKey,
        file: &FileColumns,
        fault: Option<SealFault>,
    ) -> Result<Self, Error> {
        let writer = SegmentWriter::new(id, file, Effort::Quick)?;
        let builder = ColumnsBuilder::new(file, writer.schema());
        Ok(Self {
            writer,
            key: key.clone(),
            file: file.clone(),
            fault,
            builder,
            pending: Vec::with_capacity(CHUNK_ROWS),
            pending_bytes: 0,
            misses_columns: false,
        })
    }

    /// Appends a row.
    ///
    /// # Panics
    /// Where the rows do not come in order: every look-up would be wrong.
    pub(crate) fn push(&mut self, row: SortedRow<'a>) -> Result<(), Error> {
        self.pending_bytes = self.pending_bytes.saturating_add(row.admitted.row.as_bytes().len());
        self.pending.push(row);
        // Pages end where they should only if what is encoded at once is whole counts of rows.
        let whole = self.pending.len().is_multiple_of(WRITE_BATCH_ROWS);
        let full = self.pending.len() >= CHUNK_ROWS || self.pending_bytes >= CHUNK_BYTES;
        if whole && full {
            self.flush()?;
        }
        Ok(())
    }

    /// Returns what writes the file; `None` where a row has a value in a column that the file
    /// lacks.
    pub(crate) fn finish(mut self) -> Result<Option<SegmentWriter>, Error> {
        self.flush()?;
        Ok((!self.misses_columns).then_some(self.writer))
    }

    /// Encodes the rows that wait, and compares each with what its columns give back.
    fn flush(&mut self) -> Result<(), Error> {
        let pending = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        if self.misses_columns || pending.is_empty() {
            return Ok(());
        }
        let first = self.writer.n_rows();
        for (number, row) in (first..).zip(&pending) {
            let mut values = Values::of(row.admitted.row);
            let account = values.text_of(Field::AccountId).unwrap_or("");
            self.writer.place(account, row.sort_at, row.place.seq)?;
            if let Some(fault) = self.fault.filter(|fault| fault.row == number) {
                fault.apply(&mut values);
            }
            self.builder.push(&mut values, &row.place);
        }
        let segment = self.writer.id();
        let failed = |source| Error::Columns { segment: segment.to_owned(), source };
        let Some((batch, shapes)) = self.builder.finish().map_err(failed)? else {
            self.misses_columns = true;
            return Ok(());
        };
        let columns = Columns::of_file(&batch, &shapes, &self.file.members, &self.key);
        let malformed = || Error::Malformed { segment: segment.to_owned(), row: first.into() };
        let columns = columns.ok_or_else(malformed)?;
        let given_back = GivenBack::of(&columns);
        let mut sections = Vec::with_capacity(pending.len());
        for (number, row) in pending.iter().enumerate() {
            let position = row.place.position;
            if !row.admitted.is_intact() {
                return Err(Error::RowChanged { segment: segment.to_owned(), position });
            }
            let same = given_back.equals(number, row.admitted.row);
            sections.push(if same { None } else { Some(differing(segment, row)?) });
        }
        let batch = with_sections(&batch, &sections).map_err(failed)?;
        self.writer.write(batch)?;
        self.pending = pending;
        self.pending.clear();
        Ok(())
    }
}

/// Reports a row that its columns do not give back, and returns its section bytes.
fn differing(segment: &str, row: &SortedRow<'_>) -> Result<Box<[u8]>, Error> {
    let position = row.place.position;
    tracing::error!(
        %segment,
        %position,
        "columns do not give a row back; its section bytes are stored"
    );
    let mut bytes = Vec::new();
    write_sections(&Values::of(row.admitted.row), &mut bytes);
    // The last way to store the row: where it does not give the row back either, sealing must
    // fail while the journal still has it.
    if read_sections(&bytes).is_some_and(|read| read.view() == row.admitted.row) {
        Ok(bytes.into_boxed_slice())
    } else {
        Err(Error::Unstorable { segment: segment.to_owned(), position })
    }
}
