//! One flipped bit at rest: an error that names it, or the right answer; never a wrong one.
//!
//! Samples of a store with several files of each kind, through everything that opening does, such
//! as rebuilding a run. `every_byte` visits each byte of a smaller one.

use trailkeep_event::EventId;
use trailkeep_ingest::{Error, Unavailable};
use trailkeep_io::durable::TEMPORARY_SUFFIX;
use trailkeep_io::{Disk, OpCounts};
use trailkeep_testkit::Random;

use crate::machine::{Machine, Running, event, identified, in_lanes, unmerged};
use crate::stored::Stored;

/// How many bits of each folder are flipped, each alone.
const FLIPS_EACH: u64 = 20;
/// A journal file is mostly zeros kept for later: only its front holds writes.
const JOURNAL_BYTES: u64 = 8 << 10;

struct Built {
    machine: Machine,
    stored: Stored,
    retried: Vec<String>,
    ids: Vec<Option<EventId>>,
}

/// Two segments with their runs, and a tail.
fn build(seed: u64) -> Built {
    let machine = Machine::new(seed);
    let running = machine.open_with(unmerged()).unwrap();
    let (mut retried, mut ids) = (Vec::new(), Vec::new());
    for part in ["a", "b", "tail"] {
        let sent = ["acme", "globex"].map(|account| identified(account, &format!("{part}-id")));
        ids.extend(running.submit(&sent).unwrap().ids);
        retried.extend(sent);
        let others: Vec<String> = (0..6).map(|n| event("acme", &format!("{part}-{n}"))).collect();
        running.submit(&others).unwrap();
        if part != "tail" {
            running.store.flush().unwrap();
        }
    }
    let stored = Stored::of(&running.store);
    running.crash(&machine.disk);
    Built { machine: machine.power_cut(), stored, retried, ids }
}

#[test]
fn a_flipped_bit_is_named_or_harmless() {
    let mut random = Random::new(19);
    let mut flips = Vec::new();
    for folder in ["objects/seg", "objects/dup", "journal"] {
        flips.extend((0..FLIPS_EACH).map(|_| (folder, random.number())));
    }
    in_lanes(&flips, |(folder, place)| flip_and_check(folder, *place));
}

fn flip_and_check(folder: &str, place: u64) {
    let built = build(1);
    let mut random = Random::new(place);
    let disk = &built.machine.disk;
    let files = files_below(disk, folder);
    let (path, bytes) = random.pick(&files).clone();
    let reach = if folder == "journal" { bytes.min(JOURNAL_BYTES) } else { bytes };
    let (offset, bit) = (random.below(reach), u8::try_from(random.below(8)).unwrap());
    disk.flip_bit(&path, offset, bit).unwrap();

    let running = match built.machine.open_with(unmerged()) {
        Ok(running) => running,
        Err(error) => return assert_named(folder, &error),
    };
    match Stored::read(&running.store) {
        Ok(stored) => assert_eq!(stored.by_tag, built.stored.by_tag),
        Err(error) => {
            assert_eq!(folder, "objects/seg", "{error:?}");
            assert!(error.to_string().contains("corrupt"), "{error:?}");
        }
    }
    assert_known(&built, &running);
    running.crash(&built.machine.disk);
}

/// A damaged journal stops the store; it is not cut by itself. Nothing else keeps it from opening.
fn assert_named(folder: &str, error: &Error) {
    let Error::Journal { source, .. } = error else { panic!("{error:?}") };
    assert_eq!(folder, "journal", "{source:?}");
    assert!(source.to_string().contains("journal file `journal/"), "{source}");
}

/// A retry is a duplicate with the right identifier, or refused as undecidable; never admitted.
fn assert_known(built: &Built, running: &Running) {
    for (event, id) in built.retried.iter().zip(&built.ids) {
        match running.submit(std::slice::from_ref(event)) {
            Ok(answer) => {
                assert_eq!((answer.accepted, &answer.rejected[..]), (0, &[][..]));
                assert_eq!(answer.duplicates.first().map(|(_, id)| *id), *id);
            }
            Err(unavailable) => assert_eq!(unavailable, Unavailable::SourceIds),
        }
    }
}

/// A segment that lost an object, or the end of one, is noticed when the store is opened and not
/// only by the query that needs it; nothing is changed.
#[test]
fn a_lost_object_of_a_segment_is_named() {
    for part in ["parquet", "tks"] {
        for left in [None, Some(0), Some(100)] {
            let built = build(2);
            let disk = &built.machine.disk;
            let files = files_below(disk, "objects/seg");
            let (path, _) = files.iter().find(|(path, _)| path.ends_with(part)).unwrap();
            let bytes = disk.read_all(path).unwrap();
            disk.remove(path).unwrap();
            if let Some(left) = left {
                disk.write_raw(path, &bytes[..left]).unwrap();
            }
            let changes = |ops: OpCounts| (ops.writes, ops.syncs, ops.renames);
            let before = changes(disk.ops());
            let error = built.machine.open_with(unmerged()).map(|_running| ()).unwrap_err();
            let key = path.strip_prefix("objects/").unwrap();
            assert!(error.to_string().contains(&format!("`{key}`")), "{error}");
            assert!(matches!(error, Error::SegmentLost { n_lost: 1, .. }), "{error:?}");
            assert_eq!(changes(disk.ops()), before);
            disk.write_raw(path, &bytes).unwrap();
            let running = built.machine.open_with(unmerged()).unwrap();
            assert_eq!(Stored::of(&running.store).by_tag, built.stored.by_tag);
            running.crash(disk);
        }
    }
}

/// The index of a segment is made again, beside everything else.
#[test]
fn a_lost_index_is_made_again() {
    let built = build(3);
    let disk = &built.machine.disk;
    let files = files_below(disk, "objects/seg");
    let indexes: Vec<&(String, u64)> =
        files.iter().filter(|(path, _)| path.ends_with("tki")).collect();
    assert_eq!(indexes.len(), 2, "{files:?}");
    let whole: Vec<Vec<u8>> =
        indexes.iter().map(|(path, _)| disk.read_all(path).unwrap()).collect();
    disk.remove(&indexes[0].0).unwrap();
    disk.write_raw(&indexes[1].0, &whole[1][..10]).unwrap();
    let running = built.machine.open_with(unmerged()).unwrap();
    for ((path, _), whole) in indexes.iter().zip(&whole) {
        let same = || disk.read_all(path).is_ok_and(|bytes| bytes == *whole);
        assert!(running.wait_for(|_| same()), "{path}");
    }
    assert_eq!(Stored::of(&running.store).by_tag, built.stored.by_tag);
    running.crash(disk);
}

fn files_below(disk: &impl Disk, folder: &str) -> Vec<(String, u64)> {
    let mut files = Vec::new();
    for entry in disk.list(folder).unwrap() {
        let path = format!("{folder}/{}", entry.name);
        if entry.folder {
            files.extend(files_below(disk, &path));
        } else if !entry.name.starts_with("spare-") && !entry.name.ends_with(TEMPORARY_SUFFIX) {
            files.push((path, entry.bytes));
        }
    }
    files
}
