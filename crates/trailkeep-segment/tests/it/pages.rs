//! Pages give the same values as the Parquet crate, which reads whole segments.

use std::collections::BTreeSet;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType, UInt32Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use proptest::prelude::*;
use trailkeep_event::{Cut, Entry, Field, Fields, Micros, Partition, Row, ValueRef};
use trailkeep_segment::{ScanPlan, SealFault, SealOptions, SegmentReader, arrow_schema, merge};
use trailkeep_testkit::{EventMaker, row_of};

use crate::rows::{all, any_row, batch, key, memory, open, options, sealed};

/// Compares every page, and rows fetched here and there, with a walk over the whole.
fn compare(reader: &SegmentReader) {
    let entries: Vec<Entry> = all(reader);
    let mut first = 0;
    for number in 0..reader.n_pages() {
        let mut page = reader.page(number);
        for field in Field::ALL.iter().copied().filter(|field| *field != Field::Id) {
            let column = page.column(field).unwrap().clone();
            assert_eq!(column.n_rows(), page.n_rows());
            for (row, entry) in entries[first..].iter().take(column.n_rows()).enumerate() {
                let value = column.value(field, row);
                assert_eq!(value, entry.get(field), "{} {row}", field.name());
            }
        }
        let admitted =
            entries[first..].iter().take(page.n_rows()).map(|entry| entry.stamp.created_at);
        let (least, greatest) = (admitted.clone().min().unwrap(), admitted.max().unwrap());
        assert_eq!(reader.admitted(number), Some(least..=greatest));
        page.need(&[Field::Id]).unwrap();
        for (row, entry) in entries[first..].iter().take(page.n_rows()).enumerate() {
            assert_eq!(page.row(row).unwrap().get(Field::Id), entry.get(Field::Id));
        }
        first += page.n_rows();
    }
    assert_eq!(first, entries.len());
    let n_rows = u32::try_from(entries.len()).unwrap();
    let some: Vec<u32> = (0..n_rows).filter(|row| row * 7 % 11 < 3).rev().collect();
    for rows in [&some[..], &[0, n_rows - 1, 0]] {
        let expected = rows.iter().map(|row| entries[usize::try_from(*row).unwrap()].clone());
        assert_eq!(reader.fetch(rows).unwrap(), expected.collect::<Vec<_>>());
    }
}

#[test]
fn pages_of_usual_events() {
    let mut maker = EventMaker::new(5).with_source_ids();
    let rows: Vec<Row> = maker.by_ref().take(9_000).map(|line| row_of(&line)).collect();
    let store = memory();
    let meta = sealed(&store, &[batch(0, 50, &rows)], &options(1, Cut::default()));
    let reader = open(&store, &meta);
    assert_eq!(reader.n_pages(), 5);
    compare(&reader);
}

/// A column goes on with plain values where its dictionary has become too large.
#[test]
fn pages_where_a_dictionary_ends() {
    let rows: Vec<Row> = (0..7_000_u32)
        .map(|n| {
            row_of(&format!(
                r#"{{"account_id":"a","action":"x","occurred_at":"2026-01-01T00:00:00Z",
                "resource_id":"{}","path":"/a/{n}/b","route":"/a/{{id}}/b"}}"#,
                format!("{n:08}").repeat(if n % 3 == 0 { 60 } else { 1 }),
            ))
        })
        .collect();
    let store = memory();
    let meta = sealed(&store, &[batch(0, 50, &rows)], &options(1, Cut::default()));
    compare(&open(&store, &meta));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn pages_of_any_rows(
        ours in proptest::collection::vec(any_row(), 1..12),
        theirs in proptest::collection::vec(trailkeep_testkit::any_row(), 1..12),
    ) {
        let rows: Vec<Row> = ours.into_iter().chain(theirs).collect();
        let store = memory();
        let meta = sealed(&store, &[batch(0, 50, &rows)], &options(1, Cut::default()));
        compare(&open(&store, &meta));
    }
}

