//! Damaged bytes are an error, never a wrong answer and never a panic.

use bytes::Bytes;
use proptest::prelude::*;
use trailkeep_index::{Error, IndexReader};

use crate::golden::index;

#[test]
fn every_byte_is_checked() {
    let good = index();
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        assert!(IndexReader::open(Bytes::from(bytes)).is_err(), "byte {at}");
    }
    for n_bytes in 0..good.len() {
        let cut = Bytes::copy_from_slice(&good[..n_bytes]);
        assert!(matches!(IndexReader::open(cut), Err(Error::Corrupt { .. })), "{n_bytes} bytes");
    }
    let mut more = good;
    more.push(0);
    let error = IndexReader::open(Bytes::from(more)).unwrap_err();
    assert!(error.to_string().contains("bytes follow the last page"), "{error}");
}

#[test]
fn a_later_version_is_named() {
    let mut bytes = index();
    bytes[4] = 3;
    let error = IndexReader::open(Bytes::from(bytes)).unwrap_err();
    assert_eq!(error, Error::Version { version: 3 });
}

/// Makes bytes with the right checksum of their table, so that the table itself is read.
fn table(page: &[u8], data: &[u8]) -> Bytes {
    let mut bytes = b"TKI1\x02\0\0\0\x01\0\0\0".to_vec();
    bytes.extend_from_slice(page);
    bytes.extend_from_slice(&crc32c(&bytes).to_le_bytes());
    bytes.extend_from_slice(data);
    Bytes::from(bytes)
}

/// The checksum, bit by bit: a second reading of the format.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 * (crc & 1)))
    })
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes: Vec<u8>, page: [u8; 16], data in prop::collection::vec(any::<u8>(), 0..80)) {
        prop_assert!(IndexReader::open(Bytes::from(bytes)).is_err());
        let whole = page[8..10] == [0, 0] && data.is_empty();
        prop_assert!(whole || IndexReader::open(table(&page, &data)).is_err());
    }

    #[test]
    fn a_shape_that_does_not_fit_is_refused(segments: u16, bits: u8, data in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut page = 32_u32.to_le_bytes().to_vec();
        page.extend_from_slice(&7_u32.to_le_bytes());
        page.extend_from_slice(&segments.to_le_bytes());
        page.extend_from_slice(&[bits, 0]);
        page.extend_from_slice(&crc32c(&data).to_le_bytes());
        let n_bytes = u64::from(segments).checked_shl(u32::from(bits));
        let fits = n_bytes == Some(u64::try_from(data.len()).unwrap());
        if !fits {
            prop_assert!(IndexReader::open(table(&page, &data)).is_err());
        }
    }
}
