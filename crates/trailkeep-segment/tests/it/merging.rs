//! Merges keep every row, and only what is worth it is merged.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use trailkeep_event::{
    Cut, Entry, Field, Micros, Partition, Row, RowBuilder, SequencedBatch, ValueRef,
};
use trailkeep_segment::{Compaction, Error, SealFault, SegmentMeta, SegmentStore, merge};
use trailkeep_testkit::{EventMaker, row_of};

use crate::rows::{all, any_row, batch, batch_in, key, memory, open, options, row, sealed, sorted};

/// Seals each group of batches behind the one before.
fn seal_all(
    store: &Arc<SegmentStore>,
    groups: &[Vec<Arc<SequencedBatch>>],
    fault: Option<SealFault>,
) -> Vec<Arc<SegmentMeta>> {
    let mut cut = Cut::default();
    let mut metas = Vec::new();
    for (id, group) in (10..).zip(groups) {
        let mut options = options(id, cut);
        options.fault = fault;
        let meta = sealed(store, group, &options);
        cut = Cut(meta.to);
        metas.push(meta);
    }
    metas
}

fn groups(rows: Vec<Vec<Row>>) -> Vec<Vec<Arc<SequencedBatch>>> {
    (0..)
        .zip(rows)
        .map(|(frame, rows)| {
            vec![batch_in(1, frame, 1_000, &rows), batch_in(4, frame, 2_000, &rows[..1])]
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_merge_is_the_union(
        rows in proptest::collection::vec(proptest::collection::vec(any_row(), 1..5), 1..5)
    ) {
        let store = memory();
        let groups = groups(rows);
        let metas = seal_all(&store, &groups, None);
        let merged = Arc::new(merge(&store, &key(), &metas, [99; 16], &|| false).unwrap());
        let reader = open(&store, &merged);
        let mut expected = sorted(&groups.concat());
        let mut found = all(&reader);
        let order = |entry: &Entry| (entry.stamp.seq, entry.stamp.position);
        expected.sort_by_key(order);
        found.sort_by_key(order);
        prop_assert_eq!(found, expected);
        prop_assert_eq!(merged.from, metas[0].from);
        prop_assert_eq!(merged.to, metas[metas.len() - 1].to);
        prop_assert_eq!(merged.level, 1);
        reader.verify().unwrap();
        // The index was made of columns; made of rows it has the same bytes.
        reader.rebuild_index().unwrap();
    }
}

#[test]
fn rows_kept_by_their_bytes_stay_kept() {
    let store = memory();
    let rows = |n| vec![row("a", n, n), row("b", n, n)];
    let groups = groups(vec![rows(1), rows(2), rows(3)]);
    let metas = seal_all(&store, &groups, Some(SealFault { row: 1, field: Field::Metadata }));
    let merged = Arc::new(merge(&store, &key(), &metas, [99; 16], &|| false).unwrap());
    assert_eq!(merged.mismatches, 3);
    let reader = open(&store, &merged);
    assert_eq!(reader.verify().unwrap().verbatim, 3);
    let positions = |entries: &[Entry]| -> BTreeSet<_> {
        entries.iter().map(|entry| (entry.stamp.position, entry.row.as_bytes().to_vec())).collect()
    };
    assert_eq!(positions(&all(&reader)), positions(&sorted(&groups.concat())));
}

/// The inputs have too many shapes for one file, and other members of `metadata` have columns.
#[test]
fn what_the_inputs_store_in_other_forms_comes_together() {
    let rows = |input: i64| -> Vec<Row> {
        let row = |n: i64| {
            let mut builder = RowBuilder::default();
            builder.set(
                Field::AccountId,
                ValueRef::Text(["a", "b", "c"][usize::try_from(n % 3).unwrap()]),
            );
            builder.set(Field::OccurredAt, ValueRef::Time(Micros(n * 1000 + input)));
            builder.set(Field::Action, ValueRef::Text("license.suspended"));
            builder.set(Field::Route, ValueRef::Text("/v1/{id}/x"));
            builder.set(Field::Path, ValueRef::Text(&format!("/v1/{n}/x")));
            builder.set(Field::ResourceLabel, ValueRef::Text(&format!("r{n}")));
            builder.set(Field::DurationUs, ValueRef::Int(input * 10_000 + n));
            builder.set(Field::BlockRuleId, ValueRef::Text(&format!("{input}-{n}")));
            let metadata = format!(r#"{{"k{input}":{n},"same":"x"}}"#);
            builder.set(Field::Metadata, ValueRef::Json(if n % 7 == 0 { "{}" } else { &metadata }));
            builder.finish()
        };
        (0..3_000).map(row).collect()
    };
    let store = memory();
    let groups: Vec<_> =
        (0..).zip(1..=2).map(|(frame, n)| vec![batch(frame, 9, &rows(n))]).collect();
    let metas = seal_all(&store, &groups, None);
    let merged = Arc::new(merge(&store, &key(), &metas, [99; 16], &|| false).unwrap());
    let reader = open(&store, &merged);
    assert_eq!(all(&reader), sorted(&groups.concat()));
    assert_eq!(reader.verify().unwrap().rows, 6_000);
    reader.rebuild_index().unwrap();
}

#[test]
fn a_gap_is_never_papered_over() {
    let store = memory();
    let metas = seal_all(&store, &groups(vec![vec![row("a", 1, 1)]; 3]), None);
    let gap = [Arc::clone(&metas[0]), Arc::clone(&metas[2])];
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        merge(&store, &key(), &gap, [99; 16], &|| false)
    }));
    assert!(result.is_err());
    assert_eq!(store.list().unwrap().len(), 9, "nothing was written");
}

