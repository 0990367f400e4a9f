//! Which stored columns the file of a segment has: those that some row has a value in, as far as
//! can be told before the rows are turned into columns.

use trailkeep_event::{Field, RowRef};

use crate::SegmentReader;
use crate::compose::parts_of;
use crate::layout::{N_COLUMNS, N_STORED, OCCURRED_US, SECTIONS, SHAPE, shaped};

/// The stored columns that a file is expected to need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected([bool; N_STORED]);

impl Expected {
    /// Starts with the columns that every file has.
    pub(crate) fn new() -> Self {
        let mut expected = Self([false; N_STORED]);
        for column in (Field::IN_ROW..=SECTIONS).chain([SHAPE, OCCURRED_US]) {
            expected.add(column);
        }
        expected
    }

    /// Adds what a row needs.
    pub(crate) fn row(&mut self, row: RowRef<'_>) {
        let presence = row.as_bytes().first_chunk().map_or(0, |bits| u128::from_le_bytes(*bits));
        let mut left = presence;
        while left != 0 {
            let column = usize::try_from(left.trailing_zeros()).unwrap_or(usize::MAX);
            left &= left.wrapping_sub(1);
            self.add_all_of(column);
        }
    }

    /// Adds what the rows of a segment need.
    pub(crate) fn segment(&mut self, reader: &SegmentReader) {
        for column in 0..N_STORED {
            if reader.has_values(column) {
                self.add(column);
            }
        }
    }

    /// Returns the columns, ascending.
    pub(crate) fn columns(&self) -> Vec<usize> {
        let expected = self.0.iter().enumerate().filter(|(_, needed)| **needed);
        expected.map(|(column, _)| column).collect()
    }

    /// Adds a column with its parts. A shaped one has its values in the shape, mostly.
    fn add_all_of(&mut self, column: usize) {
        if shaped(column).is_none() {
            for part in parts_of(column) {
                if part == column || part >= N_COLUMNS {
                    self.add(part);
                }
            }
        }
    }

    fn add(&mut self, column: usize) {
        if let Some(slot) = self.0.get_mut(column) {
            *slot = true;
        }
    }
}

/// Returns all stored columns.
pub(crate) fn all_columns() -> Vec<usize> {
    (0..N_STORED).collect()
}
