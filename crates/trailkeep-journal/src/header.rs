//! The first page of a journal file.

use crc32c::crc32c;
use trailkeep_event::Cut;

use crate::JournalOptions;
use crate::live::Point;
use crate::write::{sectors_bytes, take};

/// How long the header page is: writes start behind it.
pub(crate) const HEADER_BYTES: u64 = 4096;
const PAGE_BYTES: usize = 4096;
const CRC_AT: usize = PAGE_BYTES - 4;
const MAGIC: [u8; 4] = *b"TKJ1";
const VERSION: u32 = 1;

/// What a file says of itself. Durable before the file has its name, and never changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FileHeader {
    /// The file's place in the row of files, from 1 without gaps.
    pub(crate) number: u64,
    /// The file's size.
    pub(crate) bytes: u64,
    /// The largest write that the file may hold, as stored.
    pub(crate) write_bytes_max: u64,
    /// The number of the file's first write.
    pub(crate) first_write: u64,
    /// The next frame number of each partition when the file was begun.
    pub(crate) start: Cut,
}

/// Says why a page is not a header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum HeaderError {
    /// It is damaged, or no header at all.
    Damaged,
    /// Another program's version.
    Version(u32),
}

impl FileHeader {
    /// Describes the file after `header`, or the first one.
    pub(crate) fn following(last: Option<(&Self, &Point)>, options: JournalOptions) -> Self {
        let (number, first_write, start) = match last {
            Some((header, end)) => (header.number.saturating_add(1), end.write, end.next),
            None => (1, 1, Cut::default()),
        };
        let write_bytes_max = sectors_bytes(options.write_bytes_max);
        Self { number, bytes: options.file_bytes, write_bytes_max, first_write, start }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut page = Vec::with_capacity(PAGE_BYTES);
        page.extend_from_slice(&MAGIC);
        page.extend_from_slice(&VERSION.to_le_bytes());
        for field in [self.number, self.bytes, self.write_bytes_max, self.first_write] {
            page.extend_from_slice(&field.to_le_bytes());
        }
        for frame in self.start.0 {
            page.extend_from_slice(&frame.to_le_bytes());
        }
        page.resize(CRC_AT, 0);
        page.extend_from_slice(&crc32c(&page).to_le_bytes());
        page
    }

    pub(crate) fn decode(page: &[u8]) -> Result<Self, HeaderError> {
        let (version, header) = Self::read(page).ok_or(HeaderError::Damaged)?;
        if version == VERSION { Ok(header) } else { Err(HeaderError::Version(version)) }
    }

    fn read(page: &[u8]) -> Option<(u32, Self)> {
        let body = page.get(..CRC_AT)?;
        let mut at = CRC_AT;
        if crc32c(body) != u32::from_le_bytes(take(page, &mut at)?) {
            return None;
        }
        let mut at = 0;
        if take(body, &mut at)? != MAGIC {
            return None;
        }
        let version = u32::from_le_bytes(take(body, &mut at)?);
        let mut field = || take(body, &mut at).map(u64::from_le_bytes);
        let mut header = Self {
            number: field()?,
            bytes: field()?,
            write_bytes_max: field()?,
            first_write: field()?,
            start: Cut::default(),
        };
        for slot in &mut header.start.0 {
            *slot = field()?;
        }
        Some((version, header))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn comes_back(number: u64, bytes: u64, write_bytes_max: u64, first_write: u64, start: [u64; 16]) {
            let start = Cut(start);
            let header = FileHeader { number, bytes, write_bytes_max, first_write, start };
            prop_assert_eq!(FileHeader::decode(&header.encode()), Ok(header));
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let header = FileHeader {
            number: 1,
            bytes: 8192,
            write_bytes_max: 512,
            first_write: 1,
            start: Cut::default(),
        };
        let page = header.encode();
        for bit in 0..PAGE_BYTES * 8 {
            let mut page = page.clone();
            page[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FileHeader::decode(&page), Err(HeaderError::Damaged), "bit {bit}");
        }
    }
}