/// More rows differ in what mostly follows from the route than one segment has codes for; the
/// rest are in the fields' own columns, also after a merge.
#[test]
fn pages_of_too_many_shapes() {
    let row = |n: u32| {
        row_of(&format!(
            r#"{{"account_id":"a{}","action":"x","occurred_at":"2026-01-01T00:00:00Z",
            "route":"/{n}/{{id}}","path":"/{n}/7","status":{},"intent":{}}}"#,
            n % 3,
            n % 900,
            n.is_multiple_of(2),
        ))
    };
    let store = memory();
    let parts: Vec<_> = [(0, 0..5_000), (1, 5_000..6_000)]
        .into_iter()
        .map(|(frame, numbers)| {
            let rows: Vec<Row> = numbers.map(row).collect();
            let mut from = Cut::default();
            from.set(Partition::new(0).unwrap(), frame);
            let id = u8::try_from(frame).unwrap();
            let meta = sealed(&store, &[batch(frame, 50, &rows)], &options(id, from));
            compare(&open(&store, &meta));
            meta
        })
        .collect();
    let merged = merge(&store, &key(), &parts, [9; 16], &|| false).unwrap();
    let reader = open(&store, &std::sync::Arc::new(merged));
    assert_eq!(reader.verify().unwrap().verbatim, 0);
    compare(&reader);
}

/// Reads a segment as Arrow batches and gives the text of every value.
fn arrow(
    reader: &SegmentReader,
    plan: &ScanPlan<'_>,
    fields: &[Field],
) -> Vec<Vec<Option<String>>> {
    let mut rows = Vec::new();
    for batch in reader.arrow(fields, plan, 3_000) {
        let batch = batch.unwrap();
        assert_eq!(batch.schema(), arrow_schema(fields));
        for row in 0..batch.num_rows() {
            let value = |array: &ArrayRef| match array.data_type() {
                DataType::Dictionary(..) => {
                    let array = array.as_dictionary::<UInt32Type>();
                    let texts = array.values().as_string::<i32>();
                    array.key(row).map(|key| texts.value(key).to_owned())
                }
                _ if array.is_null(row) => None,
                DataType::Utf8 => Some(array.as_string::<i32>().value(row).to_owned()),
                DataType::Boolean => Some(array.as_boolean().value(row).to_string()),
                DataType::Int64 => Some(array.as_primitive::<Int64Type>().value(row).to_string()),
                _ => {
                    let at = array.as_primitive::<TimestampMicrosecondType>().value(row);
                    Some(Micros(at).to_string())
                }
            };
            rows.push(batch.columns().iter().map(value).collect());
        }
    }
    rows
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(text) | ValueRef::Json(text) => text.to_owned(),
        ValueRef::Int(int) => int.to_string(),
        ValueRef::Bool(truth) => truth.to_string(),
        ValueRef::Time(at) => at.to_string(),
        ValueRef::Id(id) => id.to_string(),
    }
}

#[test]
fn arrow_batches_have_the_rows_of_the_plan() {
    let mut maker = EventMaker::new(6).with_accounts(30).with_source_ids();
    let rows: Vec<Row> = maker.by_ref().take(9_000).map(|line| row_of(&line)).collect();
    let store = memory();
    for fault in [None, Some(SealFault { row: 4_000, field: Field::Status })] {
        let id = u8::from(fault.is_some());
        let options = SealOptions { fault, ..options(id, Cut::default()) };
        let meta = sealed(&store, &[batch(0, 1_800_000_000_000_000, &rows)], &options);
        let reader = open(&store, &meta);
        let entries = all(&reader);
        let some: BTreeSet<String> =
            ["account-1", "account-2", "account-17", "nobody"].map(str::to_owned).into();
        let middle = entries[4_500].view().sort_at();
        for (accounts, from, to) in [
            (None, None, None),
            (Some(&some), None, None),
            (Some(&some), Some(middle), None),
            (None, None, Some(middle)),
        ] {
            let plan = ScanPlan { accounts, from, to, fields: &[] };
            let expected: Vec<Vec<Option<String>>> = entries
                .iter()
                .filter(|entry| {
                    let at = entry.view().sort_at();
                    accounts.is_none_or(|set| set.contains(entry.text(Field::AccountId).unwrap()))
                        && from.is_none_or(|from| at >= from)
                        && to.is_none_or(|to| at < to)
                })
                .map(|entry| Field::ALL.iter().map(|field| entry.get(*field).map(text)).collect())
                .collect();
            assert!(!expected.is_empty());
            assert!(arrow(&reader, &plan, Field::ALL) == expected, "{from:?} {to:?}");
        }
    }
}
