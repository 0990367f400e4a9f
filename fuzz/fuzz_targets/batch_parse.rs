//! Any bytes are a batch or an error; a batch's rows make the same batch again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trailkeep_event::{
    Batch, BatchWriter, EntryRef, EventId, Partition, Position, Stamp, sections_digest,
    write_entry_json,
};

fuzz_target!(|data: &[u8]| {
    let Ok(batch) = Batch::parse(data.into()) else { return };
    let mut writer = BatchWriter::new();
    let mut scratch = Vec::new();
    for row in batch.rows() {
        sections_digest(&row.row, &mut scratch);
        let partition = Partition::of_account(row.row.account_id());
        let stamp = Stamp {
            id: EventId([0; 16]),
            seq: 0,
            created_at: batch.created_at(),
            clock_skew: false,
            position: Position { partition, frame: 0, ordinal: row.ordinal },
        };
        write_entry_json(EntryRef { row: row.row, stamp }, &mut scratch);
        writer.push(row.row, row.digest);
    }
    assert_eq!(writer.finish(batch.created_at()).as_ref(), data);
});
