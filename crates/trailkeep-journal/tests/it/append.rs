//! Appending, reading by position, and what is refused.

use std::sync::Arc;
use std::thread;

use proptest::prelude::*;
use trailkeep_event::Cut;
use trailkeep_io::{RealDisk, SimDisk};
use trailkeep_journal::{Error, Journal, JournalOptions};

use crate::support::{
    FOLDER, SMALL, append, batch, check_by_position, open, partition, replay, three_files, try_open,
};

#[test]
fn frames_are_numbered_in_their_partition() {
    let (mut journal, recovery) = open(&SimDisk::new(1), &Cut::default());
    assert_eq!(recovery.frames, 0);
    let batches =
        [batch(partition(3), 1, 10), batch(partition(5), 2, 10), batch(partition(3), 3, 10)];
    assert_eq!(journal.append(&batches).unwrap(), [0, 0, 1]);
    assert_eq!(journal.append(&batches).unwrap(), [2, 1, 3]);
    assert_eq!(journal.append(&[]).unwrap(), Vec::<u64>::new());
    assert_eq!(journal.next().frame(partition(3)), 4);
    let stats = journal.stats();
    assert_eq!((stats.writes, stats.files), (2, 1));
    // One for zeros, one for the header, one for each write.
    assert_eq!(stats.fsyncs, 4);
}

#[test]
fn what_was_appended_is_found_after_reopening() {
    let disk = SimDisk::new(2);
    let (stored, n_files) = three_files(&disk);
    let (journal, recovery) = open(&disk, &Cut::default());
    assert_eq!(replay(&journal.reader(), &Cut::default()), stored);
    check_by_position(&journal, &stored, &Cut::default());
    assert_eq!((recovery.writes, recovery.frames), (11, 22));
    assert_eq!(u64::try_from(journal.stats().files).unwrap(), n_files);
    assert_eq!(recovery.torn_bytes, 0);
}

#[test]
fn replay_starts_at_the_cut() {
    let disk = SimDisk::new(3);
    let (stored, _) = three_files(&disk);
    let (journal, _) = open(&disk, &Cut::default());
    for cut_at in 0..stored.len() {
        let mut cut = Cut::default();
        for (partition, frame, _) in &stored[..cut_at] {
            cut.set(*partition, frame + 1);
        }
        assert_eq!(replay(&journal.reader(), &cut), stored[cut_at..]);
    }
}

#[test]
fn a_write_beyond_the_limit_is_refused_and_changes_nothing() {
    let (mut journal, _) = open(&SimDisk::new(4), &Cut::default());
    let refused = journal.append(&[batch(partition(0), 0, SMALL.write_bytes_max)]);
    assert!(matches!(refused, Err(Error::TooLarge { bytes_max: 2032, .. })), "{refused:?}");
    assert_eq!(journal.append(&[batch(partition(0), 0, 10)]).unwrap(), [0]);
}

#[test]
fn options_must_leave_room_for_a_write() {
    let cases = [(8191, 508), (4096, 508), (8192, 8 * 508 + 1), (8192, 0), (0, 508)];
    for (file_bytes, write_bytes_max) in cases {
        let options = JournalOptions { file_bytes, write_bytes_max };
        let disk = Arc::new(SimDisk::new(5));
        let opened = Journal::open(disk, FOLDER, options, &Cut::default());
        assert!(matches!(opened, Err(Error::Options { .. })), "{options:?}");
    }
}

#[test]
fn a_frame_beyond_the_end_is_a_gap() {
    let (mut journal, _) = open(&SimDisk::new(6), &Cut::default());
    journal.append(&[batch(partition(1), 0, 10)]).unwrap();
    let reader = journal.reader();
    assert!(reader.read(partition(1), 1, 100).unwrap().is_empty());
    let beyond = reader.read(partition(1), 2, 100);
    assert!(matches!(beyond, Err(Error::Gap { expected: 2, found: 1, .. })), "{beyond:?}");
    let mut cut = Cut::default();
    cut.set(partition(1), 2);
    let replayed = reader.replay(&cut, &mut |_frame| Ok(()));
    assert!(matches!(replayed, Err(Error::Gap { expected: 2, found: 1, .. })), "{replayed:?}");
}

