//! A batch: the rows of one frame, as bytes. The same bytes are journaled, tailed and sent.
//!
//! ```text
//! version u8 = 2 | created_at i64 LE | n_rows u32 LE | rows
//! row = len u32 LE | xxh3 of the row bytes u64 LE | row bytes
//! ```

use std::sync::Arc;

use twox_hash::XxHash3_64;

use crate::{Micros, Position, RowError, RowRef};

const VERSION: u8 = 2;
const HEADER_BYTES: usize = 13;
const ROW_HEADER_BYTES: usize = 12;

/// Says why bytes are not a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BatchError {
    /// The version is not one that this program reads.
    #[error("a batch of version {0} is not readable by this program")]
    Version(u8),
    /// The bytes end too early or too late, or the rows are not as many as stated.
    #[error("a batch does not have the length that it states")]
    Length,
    /// A row is malformed.
    #[error("row {index} of a batch is malformed: {error}")]
    Row {
        /// The row's number in the batch.
        index: u32,
        /// What is wrong with it.
        error: RowError,
    },
}

/// One row of a batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchRow<'a> {
    /// The row's number in the batch.
    pub ordinal: u32,
    /// The event.
    pub row: RowRef<'a>,
    checksum: u64,
}

impl BatchRow<'_> {
    /// Tells whether the row's bytes are still those that were admitted. The frame's checksum has
    /// told that of what was read from a file; this tells it of what stayed in memory since.
    pub fn is_intact(&self) -> bool {
        XxHash3_64::oneshot(self.row.as_bytes()) == self.checksum
    }
}

/// The rows of one frame, checked. Cloning shares the bytes.
#[derive(Clone, Debug)]
pub struct Batch {
    bytes: Arc<[u8]>,
    created_at: Micros,
    /// Where each row's header starts.
    starts: Arc<[u32]>,
}

impl Batch {
    /// Checks that bytes are a batch and that each row is a row.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(bytes: Arc<[u8]>) -> Result<Self, BatchError> {
        let header = bytes.get(..HEADER_BYTES).ok_or(BatchError::Length)?;
        let version = header.first().copied().unwrap_or(0);
        if version != VERSION {
            return Err(BatchError::Version(version));
        }
        let created_at = Micros(i64::from_le_bytes(array(header, 1).ok_or(BatchError::Length)?));
        let n_rows = u32::from_le_bytes(array(header, 9).ok_or(BatchError::Length)?);
        let mut starts = Vec::new();
        let mut at = HEADER_BYTES;
        for index in 0..n_rows {
            let (row, next) = row_at(&bytes, at).ok_or(BatchError::Length)?;
            RowRef::parse(row).map_err(|error| BatchError::Row { index, error })?;
            starts.push(u32::try_from(at).map_err(|_error| BatchError::Length)?);
            at = next;
        }
        if at != bytes.len() || n_rows > Position::ORDINAL_MAX {
            return Err(BatchError::Length);
        }
        Ok(Self { bytes, created_at, starts: starts.into() })
    }

    /// Returns when the batch was admitted: the `created_at` of its rows.
    pub fn created_at(&self) -> Micros {
        self.created_at
    }

    /// Returns how many rows the batch has.
    pub fn n_rows(&self) -> usize {
        self.starts.len()
    }

    /// Returns the batch's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns one row.
    pub fn row(&self, ordinal: u32) -> Option<BatchRow<'_>> {
        let start = *self.starts.get(usize::try_from(ordinal).ok()?)?;
        let start = usize::try_from(start).ok()?;
        let (row, _next) = row_at(&self.bytes, start)?;
        let checksum = u64::from_le_bytes(array(&self.bytes, start.checked_add(4)?)?);
        Some(BatchRow { ordinal, row: RowRef::trusted(row), checksum })
    }

    /// Returns every row, in order.
    pub fn rows(&self) -> impl Iterator<Item = BatchRow<'_>> {
        let n_rows = u32::try_from(self.starts.len()).unwrap_or(u32::MAX);
        (0..n_rows).filter_map(|ordinal| self.row(ordinal))
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// Returns a row's bytes and where the next row starts.
fn row_at(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let len = usize::try_from(u32::from_le_bytes(array(bytes, at)?)).ok()?;
    let start = at.checked_add(ROW_HEADER_BYTES)?;
    let end = start.checked_add(len)?;
    Some((bytes.get(start..end)?, end))
}

