//! Which stored columns the file of a segment has: those that some row has a value in, as far as
//! can be told before the rows are turned into columns.

use trailkeep_event::{Field, RowRef};

use crate::SegmentReader;
use crate::compose::parts_of;
use crate::layout::{MEMBERS, METADATA, N_COLUMNS, OCCURRED_US, SECTIONS, SHAPE, shaped};
use crate::members::{MemberCounts, Members};

/// The stored columns that a file has, ascending, and what those of members stand for.
#[derive(Clone, Debug)]
pub(crate) struct FileColumns {
    pub(crate) stored: Vec<usize>,
    pub(crate) members: Members,
}

impl FileColumns {
    /// Adds all columns that are not of members.
    pub(crate) fn all(mut self) -> Self {
        self.stored = (0..MEMBERS).collect();
        self.stored.extend(self.members.iter().map(|(column, _)| column));
        self
    }
}

/// The stored columns that a file is expected to need.
#[derive(Debug)]
pub(crate) struct Expected {
    needed: [bool; MEMBERS],
    /// The fields that rows have: a bit each, as in a row.
    present: u128,
    members: MemberCounts,
}

impl Expected {
    /// Starts with the columns that every file has.
    pub(crate) fn new() -> Self {
        let mut expected =
            Self { needed: [false; MEMBERS], present: 0, members: MemberCounts::default() };
        for column in (Field::IN_ROW..=SECTIONS).chain([SHAPE, OCCURRED_US]) {
            expected.add(column);
        }
        expected
    }

    /// Adds what a row needs.
    pub(crate) fn row(&mut self, row: RowRef<'_>) {
        let present = row.as_bytes().first_chunk().map_or(0, |bits| u128::from_le_bytes(*bits));
        self.present |= present;
        self.members.row(row);
    }

    /// Adds what the rows of a segment need.
    pub(crate) fn segment(&mut self, reader: &SegmentReader) {
        for column in 0..MEMBERS {
            if reader.has_values(column) {
                self.add(column);
            }
        }
        self.members.rows(u64::from(reader.meta().rows));
        for (column, member) in reader.members().iter() {
            // Where the member is not frequent in the new file, it goes to the rest.
            self.add(METADATA);
            self.members.column(member, reader.n_values(column));
        }
    }

    /// Returns the columns.
    pub(crate) fn columns(mut self) -> FileColumns {
        let present = self.present;
        for column in (0..Field::IN_ROW).filter(|column| present >> column & 1 == 1) {
            self.add_all_of(column);
        }
        let members = self.members.choose();
        let needed = self.needed.iter().enumerate().filter(|(_, needed)| **needed);
        let stored = needed.map(|(column, _)| column);
        let stored = stored.chain(members.iter().map(|(column, _)| column)).collect();
        FileColumns { stored, members }
    }

    /// Adds a column with its parts. A shaped one has its values in the shape, mostly.
    fn add_all_of(&mut self, column: usize) {
        if shaped(column).is_none() {
            for part in parts_of(column) {
                if part == column || (N_COLUMNS..MEMBERS).contains(&part) {
                    self.add(part);
                }
            }
        }
    }

    fn add(&mut self, column: usize) {
        if let Some(slot) = self.needed.get_mut(column) {
            *slot = true;
        }
    }
}
