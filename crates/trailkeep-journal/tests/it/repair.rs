//! The doctor's way out of a damaged header.

use std::sync::Arc;

use trailkeep_event::Cut;
use trailkeep_io::{Fault, FaultKind, FaultOp, SimDisk};
use trailkeep_journal::{CutTail, Error, HeaderRepair, WayOut, cut_tail, repair_headers};

use crate::support::{
    FOLDER, append, batch, file_path, open, partition, replay, three_files, try_open,
};

const PAGE: usize = 4096;

fn repair(disk: &SimDisk, committed: &Cut) -> Result<Vec<HeaderRepair>, Error> {
    repair_headers(Arc::new(disk.clone()), FOLDER, committed)
}

/// Puts something else in place of a part of a file.
fn overwrite(disk: &SimDisk, number: u64, range: std::ops::Range<usize>, byte: u8) {
    let mut bytes = disk.read_all(&file_path(number)).unwrap();
    bytes[range].fill(byte);
    disk.write_raw(&file_path(number), &bytes).unwrap();
}

fn way_out<T>(result: Result<T, Error>) -> Option<WayOut> {
    match result.err()? {
        Error::Corrupt { way_out, .. } => Some(way_out),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_damaged_header_is_written_again_and_nothing_is_lost() {
    // A lost page, junk, one bit.
    for (range, byte) in [(0..PAGE, 0), (0..PAGE, 0xA5), (40..41, 0x10)] {
        for damaged in [&[1][..], &[2], &[3], &[2, 3], &[1, 3]] {
            let disk = SimDisk::new(1);
            let (stored, _) = three_files(&disk);
            let next = open(&disk, &Cut::default()).0.next();
            for number in damaged {
                overwrite(&disk, *number, range.clone(), byte);
            }
            let name = format!("{byte:x} in {damaged:?}");
            let opened = try_open(&disk, &Cut::default());
            assert_eq!(way_out(opened), Some(WayOut::RepairHeader), "{name}");
            let repairs = repair(&disk, &Cut::default()).unwrap();
            let files: Vec<u64> = repairs.iter().map(|repair| repair.file).collect();
            assert_eq!(files, damaged, "{name}");
            assert!(repairs.iter().all(|repair| repair.bytes >= 512), "{name}: {repairs:?}");
            assert_eq!(repair(&disk, &Cut::default()).unwrap(), [], "{name}");
            let (mut journal, _) = open(&disk.power_cut(), &Cut::default());
            assert_eq!(replay(&journal.reader(), &Cut::default()), stored, "{name}");
            assert_eq!(journal.next(), next, "{name}");
            journal.append(&[batch(partition(0), 7, 900)]).unwrap();
        }
    }
}

/// The usual journal of a store at rest: one file, and a cut somewhere in it.
#[test]
fn the_only_file_is_repaired_with_the_cut_of_the_catalog() {
    for n_more in 0..3 {
        let disk = SimDisk::new(2);
        three_files(&disk);
        let (mut journal, _) = open(&disk, &Cut::default());
        let committed = journal.next();
        journal.release(&committed).unwrap();
        let mut stored = Vec::new();
        for _ in 0..n_more {
            // A partition that the file has no frame of yet, too.
            let group = [batch(partition(15), 1, 10), batch(partition(7), 2, 10)];
            append(&mut journal, &group, &mut stored).unwrap();
        }
        let (next, files) = (journal.next(), journal.stats().files);
        drop(journal);
        assert_eq!(files, 1);
        overwrite(&disk, 3, 0..PAGE, 0);
        repair(&disk, &committed).unwrap();
        let (journal, _) = open(&disk.power_cut(), &committed);
        assert_eq!(replay(&journal.reader(), &committed), stored);
        assert_eq!(journal.next(), next);
    }
}

#[test]
fn an_empty_file_is_repaired() {
    let disk = SimDisk::new(3);
    drop(open(&disk, &Cut::default()));
    overwrite(&disk, 1, 0..PAGE, 9);
    assert_eq!(repair(&disk, &Cut::default()).unwrap(), [HeaderRepair { file: 1, bytes: 0 }]);
    let (mut journal, _) = open(&disk, &Cut::default());
    assert_eq!(journal.append(&[batch(partition(3), 1, 10)]).unwrap(), [0]);
}

/// A file whose header and first write are damaged: the header is repaired, then the writes cut.
#[test]
fn more_damage_in_the_last_file_is_cut_afterwards() {
    for alone in [false, true] {
        let disk = SimDisk::new(4);
        let (stored, _) = three_files(&disk);
        let mut committed = Cut::default();
        if alone {
            let (mut journal, _) = open(&disk, &committed);
            committed = journal.next();
            journal.release(&committed).unwrap();
        }
        overwrite(&disk, 3, 0..PAGE + 100, 0xA5);
        repair(&disk, &committed).unwrap();
        assert_eq!(way_out(try_open(&disk, &committed)), Some(WayOut::CutTail));
        let cut = cut_tail(Arc::new(disk.clone()), FOLDER).unwrap();
        let CutTail::Cut(note) = cut else { panic!("{cut:?}") };
        assert_eq!((note.file, note.offset), (3, 4096));
        assert!(note.frames > 0 && note.bytes >= 512, "{note:?}");
        let (journal, recovery) = open(&disk.power_cut(), &committed);
        assert_eq!(recovery.cuts, [note]);
        let found = replay(&journal.reader(), &committed);
        assert_eq!(found[..], if alone { &[] } else { &stored[..] }[..found.len()]);
    }
}

#[test]
fn a_header_that_cannot_be_known_needs_a_backup() {
    let cases: [(&str, &[(u64, usize)]); 3] = [
        ("the first two", &[(1, 0), (2, 0)]),
        ("the first, and its first write", &[(1, 0), (1, PAGE)]),
        ("one, and a write before it", &[(2, PAGE + 10), (3, 0)]),
    ];
    for (name, damage) in cases {
        let disk = SimDisk::new(5);
        three_files(&disk);
        for (number, at) in damage {
            overwrite(&disk, *number, *at..*at + 300, 0xA5);
        }
        let before: Vec<Vec<u8>> =
            (1..=3).map(|number| disk.read_all(&file_path(number)).unwrap()).collect();
        assert_eq!(way_out(repair(&disk, &Cut::default())), Some(WayOut::Restore), "{name}");
        for (number, bytes) in (1..=3).zip(before) {
            assert_eq!(disk.read_all(&file_path(number)).unwrap(), bytes, "{name}");
        }
    }
}

/// What nobody could see with a sound header either: a last write that became zero. Here the next
/// file's first write shows that it is missing.
#[test]
fn a_header_is_not_repaired_over_a_hole() {
    let disk = SimDisk::new(6);
    three_files(&disk);
    let bytes = disk.read_all(&file_path(2)).unwrap();
    let last = (PAGE..8192).step_by(512).rfind(|at| bytes[*at..].starts_with(b"TKW1")).unwrap();
    overwrite(&disk, 2, last..8192, 0);
    overwrite(&disk, 3, 0..PAGE, 0);
    assert_eq!(way_out(repair(&disk, &Cut::default())), Some(WayOut::Restore));
}

#[test]
fn a_repair_that_is_cut_short_is_finished_later() {
    let damaged = |seed: u64| {
        let disk = SimDisk::new(seed);
        let (stored, _) = three_files(&disk);
        overwrite(&disk, 1, 0..PAGE, 0);
        overwrite(&disk, 3, 0..PAGE, 0x5A);
        (disk, stored)
    };
    for op in [FaultOp::Write, FaultOp::Sync] {
        for nth in 1..=2 {
            for kind in [FaultKind::PowerOff, FaultKind::NotDone, FaultKind::Done] {
                for seed in 0..8 {
                    let (disk, stored) = damaged(seed);
                    disk.arm(Fault { op, nth, kind });
                    repair(&disk, &Cut::default()).unwrap_err();
                    let disk = disk.power_cut();
                    repair(&disk, &Cut::default()).unwrap();
                    let (journal, _) = open(&disk.power_cut(), &Cut::default());
                    let found = replay(&journal.reader(), &Cut::default());
                    assert_eq!(found, stored, "{kind:?} at {op:?} {nth}");
                }
            }
        }
    }
}

/// What a person reads names the file, the place and what to do.
#[test]
fn damage_says_what_to_do() {
    let message = |number: u64, byte: u64| {
        let disk = SimDisk::new(7);
        three_files(&disk);
        disk.flip_bit(&file_path(number), byte, 0).unwrap();
        try_open(&disk, &Cut::default()).unwrap_err().to_string()
    };
    let doctor = "stop the server; `trailkeep doctor --cut-tail --yes`";
    assert_eq!(
        message(1, 100),
        format!(
            "journal file `journal/0000000000000001.journal` is damaged at byte 0: \
             the file's header is wrong; {doctor} writes the header again"
        )
    );
    assert_eq!(
        message(1, 4200),
        "journal file `journal/0000000000000001.journal` is damaged at byte 4096: \
         a write's checksum is wrong; restore a backup"
    );
    assert_eq!(
        message(3, 4200),
        format!(
            "journal file `journal/0000000000000003.journal` is damaged at byte 4096: \
             a write's checksum is wrong; {doctor} cuts off what follows"
        )
    );
}
