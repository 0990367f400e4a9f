//! What is sealed comes back.

use std::sync::Arc;

use proptest::prelude::*;
use trailkeep_event::{Batch, Cut, Field, Fields, Position, Row, SequencedBatch};
use trailkeep_segment::{
    Error, SealFault, SegmentMeta, SortKey, read_sections, seal, write_sections,
};

use crate::rows::{all, any_row, batch, batch_in, key, memory, open, options, row, sealed, sorted};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Promise 2: exactly what was sent. Same row, same bytes, through Parquet.
    #[test]
    fn any_event_comes_back_from_a_segment(
        rows in proptest::collection::vec(any_row(), 1..12), created_at in 0_i64..4_000_000_000_000_000
    ) {
        let store = memory();
        let batches = [batch(3, created_at, &rows)];
        let sealed = seal(&store, &key(), &batches, &options(1, Cut::default())).unwrap();
        prop_assert_eq!(sealed.mismatches, 0);
        let reader = open(&store, &sealed.meta.into());
        let expected = sorted(&batches);
        prop_assert_eq!(&all(&reader), &expected);
        let numbers: Vec<u32> = (0..u32::try_from(expected.len()).unwrap()).rev().collect();
        let mut fetched = reader.fetch(&numbers).unwrap();
        fetched.reverse();
        prop_assert_eq!(&fetched, &expected);
        for entry in &expected {
            let found = reader.find(entry.stamp.position).unwrap();
            prop_assert_eq!(found.as_ref(), Some(entry));
        }
        let report = reader.verify().unwrap();
        prop_assert_eq!(report.rows, u32::try_from(expected.len()).unwrap());
    }

    #[test]
    fn any_row_comes_back_from_its_section_bytes(row in any_row()) {
        let mut bytes = Vec::new();
        write_sections(&row, &mut bytes);
        prop_assert_eq!(read_sections(&bytes), Some(row));
    }

    /// Whatever the encoder gets wrong, the row that is read is the row that was admitted.
    #[test]
    fn a_row_that_the_columns_lose_is_kept_by_its_bytes(
        mut rows in proptest::collection::vec(any_row(), 2..5), at in 0_usize..65, seed: u32
    ) {
        let field = Field::in_row().filter(|field| {
            !matches!(field, Field::AccountId | Field::OccurredAt)
        }).nth(at).unwrap();
        rows.sort_by_key(|row| row.text(Field::AccountId).unwrap().to_owned());
        let row = seed % u32::try_from(rows.len()).unwrap();
        lose(&rows, SealFault { row, field });
    }
}

fn lose(rows: &[Row], fault: SealFault) {
    let store = memory();
    let batches = [batch(0, 1_000_000, rows)];
    let mut options = options(1, Cut::default());
    options.fault = Some(fault);
    let sealed = seal(&store, &key(), &batches, &options).unwrap();
    assert_eq!((sealed.mismatches, sealed.meta.mismatches), (1, 1));
    let reader = open(&store, &sealed.meta.into());
    let expected = sorted(&batches);
    assert_eq!(all(&reader), expected);
    let lost = &expected[usize::try_from(fault.row).unwrap()];
    assert_eq!(reader.fetch(&[fault.row]).unwrap(), std::slice::from_ref(lost));
    assert_eq!(reader.find(lost.stamp.position).unwrap().as_ref(), Some(lost));
    assert_eq!(reader.verify().unwrap().verbatim, 1);
}

