//! Any bytes are the section bytes of a row or of none; those of a row make the row again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trailkeep_segment::{read_sections, write_sections};

fuzz_target!(|data: &[u8]| {
    let Some(row) = read_sections(data) else { return };
    let mut bytes = Vec::new();
    write_sections(&row, &mut bytes);
    assert_eq!(read_sections(&bytes), Some(row));
});