fn meta(n: u64, rows: u32, level: u8) -> Arc<SegmentMeta> {
    let mut from = Cut::default();
    from.set(Partition::new(3).unwrap(), n);
    let mut to = from;
    to.set(Partition::new(3).unwrap(), n + 1);
    Arc::new(SegmentMeta {
        format: 1,
        id: format!("{n:032x}"),
        parquet_key: String::new(),
        trailer_key: String::new(),
        index_key: String::new(),
        rows,
        bytes: 0,
        from: from.0,
        to: to.0,
        min_sort_at: 0,
        max_sort_at: 0,
        first_account: String::new(),
        last_account: String::new(),
        trailer_sha256: String::new(),
        trailer_bytes: 0,
        index_sha256: String::new(),
        index_bytes: 0,
        mismatches: 0,
        level,
    })
}

#[test]
fn picks() {
    let n_rows =
        [(7, 10, 0), (8, 10, 0), (70, 10, 0), (9, 400_000, 0), (20, 600_000, 1), (9, 3_900_000, 2)];
    let picked: Vec<Option<usize>> = n_rows
        .into_iter()
        .map(|(n, rows, level)| {
            let mut metas: Vec<_> = (0..n).map(|n| meta(n, rows, level)).collect();
            metas.reverse();
            let picked = Compaction::STANDARD.pick(&metas)?;
            assert!(picked.iter().map(|meta| u64::from(meta.rows)).sum::<u64>() <= 4_000_000);
            for pair in picked.windows(2) {
                assert_eq!(pair[0].to, pair[1].from, "neighbours, oldest first");
            }
            Some(picked.len())
        })
        .collect();
    assert_eq!(picked, [None, Some(8), Some(64), Some(9), None, None]);
}

#[test]
fn small_segments_of_several_levels_are_picked_together() {
    let levels = [1, 0, 0, 1, 0, 0, 0, 0];
    let metas: Vec<_> = (0..).zip(levels).map(|(n, level)| meta(n, 10_000, level)).collect();
    assert_eq!(Compaction::STANDARD.pick(&metas).map(|picked| picked.len()), Some(8));
    let metas: Vec<_> = (0..).zip(levels).map(|(n, level)| meta(n, 200_000, level)).collect();
    assert_eq!(Compaction::STANDARD.pick(&metas), None);
    let big_first: Vec<_> =
        std::iter::once(meta(0, 3_999_999, 2)).chain((1..9).map(|n| meta(n, 10, 0))).collect();
    let picked = Compaction::STANDARD.pick(&big_first).unwrap();
    assert_eq!(picked[0].rows, 10, "a large segment is left alone");
}

#[test]
fn what_was_just_sealed_is_settled_when_there_is_time() {
    let settled = |segments: &[(u32, u8)]| {
        let metas: Vec<_> =
            (0..).zip(segments).map(|(n, (rows, level))| meta(n, *rows, *level)).collect();
        let picked = Compaction::STANDARD.settle(&metas)?;
        Some(picked.iter().map(|meta| meta.rows).collect::<Vec<_>>())
    };
    assert_eq!(settled(&[]), None);
    assert_eq!(settled(&[(900_000, 1)]), None, "has an index");
    assert_eq!(settled(&[(900_000, 1), (900, 0)]), None, "not worth it");
    assert_eq!(settled(&[(900_000, 1), (70_000, 0)]), Some(vec![70_000]));
    assert_eq!(settled(&[(900_000, 1), (70_000, 0), (900, 0)]), Some(vec![70_000, 900]));
    assert_eq!(settled(&[(3_000_000, 0), (3_000_000, 0)]), Some(vec![3_000_000]), "rows_max");
}

#[test]
fn a_merge_that_is_told_to_stop_does_and_can_be_done_again() {
    let store = memory();
    let rows = (0..4).map(|seed| EventMaker::new(seed).take(3000).map(|line| row_of(&line)));
    let groups = groups(rows.map(Iterator::collect).collect());
    let metas = seal_all(&store, &groups, None);
    for n_asked in 0.. {
        let asked = Cell::new(0);
        let stop = || asked.replace(asked.get() + 1) >= n_asked;
        match merge(&store, &key(), &metas, [99; 16], &stop) {
            Err(Error::Stopped { .. }) => {}
            merged => {
                assert!(n_asked > 2, "it was asked {n_asked} times");
                assert_eq!(merged.unwrap().rows, 12_004);
                return;
            }
        }
    }
}
