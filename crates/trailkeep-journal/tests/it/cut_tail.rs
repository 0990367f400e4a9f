//! The doctor's way out of a damaged end.

use std::sync::Arc;

use trailkeep_event::Cut;
use trailkeep_io::{Fault, FaultKind, FaultOp, SimDisk};
use trailkeep_journal::{CutNote, CutTail, Error, cut_tail};

use crate::support::{
    FOLDER, Stored, batch, file_path, open, partition, replay, three_files, try_open,
};

/// Damages the last file's second write of three; returns what is before it.
fn damaged(disk: &SimDisk) -> (Vec<Stored>, CutNote) {
    let (stored, last) = three_files(disk);
    let path = file_path(last);
    let (journal, _) = open(disk, &Cut::default());
    let held = |frame: u64| journal.reader().read(partition(15), frame, 1).unwrap();
    assert_eq!(held(10).len(), 1);
    drop(journal);
    let bytes = disk.read_all(&path).unwrap();
    let starts: Vec<usize> =
        (4096..8192).step_by(512).filter(|at| &bytes[*at..*at + 4] == b"TKW1").collect();
    let (at, n_lost) = (starts[1], starts.len() - 1);
    disk.flip_bit(&path, u64::try_from(at).unwrap() + 100, 0).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap().next_multiple_of(512);
    let n_writes = 11 - n_lost;
    let note = CutNote {
        file: last,
        offset: u64::try_from(at).unwrap(),
        bytes: u64::try_from(end - at).unwrap(),
        write: u64::try_from(n_writes).unwrap() + 1,
        frames: u64::try_from(n_lost * 2).unwrap(),
    };
    (stored[..n_writes * 2].to_vec(), note)
}

#[test]
fn a_sound_journal_is_left_alone() {
    let disk = SimDisk::new(1);
    assert!(matches!(cut_tail(Arc::new(disk.clone()), FOLDER), Err(Error::Io { .. })));
    three_files(&disk);
    assert_eq!(cut_tail(Arc::new(disk.clone()), FOLDER).unwrap(), CutTail::Sound);
}

#[test]
fn a_cut_is_noted_until_it_is_forgotten() {
    let disk = SimDisk::new(2);
    let (before, note) = damaged(&disk);
    assert!(matches!(try_open(&disk, &Cut::default()), Err(Error::Corrupt { .. })));
    let cut = cut_tail(Arc::new(disk.clone()), FOLDER).unwrap();
    assert_eq!(cut, CutTail::Cut(note.clone()));
    let disk = disk.power_cut();
    for _again in 0..2 {
        let (journal, recovery) = open(&disk, &Cut::default());
        assert_eq!(replay(&journal.reader(), &Cut::default()), before);
        assert_eq!(recovery.cuts, std::slice::from_ref(&note));
    }
    let (mut journal, _) = open(&disk, &Cut::default());
    journal.append(&[batch(partition(0), 1, 700)]).unwrap();
    journal.forget_cuts().unwrap();
    journal.forget_cuts().unwrap();
    let (_, recovery) = open(&disk.power_cut(), &Cut::default());
    assert_eq!(recovery.cuts, []);
    assert_eq!(u64::try_from(before.len()).unwrap() + 1, recovery.frames);
}

#[test]
fn a_cut_below_the_catalog_is_still_refused() {
    let disk = SimDisk::new(3);
    let (stored, _) = three_files(&disk);
    let committed = open(&disk, &Cut::default()).0.next();
    let other = SimDisk::new(4);
    damaged(&other);
    cut_tail(Arc::new(other.clone()), FOLDER).unwrap();
    let opened = try_open(&other, &committed);
    assert!(matches!(opened, Err(Error::BehindCatalog { .. })), "{opened:?}");
    assert!(!stored.is_empty());
}

#[test]
fn damage_that_more_follows_cannot_be_cut() {
    for (file, byte) in [(1, 4100), (2, 5000), (3, 20)] {
        let disk = SimDisk::new(5);
        three_files(&disk);
        let before = disk.read_all(&file_path(file)).unwrap();
        disk.flip_bit(&file_path(file), byte, 2).unwrap();
        let cut = cut_tail(Arc::new(disk.clone()), FOLDER);
        assert!(matches!(cut, Err(Error::Corrupt { .. })), "file {file}: {cut:?}");
        disk.flip_bit(&file_path(file), byte, 2).unwrap();
        assert_eq!(disk.read_all(&file_path(file)).unwrap(), before);
    }
}

#[test]
fn a_cut_that_is_cut_short_is_finished_later() {
    let whole = SimDisk::new(6);
    damaged(&whole);
    let before = whole.ops();
    cut_tail(Arc::new(whole.clone()), FOLDER).unwrap();
    for op in [FaultOp::Write, FaultOp::Sync, FaultOp::SyncDir, FaultOp::Rename] {
        for nth in 1..=whole.ops().of(op) - before.of(op) {
            for kind in [FaultKind::PowerOff, FaultKind::NotDone, FaultKind::Done] {
                let disk = SimDisk::new(nth);
                let (stored, note) = damaged(&disk);
                disk.arm(Fault { op, nth, kind });
                cut_tail(Arc::new(disk.clone()), FOLDER).unwrap_err();
                let disk = if kind == FaultKind::PowerOff { disk.power_cut() } else { disk };
                let cut = cut_tail(Arc::new(disk.clone()), FOLDER).unwrap();
                assert_eq!(cut, CutTail::Cut(note.clone()), "{kind:?} at {op:?} {nth}");
                let (journal, recovery) = open(&disk.power_cut(), &Cut::default());
                assert_eq!(recovery.cuts, [note]);
                assert_eq!(replay(&journal.reader(), &Cut::default()), stored);
            }
        }
    }
}

#[test]
fn a_damaged_note_is_named() {
    let disk = SimDisk::new(7);
    damaged(&disk);
    cut_tail(Arc::new(disk.clone()), FOLDER).unwrap();
    disk.flip_bit("journal/cuts", 9, 1).unwrap();
    let opened = try_open(&disk, &Cut::default());
    assert!(matches!(&opened, Err(Error::Corrupt { file, .. }) if file == "journal/cuts"));
}
