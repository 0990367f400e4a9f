//! Segments of every version that was ever written are read for ever.

use std::sync::Arc;

use trailkeep_event::{EntryRef, write_entry_json};
use trailkeep_segment::SegmentMeta;

use crate::rows::{all, memory, open};

#[test]
fn version_1_is_read() {
    let meta = SegmentMeta::from_json(include_str!("../golden/segment-1.json")).unwrap();
    let store = memory();
    let parquet = include_bytes!("../golden/segment-1.parquet");
    let trailer = include_bytes!("../golden/segment-1.tks");
    let index = include_bytes!("../golden/segment-1.tki");
    store.put_new(&meta.parquet_key, parquet.to_vec().into()).unwrap();
    store.put_new(&meta.trailer_key, trailer.to_vec().into()).unwrap();
    store.put_new(&meta.index_key, index.to_vec().into()).unwrap();
    let reader = open(&store, &Arc::new(meta));
    assert_eq!(reader.verify().unwrap().verbatim, 1);
    // The index that this program makes is the one that was made then.
    reader.rebuild_index().unwrap();
    let mut lines = Vec::new();
    for entry in all(&reader) {
        write_entry_json(EntryRef { row: entry.row.view(), stamp: entry.stamp }, &mut lines);
        lines.push(b'\n');
    }
    assert_eq!(String::from_utf8(lines).unwrap(), include_str!("../golden/segment-1.ndjson"));
}