/// Writes a batch. Only `trailkeep-redact` calls it: what is framed was masked before.
#[derive(Debug)]
pub struct BatchWriter {
    bytes: Vec<u8>,
    starts: Vec<u32>,
}

impl BatchWriter {
    /// Starts an empty batch.
    pub fn new() -> Self {
        let mut bytes = Vec::with_capacity(4096);
        bytes.push(VERSION);
        bytes.extend_from_slice(&[0; HEADER_BYTES - 1]);
        Self { bytes, starts: Vec::new() }
    }

    /// Appends a row and returns its number.
    pub fn push(&mut self, row: RowRef<'_>) -> u32 {
        let ordinal = self.n_rows();
        self.starts.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        let len = u32::try_from(row.as_bytes().len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&len.to_le_bytes());
        self.bytes.extend_from_slice(&XxHash3_64::oneshot(row.as_bytes()).to_le_bytes());
        self.bytes.extend_from_slice(row.as_bytes());
        ordinal
    }

    /// Returns how many rows the batch has so far.
    pub fn n_rows(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    /// Returns how many bytes the batch has so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Tells whether no row was pushed.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Sets the time of admission and returns the batch.
    ///
    /// # Errors
    /// [`BatchError::Length`] where it has more rows or bytes than a batch can.
    pub fn finish(mut self, created_at: Micros) -> Result<Batch, BatchError> {
        let n_rows = self.n_rows();
        if n_rows > Position::ORDINAL_MAX || u32::try_from(self.bytes.len()).is_err() {
            return Err(BatchError::Length);
        }
        if let Some(slot) = self.bytes.get_mut(1..9) {
            slot.copy_from_slice(&created_at.0.to_le_bytes());
        }
        if let Some(slot) = self.bytes.get_mut(9..HEADER_BYTES) {
            slot.copy_from_slice(&n_rows.to_le_bytes());
        }
        Ok(Batch { bytes: self.bytes.into(), created_at, starts: self.starts.into() })
    }
}

impl Default for BatchWriter {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Field, RowBuilder, ValueRef};
    use proptest::prelude::*;

    fn batch(n_rows: usize) -> Batch {
        let mut writer = BatchWriter::new();
        for n in 0..n_rows {
            let mut builder = RowBuilder::default();
            builder.set(Field::AccountId, ValueRef::Text(&format!("a{n}")));
            builder.set(Field::Action, ValueRef::Text("x"));
            builder.set(Field::OccurredAt, ValueRef::Time(Micros(0)));
            writer.push(builder.finish().view());
        }
        writer.finish(Micros(77)).unwrap()
    }

    #[test]
    fn rows_come_back() {
        let written = batch(3);
        let batch = Batch::parse(written.as_bytes().into()).unwrap();
        assert_eq!((&batch.bytes, &batch.starts), (&written.bytes, &written.starts));
        assert_eq!(batch.created_at(), Micros(77));
        let accounts: Vec<&str> = batch.rows().map(|row| row.row.account_id()).collect();
        assert_eq!(accounts, ["a0", "a1", "a2"]);
        assert!(batch.row(3).is_none());
        assert!(batch.rows().all(|row| row.is_intact()));
    }

    #[test]
    fn other_versions_are_refused() {
        for version in [0, 1, 3] {
            let mut bytes = batch(1).as_bytes().to_vec();
            bytes[0] = version;
            assert_eq!(Batch::parse(bytes.into()).unwrap_err(), BatchError::Version(version));
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes: Vec<u8>) {
            let _result = Batch::parse(bytes.into());
        }

        #[test]
        fn damaged_batches_never_panic(at in 0_usize..200, bit in 0_u8..8) {
            let mut bytes = batch(3).as_bytes().to_vec();
            let at = at.min(bytes.len().saturating_sub(1));
            bytes[at] ^= 1 << bit;
            if let Ok(batch) = Batch::parse(bytes.into()) {
                prop_assert_eq!(batch.rows().count(), batch.n_rows());
                // Of its first 13 bytes only the version has to be this.
                prop_assert_eq!(batch.rows().all(|row| row.is_intact()), at < HEADER_BYTES);
            }
        }
    }
}
