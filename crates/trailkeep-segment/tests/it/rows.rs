//! Rows, batches and stores for tests.

use std::ops::ControlFlow;
use std::sync::Arc;

use object_store::memory::InMemory;
use proptest::prelude::*;
use trailkeep_event::{
    BatchWriter, Cut, Entry, EntryRef, EventLimits, Field, FieldKind, Fields, IdKey, Micros,
    Partition, Row, RowBuilder, SequencedBatch, ValueRef, canonical_json,
};
use trailkeep_segment::{SealOptions, SegmentMeta, SegmentReader, SegmentStore, seal};

pub(crate) fn key() -> IdKey {
    IdKey::new([5; 16])
}

pub(crate) fn memory() -> Arc<SegmentStore> {
    Arc::new(SegmentStore::new(Arc::new(InMemory::new())))
}

pub(crate) fn options(id: u8, from: Cut) -> SealOptions {
    SealOptions { id: [id; 16], from, fault: None }
}

/// A row with little in it.
pub(crate) fn row(account: &str, occurred_at: i64, n: i64) -> Row {
    let mut builder = RowBuilder::default();
    builder.set(Field::AccountId, ValueRef::Text(account));
    builder.set(Field::OccurredAt, ValueRef::Time(Micros(occurred_at)));
    builder.set(Field::Action, ValueRef::Text("license.suspended"));
    builder.set(Field::Status, ValueRef::Int(n));
    builder.set(Field::ActorLabel, ValueRef::Text("Zo\u{eb} \"Z\" \\ O'Hara\n"));
    builder.set(Field::Intent, ValueRef::Bool(n % 2 == 0));
    builder.set(Field::Metadata, ValueRef::Json(r#"{"a":[1,{"b":"}\""}],"c":1e+30}"#));
    builder.finish()
}

/// A batch in partition 0 whose rows follow each other in one sequence.
pub(crate) fn batch(frame: u64, created_at: i64, rows: &[Row]) -> Arc<SequencedBatch> {
    batch_in(0, frame, created_at, rows)
}

pub(crate) fn batch_in(
    partition: u8,
    frame: u64,
    created_at: i64,
    rows: &[Row],
) -> Arc<SequencedBatch> {
    let mut writer = BatchWriter::new();
    for row in rows {
        writer.push(row.view());
    }
    let batch = writer.finish(Micros(created_at)).unwrap();
    let seqs = (0..rows.len()).map(|n| frame * 10_000 + u64::try_from(n).unwrap()).collect();
    Arc::new(SequencedBatch { partition: Partition::new(partition).unwrap(), frame, batch, seqs })
}

/// The entries of batches in the order that a segment stores them in.
pub(crate) fn sorted(batches: &[Arc<SequencedBatch>]) -> Vec<Entry> {
    let key = key();
    let mut entries: Vec<Entry> = batches
        .iter()
        .flat_map(|batch| batch.entries(&key).map(EntryRef::to_entry).collect::<Vec<_>>())
        .collect();
    entries.sort_by_key(|entry| {
        let account = entry.text(Field::AccountId).unwrap().to_owned();
        (account, entry.view().sort_at(), entry.stamp.seq)
    });
    entries
}

pub(crate) fn sealed(
    store: &Arc<SegmentStore>,
    batches: &[Arc<SequencedBatch>],
    options: &SealOptions,
) -> Arc<SegmentMeta> {
    Arc::new(seal(store, &key(), batches, options).unwrap().meta)
}

pub(crate) fn open(store: &Arc<SegmentStore>, meta: &Arc<SegmentMeta>) -> SegmentReader {
    SegmentReader::open(Arc::clone(store), Arc::clone(meta), key()).unwrap()
}

pub(crate) fn all(reader: &SegmentReader) -> Vec<Entry> {
    let mut entries = Vec::new();
    reader
        .for_each_entry(&mut |entry| {
            entries.push(entry);
            ControlFlow::Continue(())
        })
        .unwrap();
    entries
}

/// Any row that an event may become: any fields with any values of their kinds.
pub(crate) fn any_row() -> impl Strategy<Value = Row> {
    let optional: Vec<_> = Field::in_row()
        .map(|field| {
            let required = matches!(field, Field::AccountId | Field::OccurredAt | Field::Action);
            let value = any_value(field);
            if required {
                value.prop_map(Some).boxed()
            } else {
                proptest::option::weighted(0.4, value).boxed()
            }
        })
        .collect();
    optional.prop_map(|values| {
        let mut builder = RowBuilder::default();
        for (field, value) in Field::in_row().zip(values) {
            match value {
                None => {}
                Some(Value::Text(text)) => builder.set(field, ValueRef::Text(&text)),
                Some(Value::Json(text)) => builder.set(field, ValueRef::Json(&text)),
                Some(Value::Int(int)) => builder.set(field, ValueRef::Int(int)),
                Some(Value::Bool(truth)) => builder.set(field, ValueRef::Bool(truth)),
                Some(Value::Time(at)) => builder.set(field, ValueRef::Time(Micros(at))),
            }
        }
        builder.finish()
    })
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Json(String),
    Int(i64),
    Bool(bool),
    Time(i64),
}

fn any_value(field: Field) -> BoxedStrategy<Value> {
    match field.kind() {
        // Few accounts, so that rows of one stand together.
        FieldKind::Id if field == Field::AccountId => {
            prop_oneof!["[a-c]", "\\PC{1,8}"].prop_map(Value::Text).boxed()
        }
        FieldKind::Id | FieldKind::Text => {
            prop_oneof![".{0,12}", "\\PC*"].prop_map(Value::Text).boxed()
        }
        FieldKind::Enum(words) => {
            proptest::sample::select(words).prop_map(|word| Value::Text(word.to_owned())).boxed()
        }
        FieldKind::Int(min, max) => (min..=max).prop_map(Value::Int).boxed(),
        FieldKind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        FieldKind::Time => (Micros::MIN.0..=Micros::MAX.0).prop_map(Value::Time).boxed(),
        FieldKind::Object | FieldKind::Json | FieldKind::Headers => any_json()
            .prop_map(|json| {
                let text = json.to_string();
                let canonical = canonical_json(text.as_bytes(), &EventLimits::STANDARD).unwrap();
                Value::Json(canonical)
            })
            .boxed(),
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::Bool),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(serde_json::Value::from),
        // Doubles whose canonical form is an integer beyond 2^53 - 1 are no part of an event.
        proptest::num::f64::NORMAL
            .prop_filter("not kept", |double| !(9_007_199_254_740_992.0..1e21)
                .contains(&double.abs()))
            .prop_map(serde_json::Value::from),
        ".{0,8}".prop_map(serde_json::Value::String),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(serde_json::Value::Array),
            proptest::collection::btree_map(".{0,4}", inner, 0..3)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}
