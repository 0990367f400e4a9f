//! Frequent members of `metadata` have columns of their own, and nobody notices.

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef};
use trailkeep_event::{Cut, Entry, Field, Fields, Row, RowBuilder, ValueRef};
use trailkeep_filter::Filter;
use trailkeep_segment::{PageOrder, ScanPlan, SealFault, SealOptions, SegmentReader};

use crate::rows::{all, batch, memory, open, options, row, sealed};
use crate::selecting::{expected, selected};

const EVERYTHING: ScanPlan<'static> =
    ScanPlan { accounts: None, from: None, to: None, fields: &[] };

/// Rows with objects that share keys, with and without dots, and with rare ones.
fn rows() -> Vec<Row> {
    let object = |n: i64| match n % 9 {
        0 => None,
        1 => Some("{}".to_owned()),
        2 => Some(format!(r#"{{"rare{n}":{n}}}"#)),
        3 => Some(format!(r#"{{"a":{{"b":{},"c":null}},"sdk":"python"}}"#, n % 5)),
        4 => Some(format!(r#"{{"a.b":"x{}","sdk":"go","\u00e9\"":1}}"#, n % 4)),
        5 => Some(format!(r#"{{"key":"{n:08}-####","sdk":"python","seats":{}}}"#, n % 50)),
        6 => Some(format!(r#"{{"a":[{{"b":{}}},3],"a.b":true,"rare{n}":"sdk"}}"#, n % 5)),
        7 => Some(r#"{"sdk":null}"#.to_owned()),
        _ => Some(format!(r#"{{"key":"{n:08}-####","zone":{{"a":{{"b":"deep"}}}}}}"#)),
    };
    (0..5_000)
        .map(|n| {
            let bare = row(["a", "b"][usize::from(n > 3_000)], n, n % 900);
            let mut builder = RowBuilder::default();
            bare.view().for_each(|field, value| {
                if field != Field::Metadata {
                    builder.set(field, value);
                }
            });
            if let Some(json) = object(n) {
                let json = json.replace("\\u00e9", "\u{e9}");
                builder.set(Field::Metadata, ValueRef::Json(&json));
            }
            builder.finish()
        })
        .collect()
}

fn segments() -> Vec<SegmentReader> {
    let store = memory();
    let faults = [None, Some(SealFault { row: 700, field: Field::Metadata })];
    let segment = |(id, fault)| {
        let options = SealOptions { fault, ..options(id, Cut::default()) };
        open(&store, &sealed(&store, &[batch(0, 50, &rows())], &options))
    };
    (0..).zip(faults).map(segment).collect()
}

#[test]
fn rows_come_back_and_filters_find_them() {
    let filters = [
        "metadata.sdk:python",
        "-metadata.sdk:python",
        "metadata.sdk:*",
        "metadata:*",
        "-metadata:*",
        "metadata.a.b:3",
        "metadata.a.b:x1",
        "metadata.a:3",
        "metadata.\"a.b\":true",
        "metadata.a.c:*",
        "metadata.seats:>40",
        "metadata.key:00000050-####",
        "metadata.key:*50-*",
        "metadata.rare2:2",
        "metadata.nothing:1",
        "metadata.zone.a.b:deep",
        "metadata.zone.a.b:*",
        "python",
        "sdk",
        "00000050",
        "rare2",
        "metadata.sdk:go OR metadata.seats:7",
    ];
    for reader in segments() {
        let entries = all(&reader);
        assert!(entries.iter().map(|entry| entry.row.clone()).eq(rows()));
        for text in filters {
            let filter = Filter::parse(text).unwrap();
            let found = selected(&reader, &filter, &EVERYTHING);
            assert_eq!(found, expected(&entries, &filter, &EVERYTHING), "{text}");
        }
        for entry in entries.iter().step_by(977) {
            assert_eq!(reader.find(entry.stamp.position).unwrap().as_ref(), Some(entry));
        }
    }
}

/// Returns what stands at a path of keys.
fn at(json: Option<&str>, path: &[String]) -> Option<serde_json::Value> {
    let object: serde_json::Value = serde_json::from_str(json?).unwrap();
    let mut value = Some(&object);
    for key in path {
        value = value.and_then(|value| value.get(key));
    }
    let dotted = object.get(path.join("."));
    Some(serde_json::json!([value, dotted]))
}

fn texts(array: &ArrayRef) -> Vec<Option<String>> {
    let value = |row: usize| match array.as_dictionary_opt::<UInt32Type>() {
        Some(codes) => {
            codes.key(row).map(|code| codes.values().as_string::<i32>().value(code).to_owned())
        }
        None => array.is_valid(row).then(|| array.as_string::<i32>().value(row).to_owned()),
    };
    (0..array.len()).map(value).collect()
}

#[test]
fn objects_for_one_path_have_the_same_there() {
    let paths = [&["sdk"][..], &["a", "b"], &["a"], &["key"], &["rare2"], &["zone", "a", "b"]];
    for (reader, is_plain) in segments().iter().zip([true, false]) {
        let entries: Vec<Entry> = all(reader);
        for path in paths {
            let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
            for filter in ["", "status:>450"] {
                let filter = Filter::parse(filter).unwrap();
                let n_coded = check_path(reader, &entries, &filter, &path);
                assert!((n_coded > 0) == is_plain || path != ["sdk"]);
            }
        }
    }
}

/// Compares the objects of all pages and returns how many pages have dictionaries.
fn check_path(
    reader: &SegmentReader,
    entries: &[Entry],
    filter: &Filter,
    path: &[String],
) -> usize {
    let mut n_coded = 0;
    let mut query = reader.query(filter, &EVERYTHING);
    for candidate in query.candidates(PageOrder::Oldest) {
        let mut hits = query.select(&candidate).unwrap();
        let array = hits.arrow_metadata(path).unwrap();
        n_coded += usize::from(array.as_dictionary_opt::<UInt32Type>().is_some());
        assert_eq!(array.len(), hits.count());
        let rows: Vec<usize> = hits.rows().iter().collect();
        for (text, row) in texts(&array).iter().zip(rows) {
            let number = hits.page().number(row).unwrap();
            same(text.as_deref(), &entries[usize::try_from(number).unwrap()], path);
        }
    }
    n_coded
}

fn same(text: Option<&str>, entry: &Entry, path: &[String]) {
    let json = match entry.get(Field::Metadata) {
        Some(ValueRef::Json(json)) => Some(json),
        _ => None,
    };
    let nothing = || Some(serde_json::json!([null, null]));
    assert_eq!(at(text, path).or_else(nothing), at(json, path).or_else(nothing), "{json:?}");
}
