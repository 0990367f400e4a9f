//! Any bytes are an index or an error; every page of an index has an answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trailkeep_index::{IndexReader, Wanted};

const HEADER_BYTES: usize = 12;
const PAGE_BYTES: usize = 16;

fuzz_target!(|data: &[u8]| {
    open(data.to_vec());
    let mut repaired = data.to_vec();
    if repair(&mut repaired).is_some() {
        open(repaired);
    }
});

fn open(bytes: Vec<u8>) {
    let Ok(index) = IndexReader::open(bytes.into()) else { return };
    let whole = Wanted::whole("10.0.0.1");
    let both = Wanted::all([Wanted::whole("a"), Wanted::any([whole.clone(), Wanted::any([])])]);
    for wanted in [Wanted::always(), whole, both] {
        let found = index.pages(&wanted).count();
        assert!(found <= index.n_pages());
        assert!(wanted != Wanted::always() || found == index.n_pages());
        assert!(index.may_hold(index.n_pages(), &wanted), "an unknown page may hold anything");
    }
}

/// Puts the checksums right (docs/format/index.md), which chance never does.
fn repair(bytes: &mut [u8]) -> Option<()> {
    let word = |bytes: &[u8], at: usize| {
        let word = bytes.get(at..)?.first_chunk()?;
        usize::try_from(u32::from_le_bytes(*word)).ok()
    };
    let n_pages = word(bytes, 8)?;
    let table_end = HEADER_BYTES.checked_add(n_pages.checked_mul(PAGE_BYTES)?)?;
    for page in 0..n_pages {
        let line = HEADER_BYTES + page * PAGE_BYTES;
        let last = page + 1 == n_pages;
        let end = if last { bytes.len() } else { word(bytes, line + PAGE_BYTES)? };
        let crc = crc32c::crc32c(bytes.get(word(bytes, line)?..end)?);
        bytes.get_mut(line + 12..line + 16)?.copy_from_slice(&crc.to_le_bytes());
    }
    let crc = crc32c::crc32c(bytes.get(..table_end)?);
    bytes.get_mut(table_end..table_end + 4)?.copy_from_slice(&crc.to_le_bytes());
    Some(())
}
