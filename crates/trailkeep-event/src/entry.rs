//! An event with its place in the log.

use crate::{EventId, Field, Fields, Micros, Position, Row, RowRef, ValueRef};

/// How far ahead of us a producer's clock may be before the entry is flagged.
const SKEW_MICROS: i64 = 10 * 60 * 1_000_000;

/// What Trailkeep adds to an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamp {
    /// The entry's identifier.
    pub id: EventId,
    /// The entry's index in its account's log, from 0.
    pub seq: u64,
    /// When Trailkeep admitted it; never earlier than the entry before it in its log.
    pub created_at: Micros,
    /// Whether the producer's clock was more than ten minutes ahead.
    pub clock_skew: bool,
    /// The entry's place in the journal.
    pub position: Position,
}

impl Stamp {
    /// Tells whether a producer's time is too far ahead of ours.
    pub fn skewed(occurred_at: Micros, created_at: Micros) -> bool {
        occurred_at.0 > created_at.0.saturating_add(SKEW_MICROS)
    }

    /// Returns the time that lists sort by: the producer's, or ours where its clock was ahead.
    pub fn sort_at(&self, occurred_at: Micros) -> Micros {
        if self.clock_skew { self.created_at } else { occurred_at }
    }

    fn get(&self, field: Field) -> Option<ValueRef<'static>> {
        match field {
            Field::Id => Some(ValueRef::Id(self.id)),
            Field::Seq => Some(ValueRef::Int(i64::try_from(self.seq).unwrap_or(i64::MAX))),
            Field::CreatedAt => Some(ValueRef::Time(self.created_at)),
            Field::ClockSkew => Some(ValueRef::Bool(self.clock_skew)),
            _ => None,
        }
    }
}

/// An entry, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct EntryRef<'a> {
    /// The event.
    pub row: RowRef<'a>,
    /// What Trailkeep added.
    pub stamp: Stamp,
}

impl EntryRef<'_> {
    /// Returns the time that lists sort by.
    pub fn sort_at(&self) -> Micros {
        self.stamp.sort_at(self.row.occurred_at())
    }

    /// Copies the entry.
    pub fn to_entry(self) -> Entry {
        Entry { row: self.row.to_row(), stamp: self.stamp }
    }
}

impl Fields for EntryRef<'_> {
    fn get(&self, field: Field) -> Option<ValueRef<'_>> {
        self.stamp.get(field).or_else(|| self.row.value(field))
    }
}

/// An entry, owned.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The event.
    pub row: Row,
    /// What Trailkeep added.
    pub stamp: Stamp,
}

impl Entry {
    /// Borrows the entry.
    pub fn view(&self) -> EntryRef<'_> {
        EntryRef { row: self.row.view(), stamp: self.stamp }
    }
}

impl Fields for Entry {
    fn get(&self, field: Field) -> Option<ValueRef<'_>> {
        self.stamp.get(field).or_else(|| self.row.view().value(field))
    }
}
