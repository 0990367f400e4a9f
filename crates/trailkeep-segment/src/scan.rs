//! Walks over the rows of some accounts in some window, reading only the columns asked for.

use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use trailkeep_event::{Field, Micros};

use crate::batches::{NARROW_ROWS, Wanted};
use crate::columns::Columns;
use crate::columns_row::ColumnsRow;
use crate::layout::{FRAME, ORDINAL, PARTITION, SECTIONS, column_of};
use crate::trailer::AccountRun;
use crate::{Error, SegmentReader, SortKey};

/// What a scan visits and reads.
#[derive(Clone, Copy, Debug)]
pub struct ScanPlan<'a> {
    /// The accounts; all where absent.
    pub accounts: Option<&'a BTreeSet<String>>,
    /// The earliest time that a row may sort at.
    pub from: Option<Micros>,
    /// The time that a row must sort before.
    pub to: Option<Micros>,
    /// The fields that the visitor looks at. `account_id`, `occurred_at`, `created_at`,
    /// `clock_skew` and `seq` are read in any case.
    pub fields: &'a [Field],
}

/// A row of a scan: what [`SegmentReader::fetch`] takes, and its place in lists.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RowHandle {
    /// The row's number in the segment.
    pub row: u32,
    /// The row's place in lists.
    pub sort: SortKey,
}

const ALWAYS: [Field; 5] =
    [Field::AccountId, Field::OccurredAt, Field::CreatedAt, Field::ClockSkew, Field::Seq];

impl SegmentReader {
    /// Calls `visit` with every row of the plan's accounts and window, in the order they are
    /// stored in: by account, then time. Reads only pages that can hold such rows, and only the
    /// columns that the plan names.
    pub fn scan(
        &self,
        plan: &ScanPlan<'_>,
        visit: &mut dyn FnMut(RowHandle, &ColumnsRow<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let ranges = self.ranges(plan);
        if ranges.is_empty() {
            return Ok(());
        }
        let columns = self.columns_of(plan.fields);
        let rows: Vec<Range<u32>> = ranges.iter().map(|(rows, _)| rows.clone()).collect();
        let wanted = Wanted { columns: Some(&columns), rows: Some(&rows), batch_rows: NARROW_ROWS };
        let mut batches = self.batches(&wanted)?;
        let mut places =
            ranges.iter().flat_map(|(rows, run)| rows.clone().map(move |row| (row, *run)));
        while let Some(columns) = batches.next()? {
            for at in 0..columns.n_rows() {
                let Some((row, run)) = places.next() else { return Ok(()) };
                if self.visit_row(plan, (row, run), (&columns, at), visit)?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Returns points of time in the rows of a plan, ascending, each with about how many rows sort
    /// from there on. A reader that wants the first few by time scans from one end, window by
    /// window. Costs nothing but memory that is held anyway.
    pub fn points(&self, plan: &ScanPlan<'_>) -> Vec<(Micros, u32)> {
        let mut points: Vec<(Micros, u32)> = self
            .ranges(plan)
            .iter()
            .flat_map(|(rows, run)| self.trailer().points(run, rows))
            .collect();
        points.sort_unstable();
        points
    }

    fn visit_row(
        &self,
        plan: &ScanPlan<'_>,
        (row, run): (u32, &AccountRun),
        (columns, at): (&Columns, usize),
        visit: &mut dyn FnMut(RowHandle, &ColumnsRow<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Error> {
        let view = ColumnsRow::of(columns, at).ok_or_else(|| self.malformed(row))?;
        let sort_at = view.sort_at().ok_or_else(|| self.malformed(row))?;
        let early = plan.from.is_some_and(|from| sort_at < from);
        if early || plan.to.is_some_and(|to| sort_at >= to) {
            return Ok(ControlFlow::Continue(()));
        }
        let seq = view.seq().ok_or_else(|| self.malformed(row))?;
        let sort = SortKey { sort_at, account: Arc::clone(&run.account), seq };
        Ok(visit(RowHandle { row, sort }, &view))
    }

    /// Returns the rows to read, in order, each range with its account.
    pub(crate) fn ranges(&self, plan: &ScanPlan<'_>) -> Vec<(Range<u32>, &AccountRun)> {
        let trailer = self.trailer();
        trailer
            .accounts
            .iter()
            .filter(|run| plan.accounts.is_none_or(|accounts| accounts.contains(&*run.account)))
            .map(|run| (trailer.narrow(run, plan.from, plan.to), run))
            .filter(|(rows, _)| !rows.is_empty())
            .collect()
    }

    /// Returns the columns that rows need to give some fields, and their places in lists.
    pub(crate) fn columns_of(&self, fields: &[Field]) -> Vec<usize> {
        let mut columns: Vec<usize> =
            ALWAYS.iter().chain(fields).filter_map(|field| column_of(*field)).collect();
        if fields.contains(&Field::Id) {
            columns.extend([PARTITION, FRAME, ORDINAL]);
        }
        if self.trailer().verbatim > 0 {
            columns.push(SECTIONS);
        }
        columns
    }
}