#[test]
fn a_description_says_what_is_in_the_segment() {
    let store = memory();
    let rows = [row("b", 50, 1), row("a", 900, 2), row("c", 40, 3)];
    let batches = [batch(5, 1000, &rows), batch_in(2, 7, 1000, &rows[..1])];
    let meta = sealed(&store, &batches, &options(0xab, Cut([4; 16])));
    assert_eq!(meta.id, "ab".repeat(16));
    assert_eq!((meta.rows, meta.mismatches, meta.level), (4, 0, 0));
    assert_eq!((meta.min_sort_at, meta.max_sort_at), (40, 900));
    assert_eq!((meta.first_account.as_str(), meta.last_account.as_str()), ("a", "c"));
    assert_eq!(meta.from, [4; 16]);
    assert_eq!((meta.to[0], meta.to[1], meta.to[2]), (6, 4, 8));
    let keys: Vec<String> = store.list().unwrap().into_iter().map(|object| object.key).collect();
    let mut named = meta.keys();
    named.sort_unstable();
    assert_eq!(keys, named);
    let bytes: u64 = store.list().unwrap().into_iter().map(|object| object.bytes).sum();
    assert_eq!(meta.bytes, bytes);
    assert_eq!(SegmentMeta::from_json(&meta.to_json().unwrap()).unwrap(), *meta);
    let newer = meta.to_json().unwrap().replace("\"format\":1", "\"format\":2");
    assert!(matches!(SegmentMeta::from_json(&newer), Err(Error::Format { format: 2, .. })));
    let elsewhere = Position { frame: 3, ..batches[0].entry(&key(), 0).unwrap().stamp.position };
    assert_eq!(open(&store, &meta).find(elsewhere).unwrap(), None);
}

#[test]
fn rows_are_stored_by_account_then_time_then_log_index() {
    let store = memory();
    // The last row's clock is far ahead: it sorts at the time of admission.
    let late = 3_600_000_000;
    let rows = [row("b", 5, 1), row("a", 9, 2), row("b", 5, 3), row("a", 1, 4), row("a", late, 5)];
    let meta = sealed(&store, &[batch(0, 7, &rows)], &options(1, Cut::default()));
    let keys: Vec<SortKey> = all(&open(&store, &meta))
        .iter()
        .map(|entry| SortKey {
            sort_at: entry.view().sort_at(),
            account: entry.text(Field::AccountId).unwrap().into(),
            seq: entry.stamp.seq,
        })
        .collect();
    let seqs: Vec<u64> = keys.iter().map(|key| key.seq).collect();
    assert_eq!(seqs, [3, 4, 1, 0, 2]);
    let mut listed = keys.clone();
    listed.sort();
    let seqs: Vec<u64> = listed.iter().map(|key| key.seq).collect();
    assert_eq!(seqs, [3, 0, 2, 4, 1], "lists sort by time first");
}

#[test]
fn nothing_is_sealed_twice_or_out_of_nothing() {
    let store = memory();
    let none: [Arc<SequencedBatch>; 0] = [];
    let seal_one =
        |id| seal(&store, &key(), &[batch(0, 1, &[row("a", 1, 1)])], &options(id, Cut::default()));
    assert!(matches!(seal(&store, &key(), &none, &options(1, Cut::default())), Err(Error::Empty)));
    assert_eq!(store.list().unwrap(), []);
    let first = seal_one(2).unwrap();
    assert!(
        matches!(seal_one(2), Err(Error::Store { doing: "write", .. })),
        "ids are never reused"
    );
    assert!(open(&store, &first.meta.into()).verify().is_ok());
}

#[test]
fn rows_beyond_the_end_are_refused() {
    let store = memory();
    let meta = sealed(&store, &[batch(0, 1, &[row("a", 1, 1)])], &options(1, Cut::default()));
    let reader = open(&store, &meta);
    assert!(matches!(reader.fetch(&[0, 1]), Err(Error::NoSuchRow { row: 1, .. })));
    assert_eq!(reader.fetch(&[0, 0]).unwrap().len(), 2);
    assert_eq!(reader.fetch(&[]).unwrap(), []);
}

/// A row that is no longer the one that was admitted is not sealed: the journal still has it.
#[test]
fn a_row_that_changed_in_memory_is_refused() {
    let sound = batch(0, 1, &[row("a", 1, 1), row("b", 2, 2)]);
    let mut bytes = sound.batch.as_bytes().to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let changed = SequencedBatch {
        batch: Batch::parse(bytes.into()).unwrap(),
        seqs: sound.seqs.clone(),
        ..*sound
    };
    let position = changed.entry(&key(), 1).unwrap().stamp.position;
    let store = memory();
    let failed = seal(&store, &key(), &[Arc::new(changed)], &options(1, Cut::default()));
    assert!(matches!(failed, Err(Error::RowChanged { position: at, .. }) if at == position));
    assert_eq!(store.list().unwrap(), []);
}
