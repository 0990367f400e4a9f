//! Giving files up, and using them again.

use std::sync::Arc;

use trailkeep_event::Cut;
use trailkeep_io::{Disk, SimDisk};
use trailkeep_journal::{Error, Journal, JournalOptions};

use crate::support::{FOLDER, SMALL, batch, file_path, open, partition, replay, three_files};

fn names(disk: &SimDisk) -> Vec<String> {
    disk.list(FOLDER).unwrap().into_iter().map(|entry| entry.name).collect()
}

#[test]
fn only_files_below_the_cut_in_every_partition_are_released() {
    let disk = SimDisk::new(1);
    let (stored, _) = three_files(&disk);
    let (mut journal, _) = open(&disk, &Cut::default());
    let mut cut = journal.next();
    cut.set(partition(2), 0);
    journal.release(&cut).unwrap();
    assert_eq!(journal.stats().files, 3, "partition 2 has a frame in the first file");
    cut.set(partition(2), 1);
    journal.release(&cut).unwrap();
    assert_eq!(journal.stats().files, 2);
    journal.release(&journal.next()).unwrap();
    assert_eq!(journal.stats().files, 1, "the last file stays");
    let gap = journal.reader().read(partition(0), 0, 100);
    assert!(matches!(gap, Err(Error::Gap { expected: 0, .. })), "{gap:?}");
    let replayed = journal.reader().replay(&Cut::default(), &mut |_frame| Ok(()));
    assert!(matches!(replayed, Err(Error::Gap { .. })), "{replayed:?}");
    let last = journal.next().frame(partition(15)) - 1;
    let frames = journal.reader().read(partition(15), last, 100).unwrap();
    assert_eq!(frames[0].batch.as_bytes(), stored.last().unwrap().2);
}

#[test]
fn released_files_are_zero_before_they_are_used_again() {
    let disk = SimDisk::new(2);
    three_files(&disk);
    let (mut journal, _) = open(&disk, &Cut::default());
    let committed = journal.next();
    journal.release(&committed).unwrap();
    assert_eq!(names(&disk), ["0000000000000003.journal", "spare-0", "spare-1"]);
    journal.preparer().prepare().unwrap();
    for name in ["spare-0", "spare-1"] {
        let bytes = disk.power_cut().read_all(&format!("{FOLDER}/{name}")).unwrap();
        assert_eq!(bytes, vec![0; usize::try_from(SMALL.file_bytes).unwrap()]);
    }
    let before = journal.stats().fsyncs;
    let mut n_writes = 0;
    while journal.stats().files == 1 {
        journal.append(&[batch(partition(4), n_writes, 900)]).unwrap();
        n_writes += 1;
    }
    assert_eq!(journal.stats().fsyncs, before + n_writes + 1, "only the header was added");
    assert_eq!(names(&disk).len(), 5, "two files, and three that are ready");
    let found = replay(&open(&disk, &committed).0.reader(), &committed);
    assert_eq!(u64::try_from(found.len()).unwrap(), n_writes);
    assert!(!names(&disk).iter().any(|name| name.starts_with("spare")), "{:?}", names(&disk));
}

#[test]
fn a_reader_in_a_released_file_reads_on() {
    let disk = SimDisk::new(3);
    let (stored, _) = three_files(&disk);
    let (mut journal, _) = open(&disk, &Cut::default());
    let mut found = Vec::new();
    let reader = journal.reader();
    reader
        .replay(&Cut::default(), &mut |frame| {
            if found.is_empty() {
                journal.release(&journal.next())?;
                journal.preparer().prepare()?;
            }
            found.push((frame.partition, frame.frame, frame.batch.as_bytes().to_vec()));
            Ok(())
        })
        .unwrap();
    assert_eq!(found, stored);
    assert!(disk.read_all(&file_path(1)).is_err());
}

#[test]
fn room_that_nobody_needs_is_given_back() {
    let disk = SimDisk::new(5);
    three_files(&disk);
    let (mut journal, _) = open(&disk, &Cut::default());
    journal.preparer().prepare().unwrap();
    let ready = ["spare-0", "spare-1", "spare-2", "spare-3"];
    assert_eq!(names(&disk)[3..], ready);
    journal.release(&journal.next()).unwrap();
    assert_eq!(names(&disk)[1..], ready, "no more are kept");
    journal.preparer().discard().unwrap();
    assert_eq!(names(&disk), ["0000000000000003.journal"]);
    let room_bytes = journal.preparer().room_bytes();
    assert!(room_bytes < SMALL.file_bytes - 4096, "{room_bytes}");
    let mut n_files = 0;
    while n_files < 2 {
        journal.append(&[batch(partition(0), 7, 900)]).unwrap();
        n_files = journal.stats().files;
    }
    assert!(journal.preparer().room_bytes() > room_bytes, "a file that was made on demand");
}

#[test]
fn a_file_of_another_size_is_not_used_again() {
    let disk = SimDisk::new(4);
    three_files(&disk);
    let options = JournalOptions { file_bytes: 16384, ..SMALL };
    let (mut journal, _) =
        Journal::open(Arc::new(disk.clone()), FOLDER, options, &Cut::default()).unwrap();
    journal.release(&journal.next()).unwrap();
    assert_eq!(names(&disk), ["0000000000000003.journal"]);
}
