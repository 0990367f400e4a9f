//! Changed bytes are found, named, and never answered from.

use std::ops::ControlFlow;
use std::sync::Arc;

use futures::executor::block_on;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use trailkeep_event::{Cut, Entry, Field, Fields, RowBuilder, ValueRef};
use trailkeep_segment::{Error, ScanPlan, SegmentMeta, SegmentReader, SegmentStore};

use crate::rows::{all, batch, key, open, options, row, sealed};

struct Damaged {
    objects: Arc<InMemory>,
    store: Arc<SegmentStore>,
    meta: Arc<SegmentMeta>,
}

fn small() -> Damaged {
    let objects = Arc::new(InMemory::new());
    let shared: Arc<InMemory> = Arc::clone(&objects);
    let store = Arc::new(SegmentStore::new(shared));
    let rows: Vec<_> = (0..5).map(|n| row(["a", "b"][usize::from(n > 2)], n, n + 400)).collect();
    let meta = sealed(&store, &[batch(0, 50, &rows)], &options(1, Cut::default()));
    Damaged { objects, store, meta }
}

impl Damaged {
    fn bytes(&self, key: &str) -> Vec<u8> {
        let len = self.store.size(key).unwrap();
        self.store.get_range(key, 0..len).unwrap().to_vec()
    }

    fn put(&self, key: &str, bytes: Vec<u8>) {
        block_on(self.objects.put(&Path::from(key), bytes.into())).unwrap();
    }

    /// Opens the segment in a store that holds nothing in memory yet.
    fn open(&self) -> Result<SegmentReader, Error> {
        SegmentReader::open(self.fresh(), Arc::clone(&self.meta), key())
    }

    fn fresh(&self) -> Arc<SegmentStore> {
        let shared: Arc<InMemory> = Arc::clone(&self.objects);
        Arc::new(SegmentStore::new(shared))
    }

    fn scan(reader: &SegmentReader) -> Result<Vec<(u32, i64)>, Error> {
        let mut seen = Vec::new();
        let fields = [Field::Status];
        let plan = ScanPlan { accounts: None, from: None, to: None, fields: &fields };
        reader.scan(&plan, &mut |handle, view| {
            seen.push((handle.row, view.get(Field::Status).unwrap().as_int().unwrap()));
            ControlFlow::Continue(())
        })?;
        Ok(seen)
    }
}

fn corrupt<T: std::fmt::Debug>(result: &Result<T, Error>, segment: &str) -> bool {
    matches!(result, Err(Error::Corrupt { segment: named, .. }) if named == segment)
}

/// Invariant: a bit that flips anywhere in any object is found by a check of the whole, and
/// whatever is answered without one is what was written.
#[test]
fn a_flipped_bit_is_found_at_every_byte() {
    let damaged = small();
    let reader = damaged.open().unwrap();
    let entries: Vec<Entry> = all(&reader);
    let scanned = Damaged::scan(&reader).unwrap();
    let segment = damaged.meta.id.as_str();
    for key in damaged.meta.keys() {
        let whole = damaged.bytes(key);
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at * 7 % 8);
            damaged.put(key, bytes);
            assert!(corrupt(&reader.verify(), segment), "{key} {at}");
            let opened = damaged.open();
            let Ok(opened) = opened else {
                assert!(corrupt(&opened, segment), "{key} {at}");
                continue;
            };
            match Damaged::scan(&opened) {
                Ok(found) => assert_eq!(found, scanned, "{key} {at}"),
                error => assert!(corrupt(&error, segment), "{key} {at}"),
            }
            match opened.fetch(&[4, 0]) {
                Ok(found) => assert_eq!(found, [entries[4].clone(), entries[0].clone()]),
                error => assert!(corrupt(&error, segment), "{key} {at}"),
            }
        }
        damaged.put(key, whole);
    }
    assert!(damaged.open().unwrap().verify().is_ok());
}

