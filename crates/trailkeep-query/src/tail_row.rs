//! The rows of the tail.

use trailkeep_event::{
    EntryRef, Field, Fields, IdKey, Micros, Position, RowRef, SequencedBatch, Stamp, ValueRef,
};
use trailkeep_segment::ShelfView;

use crate::engine::{Deadline, Engine};
use crate::error::Error;
use crate::matcher::Matcher;

impl Engine {
    /// Calls `visit` with each row of a view's tail that is let through.
    pub(crate) fn each_of_tail<'v>(
        &'v self,
        view: &'v ShelfView,
        matcher: &Matcher,
        deadline: &mut Deadline<'_>,
        mut visit: impl FnMut(TailRow<'v>),
    ) -> Result<(), Error> {
        for batch in view.tail.candidates(&matcher.plan()) {
            deadline.look()?;
            if matcher.covers_batch(batch) {
                let rows = TailRow::all(batch, self.shelf.key());
                rows.filter(|row| matcher.lets_through(row)).for_each(&mut visit);
            }
        }
        Ok(())
    }
}

/// One row of a batch of the tail. Unlike an entry it makes its identifier, the most expensive
/// part, only for who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TailRow<'a> {
    batch: &'a SequencedBatch,
    key: &'a IdKey,
    row: RowRef<'a>,
    ordinal: u32,
}

impl<'a> TailRow<'a> {
    /// Returns every row of a batch, in order.
    pub(crate) fn all(batch: &'a SequencedBatch, key: &'a IdKey) -> impl Iterator<Item = Self> {
        batch.batch.rows().map(move |row| Self { batch, key, row: row.row, ordinal: row.ordinal })
    }

    pub(crate) fn account(self) -> &'a str {
        self.row.account_id()
    }

    pub(crate) fn sort_at(self) -> Micros {
        let occurred_at = self.row.occurred_at();
        if self.is_skewed(occurred_at) { self.batch.batch.created_at() } else { occurred_at }
    }

    pub(crate) fn seq(self) -> u64 {
        let seq = usize::try_from(self.ordinal).ok().and_then(|at| self.batch.seqs.get(at));
        seq.copied().unwrap_or(0)
    }

    pub(crate) fn position(self) -> Position {
        let (partition, frame) = (self.batch.partition, self.batch.frame);
        Position { partition, frame, ordinal: self.ordinal }
    }

    /// Returns the row with its stamp.
    pub(crate) fn entry(self) -> Option<EntryRef<'a>> {
        self.batch.entry(self.key, self.ordinal)
    }

    fn is_skewed(self, occurred_at: Micros) -> bool {
        Stamp::skewed(occurred_at, self.batch.batch.created_at())
    }
}

impl Fields for TailRow<'_> {
    fn get(&self, field: Field) -> Option<ValueRef<'_>> {
        let created_at = self.batch.batch.created_at();
        match field {
            Field::Id => Some(ValueRef::Id(self.key.id(created_at, self.position()))),
            Field::Seq => Some(ValueRef::Int(i64::try_from(self.seq()).unwrap_or(i64::MAX))),
            Field::CreatedAt => Some(ValueRef::Time(created_at)),
            Field::ClockSkew => Some(ValueRef::Bool(self.is_skewed(self.row.occurred_at()))),
            _ => self.row.value(field),
        }
    }
}