#[test]
fn a_journal_behind_its_catalog_is_refused_always() {
    let disk = SimDisk::new(7);
    three_files(&disk);
    let mut committed = open(&disk, &Cut::default()).0.next();
    committed.set(partition(15), committed.frame(partition(15)) + 1);
    let before = disk.read_all(&crate::support::file_path(3)).unwrap();
    for _again in 0..2 {
        let refused = try_open(&disk, &committed);
        assert!(
            matches!(refused, Err(Error::BehindCatalog { recovered: 11, committed: 12, .. })),
            "{refused:?}"
        );
    }
    assert_eq!(disk.read_all(&crate::support::file_path(3)).unwrap(), before);
    let empty = try_open(&SimDisk::new(8), &committed);
    assert!(matches!(empty, Err(Error::BehindCatalog { .. })), "{empty:?}");
}

const N_FRAMES: u64 = 300;

#[test]
fn a_reader_tails_while_the_writer_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(RealDisk::open(folder.path()).unwrap());
    let options = JournalOptions { file_bytes: 64 * 1024, write_bytes_max: 16 * 1024 };
    let (mut journal, _) = Journal::open(disk, FOLDER, options, &Cut::default()).unwrap();
    let tails: Vec<_> = [partition(0), partition(7)]
        .map(|partition| {
            let reader = journal.reader();
            thread::spawn(move || {
                let mut next = 0;
                while next < N_FRAMES {
                    for frame in reader.read(partition, next, 4000).unwrap() {
                        assert_eq!((frame.partition, frame.frame), (partition, next));
                        let row = frame.batch.row(0).unwrap();
                        let action = row.row.value(trailkeep_event::Field::Action).unwrap();
                        assert_eq!(action.as_text().unwrap(), format!("tag.{next}"));
                        next += 1;
                    }
                    thread::yield_now();
                }
            })
        })
        .into();
    for tag in 0..N_FRAMES {
        let batches = [batch(partition(0), tag, 500), batch(partition(7), tag, 900)];
        assert_eq!(journal.append(&batches).unwrap(), [tag, tag]);
    }
    for tail in tails {
        tail.join().unwrap();
    }
    assert!(journal.stats().files > 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Any groups of any sizes come back, whatever the options of the two openings.
    #[test]
    fn any_groups_come_back(
        groups in prop::collection::vec(
            prop::collection::vec((0_u8..16, 0_usize..1400), 1..5), 1..12
        ),
        pages in 3_u64..6,
        pages_later in 3_u64..6,
    ) {
        let disk = Arc::new(SimDisk::new(9));
        let options = JournalOptions { file_bytes: pages * 4096, write_bytes_max: 8000 };
        let later = JournalOptions { file_bytes: pages_later * 4096, write_bytes_max: 6500 };
        let mut stored = Vec::new();
        let half = groups.len() / 2;
        let (early, late) = groups.split_at(half);
        for (options, groups) in [(options, early), (later, late)] {
            let (mut journal, _) =
                Journal::open(Arc::<SimDisk>::clone(&disk), FOLDER, options, &Cut::default()).unwrap();
            for group in groups {
                let batches: Vec<_> = group
                    .iter()
                    .map(|(number, size)| batch(partition(*number), 1, *size))
                    .collect();
                append(&mut journal, &batches, &mut stored).unwrap();
            }
        }
        let (journal, _) = Journal::open(disk, FOLDER, options, &Cut::default()).unwrap();
        prop_assert_eq!(replay(&journal.reader(), &Cut::default()), stored.clone());
        check_by_position(&journal, &stored, &Cut::default());
    }
}
