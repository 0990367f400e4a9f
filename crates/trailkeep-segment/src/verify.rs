//! Checks a whole segment.

use std::sync::Arc;

use crate::cursor::EntryCursor;
use crate::layout::column_name;
use crate::meta::sha256_hex;
use crate::reader::read_trailer;
use crate::{Error, SegmentReader};

/// What a check of a whole segment went over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct VerifyReport {
    /// How many rows decode.
    pub rows: u32,
    /// How many ranges of bytes have their checksum.
    pub ranges: usize,
    /// The length of the Parquet object.
    pub bytes: u64,
    /// How many rows were read from their section bytes.
    pub verbatim: u32,
}

impl SegmentReader {
    /// Checks every byte of all objects, then that every row decodes and stands in its place.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self) -> Result<VerifyReport, Error> {
        let meta = self.meta();
        let trailer = read_trailer(self.store(), meta)?;
        let corrupt = |column, offset| Error::Corrupt { segment: meta.id.clone(), column, offset };
        if self.store().size(&meta.trailer_key)? != meta.trailer_bytes {
            return Err(corrupt("trailer", meta.trailer_bytes));
        }
        if self.store().size(&meta.parquet_key)? != trailer.file_bytes {
            return Err(corrupt(column_name(usize::MAX), trailer.file_bytes));
        }
        let index = self.store().get_range(&meta.index_key, 0..meta.index_bytes)?;
        let same_length = self.store().size(&meta.index_key)? == meta.index_bytes;
        if !same_length || sha256_hex(&index) != meta.index_sha256 {
            return Err(corrupt("index", 0));
        }
        let file = self.walked();
        for block in &trailer.blocks {
            file.read(block.offset..block.end())?;
        }
        let verbatim = self.verify_rows()?;
        let (rows, ranges) = (trailer.rows, trailer.blocks.len());
        Ok(VerifyReport { rows, ranges, bytes: trailer.file_bytes, verbatim })
    }

    /// Checks every row and returns how many were read from their section bytes.
    fn verify_rows(&self) -> Result<u32, Error> {
        let mut cursor = EntryCursor::open(self.clone())?;
        let mut last: Option<crate::SortKey> = None;
        let mut verbatim = 0_u32;
        let mut row = 0_u32;
        while let Some(located) = cursor.next()? {
            let run = self.trailer().run_of(row).ok_or_else(|| self.malformed(row))?;
            let account = located.entry.row.view().account_id();
            let within = (run.min_sort_at..=run.max_sort_at).contains(&located.sort.sort_at);
            let in_order = last.as_ref().is_none_or(|last| last.stored() <= located.sort.stored());
            if account != &*run.account || !within || !in_order {
                return Err(self.malformed(row));
            }
            verbatim = verbatim.saturating_add(u32::from(located.verbatim.is_some()));
            last = Some(crate::SortKey { account: Arc::clone(&run.account), ..located.sort });
            row = row.saturating_add(1);
        }
        let whole = row == self.trailer().rows && verbatim == self.trailer().verbatim;
        if whole { Ok(verbatim) } else { Err(self.malformed(row)) }
    }
}
