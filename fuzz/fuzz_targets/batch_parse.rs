//! Any bytes are a batch or an error; a batch's rows make the same batch again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trailkeep_event::{
    Batch, BatchWriter, EntryRef, EventId, Partition, Position, Section, Stamp, write_entry_json,
    write_section,
};

fuzz_target!(|data: &[u8]| {
    let Ok(batch) = Batch::parse(data.into()) else { return };
    let mut writer = BatchWriter::new();
    let mut scratch = Vec::new();
    let mut intact = true;
    for row in batch.rows() {
        scratch.clear();
        for section in Section::ALL {
            write_section(&row.row, section, &mut scratch);
        }
        let partition = Partition::of_account(row.row.account_id());
        let stamp = Stamp {
            id: EventId([0; 16]),
            seq: 0,
            created_at: batch.created_at(),
            clock_skew: false,
            position: Position { partition, frame: 0, ordinal: row.ordinal },
        };
        write_entry_json(EntryRef { row: row.row, stamp }, &mut scratch);
        intact &= row.is_intact();
        writer.push(row.row);
    }
    // Rows whose checksums are not theirs are written with those that are.
    let again = writer.finish(batch.created_at()).expect("as long as before");
    assert_eq!(again.as_bytes() == data, intact);
});