#[test]
fn the_column_and_the_offset_are_named() {
    let damaged = small();
    let key = &damaged.meta.parquet_key;
    let whole = damaged.bytes(key);
    let needle = b"O'Hara";
    let at = whole.windows(needle.len()).position(|window| window == needle).unwrap();
    let mut bytes = whole.clone();
    bytes[at] ^= 1;
    damaged.put(key, bytes);
    let result = damaged.open().unwrap().fetch(&[0]);
    let Err(Error::Corrupt { column, offset, .. }) = result else { panic!("{result:?}") };
    assert_eq!(column, "actor_label");
    let offset = usize::try_from(offset).unwrap();
    assert!(offset <= at && at < offset + 16_384);
    // A scan that does not need the column goes on.
    assert_eq!(Damaged::scan(&damaged.open().unwrap()).unwrap().len(), 5);
}

#[test]
fn objects_that_are_shorter_longer_or_gone_are_found() {
    let damaged = small();
    for key in damaged.meta.keys() {
        let whole = damaged.bytes(key);
        let reader = damaged.open().unwrap();
        let mut longer = whole.clone();
        longer.push(0);
        for bytes in [longer, whole[..whole.len() - 1].to_vec(), Vec::new()] {
            damaged.put(key, bytes);
            assert!(reader.verify().is_err(), "{key}");
        }
        damaged.store.delete(key).unwrap();
        damaged.store.delete(key).unwrap();
        assert!(matches!(reader.verify(), Err(Error::Store { .. })));
        damaged.put(key, whole);
        assert!(reader.verify().is_ok());
    }
}

/// A column that is longer than one checksum covers: damage takes the rows of its range along,
/// and no others.
#[test]
fn damage_in_a_long_column_has_its_place() {
    let damaged = small();
    let mut random = 7_u64;
    let rows: Vec<_> = (0..6_000)
        .map(|n| {
            let mut builder = RowBuilder::default();
            row("a", n, n % 900).view().for_each(|field, value| builder.set(field, value));
            let words: [String; 8] = std::array::from_fn(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                format!("{random:016x}")
            });
            let trace = words.concat();
            builder.set(Field::TraceId, ValueRef::Text(&trace));
            builder.finish()
        })
        .collect();
    let batches = [batch(1, 50_000_000, &rows)];
    let meta = sealed(&damaged.store, &batches, &options(2, Cut::default()));
    let reader = open(&damaged.store, &meta);
    let entries = crate::rows::sorted(&batches);
    assert!(reader.verify().unwrap().ranges > 40);
    for wanted in [&[0, 5_999, 2_048, 2_047][..], &[17], &[3_000, 3_001, 4_096]] {
        let found = reader.fetch(wanted).unwrap();
        let expected: Vec<Entry> =
            wanted.iter().map(|row| entries[usize::try_from(*row).unwrap()].clone()).collect();
        assert_eq!(found, expected);
    }
    // The longest column is the one of traces; its last ranges are in the last pages.
    let mut bytes = damaged.bytes(&meta.parquet_key);
    let at = bytes.len() * 2 / 3;
    bytes[at] ^= 4;
    damaged.put(&meta.parquet_key, bytes);
    let reader = open(&damaged.fresh(), &meta);
    let Err(Error::Corrupt { column, offset, .. }) = reader.verify() else { panic!() };
    assert_eq!(column, "trace_id");
    assert!(offset > 65_536);
    let answers = (0..6_000).step_by(200).map(|row| reader.fetch(&[row]).is_ok());
    let lost = answers.filter(|is_ok| !is_ok).count();
    assert!((1..4).contains(&lost), "{lost}");
}

/// Two objects that are whole, but belong to another description.
#[test]
fn another_segments_objects_are_not_taken() {
    let (one, other) = (small(), small());
    let rows = [row("x", 1, 1)];
    let replaced = sealed(&other.store, &[batch(1, 50, &rows)], &options(2, Cut::default()));
    one.put(&one.meta.trailer_key, other.bytes(&replaced.trailer_key));
    one.put(&one.meta.parquet_key, other.bytes(&replaced.parquet_key));
    assert!(corrupt(&one.open(), &one.meta.id));
    assert_eq!(all(&open(&other.store, &replaced)).len(), 1);
}
