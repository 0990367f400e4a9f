//! The bytes around the filters.

use std::ops::Range;

use crate::error::Error;
use crate::fuse::{SEGMENT_BITS_MAX, SEGMENTS_MIN, Shape};

const MAGIC: &[u8; 4] = b"TKI1";
const VERSION: u16 = 2;
const HEADER_BYTES: usize = 12;
const PAGE_BYTES: usize = 16;
const CRC_BYTES: usize = 4;

/// One page's line of the table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Page {
    pub(crate) shape: Shape,
    /// Where its fingerprints are in the object.
    pub(crate) fingerprints: Range<usize>,
    pub(crate) crc: u32,
}

/// Returns where the fingerprints of the first page start.
pub(crate) fn data_start(n_pages: usize) -> usize {
    n_pages.saturating_mul(PAGE_BYTES).saturating_add(HEADER_BYTES).saturating_add(CRC_BYTES)
}

/// Appends header and table. Each page starts where the one before ends.
pub(crate) fn write_table(out: &mut Vec<u8>, pages: &[(Shape, u32)]) {
    let start = out.len();
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out.extend_from_slice(&u32::try_from(pages.len()).unwrap_or(u32::MAX).to_le_bytes());
    let mut offset = data_start(pages.len());
    for (shape, crc) in pages {
        out.extend_from_slice(&u32::try_from(offset).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(&shape.seed.to_le_bytes());
        out.extend_from_slice(&shape.n_segments.to_le_bytes());
        out.extend_from_slice(&[shape.segment_bits, 0]);
        out.extend_from_slice(&crc.to_le_bytes());
        offset = offset.saturating_add(shape.n_slots());
    }
    let crc = crc32c::crc32c(out.get(start..).unwrap_or(&[]));
    out.extend_from_slice(&crc.to_le_bytes());
}

/// Reads header and table, and checks every byte of the object against them.
pub(crate) fn read_table(bytes: &[u8]) -> Result<Vec<Page>, Error> {
    let mut header = Reader { bytes, at: 0 };
    if header.take::<4>()? != *MAGIC {
        return Err(Error::Corrupt { offset: 0, what: "it does not start with TKI1" });
    }
    let version = u16::from_le_bytes(header.take()?);
    if version != VERSION {
        return Err(Error::Version { version });
    }
    let [0, 0] = header.take()? else { return Err(header.corrupt("a reserved byte is not 0")) };
    let n_pages = usize::try_from(u32::from_le_bytes(header.take()?)).unwrap_or(usize::MAX);
    let start = data_start(n_pages);
    let table_end = start.saturating_sub(CRC_BYTES);
    let table = bytes
        .get(..table_end)
        .ok_or(Error::Corrupt { offset: bytes.len(), what: "it ends inside the table of pages" })?;
    let mut crc = Reader { bytes, at: table_end };
    if u32::from_le_bytes(crc.take()?) != crc32c::crc32c(table) {
        return Err(Error::Corrupt { offset: table_end, what: "the table's checksum differs" });
    }
    let mut pages = Vec::with_capacity(n_pages);
    let mut next = start;
    for _ in 0..n_pages {
        let page = header.page(next)?;
        next = page.fingerprints.end;
        pages.push(page);
    }
    if next != bytes.len() {
        return Err(Error::Corrupt { offset: next, what: "bytes follow the last page" });
    }
    Ok(pages)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let bytes = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk());
        let taken = *bytes.ok_or_else(|| self.corrupt("it ends too early"))?;
        self.at = self.at.saturating_add(N);
        Ok(taken)
    }

    fn corrupt(&self, what: &'static str) -> Error {
        Error::Corrupt { offset: self.at, what }
    }

    fn page(&mut self, start: usize) -> Result<Page, Error> {
        let line = self.at;
        let corrupt = |what| Error::Corrupt { offset: line, what };
        let offset = u32::from_le_bytes(self.take()?);
        let seed = u32::from_le_bytes(self.take()?);
        let n_segments = u16::from_le_bytes(self.take()?);
        let [segment_bits, 0] = self.take()? else {
            return Err(corrupt("a reserved byte is not 0"));
        };
        let crc = u32::from_le_bytes(self.take()?);
        if usize::try_from(offset) != Ok(start) {
            return Err(corrupt("a page does not start where the one before ends"));
        }
        let fits = n_segments == 0 || n_segments >= SEGMENTS_MIN;
        if !fits || segment_bits > SEGMENT_BITS_MAX {
            return Err(corrupt("a page has a shape that is never written"));
        }
        let shape = Shape { seed, n_segments, segment_bits };
        let fingerprints = start..start.saturating_add(shape.n_slots());
        let held = self.bytes.get(fingerprints.clone());
        let held = held.ok_or_else(|| corrupt("a page ends behind the end"))?;
        if crc32c::crc32c(held) != crc {
            return Err(Error::Corrupt { offset: start, what: "a page's checksum differs" });
        }
        Ok(Page { shape, fingerprints, crc })
    }
}
