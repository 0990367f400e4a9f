//! One flipped bit in every byte of every file of a small store: an error that names it, or the
//! right answer; never a wrong one, and nothing is cut by itself.

use std::sync::Arc;

use trailkeep_duplicates::{Known, Run, RunMeta, SourceKey};
use trailkeep_ingest::Error;
use trailkeep_io::{Disk, DiskStore};
use trailkeep_segment::{Error as SegmentError, SegmentMeta, Shelf};

use crate::machine::{Machine, Running, event, identified, in_lanes, runtime, unmerged};
use crate::stored::Stored;

/// How many bytes one lane takes at a time.
const STRETCH_BYTES: usize = 512;
/// How many entries are sealed.
const N_SEALED: usize = 2;

/// A store with one segment and its run, and a tail.
struct Built {
    machine: Machine,
    stored: Stored,
    files: Vec<(String, u64)>,
}

fn build() -> Built {
    let machine = Machine::new(23);
    let running = machine.open_with(unmerged()).unwrap();
    running.submit(&[identified("acme", "sealed-id"), event("globex", "sealed")]).unwrap();
    running.store.flush().unwrap();
    running.submit(&[identified("acme", "tail-id"), event("globex", "tail")]).unwrap();
    let stored = Stored::of(&running.store);
    assert_eq!(stored.len(), 4);
    let crashed = machine.power_cut();
    running.crash(&machine.disk);
    let files: Vec<(String, u64)> = ["objects/seg", "objects/dup", "journal"]
        .into_iter()
        .flat_map(|folder| {
            let entries = crashed.disk.list(folder).unwrap().into_iter();
            entries.map(move |entry| (format!("{folder}/{}", entry.name), entry.bytes))
        })
        .filter(|(path, _bytes)| !path.contains("/spare-"))
        .collect();
    Built { machine: crashed, stored, files }
}

/// Flips one bit of each byte of the files below a folder, one after the other, on a machine of
/// each lane's own.
fn flip_each(folder: &str, check: impl Fn(&Built, &Running, &str, u64) + Sync) {
    let files = build().files;
    let stretches: Vec<(usize, u64)> = (0..files.len())
        .filter(|index| files[*index].0.starts_with(folder))
        .flat_map(|index| {
            let starts = (0..files[index].1).step_by(STRETCH_BYTES);
            starts.map(move |start| (index, start))
        })
        .collect();
    assert!(!stretches.is_empty(), "{files:?}");
    in_lanes(&stretches, |(index, start)| {
        let built = build();
        let (path, bytes) = &built.files[*index];
        let running = built.machine.open_with(unmerged()).unwrap();
        assert_eq!(Stored::of(&running.store).by_tag, built.stored.by_tag);
        let end = start + u64::try_from(STRETCH_BYTES).unwrap();
        for byte in *start..end.min(*bytes) {
            let bit = u8::try_from(byte * 5 % 8).unwrap();
            built.machine.disk.flip_bit(path, byte, bit).unwrap();
            check(&built, &running, path, byte);
            built.machine.disk.flip_bit(path, byte, bit).unwrap();
        }
        running.crash(&built.machine.disk);
    });
}

/// A journal with any bit flipped keeps the store from opening, also where it is empty: it is never
/// read as one with fewer entries.
#[test]
fn every_byte_of_the_journal_is_watched() {
    flip_each("journal", |built, _running, path, byte| {
        let opened = built.machine.killed().open_with(unmerged());
        let Err(Error::Journal { source, .. }) = opened.map(|_running| ()) else {
            panic!("{path}, byte {byte}: it opened");
        };
        let message = source.to_string();
        assert!(message.contains(&format!("`{path}` is damaged at byte ")), "{message}");
    });
}

/// Opening a store looks at no more of a segment than its length (`damage` does that): here each
/// flip meets a new reader.
#[test]
fn every_byte_of_a_segment_is_watched() {
    flip_each("objects/seg", |built, running, path, byte| {
        let shelf = running.store.shelf();
        let view = shelf.view();
        let metas = view.sealed.iter().map(|segment| SegmentMeta::clone(segment.meta())).collect();
        let unread = Shelf::new(Arc::clone(shelf.store()), shelf.key().clone(), metas, view.cut);
        match Stored::read_shelf(&unread) {
            Ok(stored) => {
                assert_eq!(stored.len(), N_SEALED, "{path}, byte {byte}");
                let right = |(tag, entries)| built.stored.by_tag.get(tag) == Some(entries);
                assert!(stored.by_tag.iter().all(right), "{path}, byte {byte}");
            }
            Err(error) => {
                assert!(matches!(error, SegmentError::Corrupt { .. }), "byte {byte}: {error:?}");
            }
        }
    });
}

/// What a store does with a run that is damaged is tested in `damage` and `duplicates`: here each
/// flip meets a run that is opened and asked for an event that it has and one that it has not.
#[test]
fn every_byte_of_a_run_is_watched() {
    flip_each("objects/dup", |built, running, path, byte| {
        let source_key = SourceKey::new(running.store.identity().source_key);
        let known = |tag: &str| {
            let entry = &built.stored.by_tag[tag][0];
            let (fingerprint, check) = source_key.identify(entry).unwrap();
            (fingerprint, Known { check, id: entry.stamp.id })
        };
        let ((sealed, known), (tail, _)) = (known("sealed-id"), known("tail-id"));
        let snapshot = runtime().block_on(running.store.catalog().snapshot()).unwrap();
        let meta: RunMeta = serde_json::from_str(&snapshot.runs[0].meta).unwrap();
        let objects = DiskStore::new(Arc::new(built.machine.disk.clone()), "objects");
        let Ok(run) = Run::open(Arc::new(objects), meta) else { return };
        if let Ok(found) = run.find(sealed) {
            assert_eq!(found, Some(known), "{path}, byte {byte}");
        }
        if let Ok(found) = run.find(tail) {
            assert_eq!(found, None, "{path}, byte {byte}");
        }
        assert!(run.verify().is_err(), "{path}, byte {byte}: the doctor does not see it");
    });
}
