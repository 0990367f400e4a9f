//! A flipped bit in what was acknowledged is found and named; it never makes frames disappear.

use proptest::prelude::*;
use trailkeep_event::Cut;
use trailkeep_io::{Fault, FaultKind, FaultOp, SimDisk};
use trailkeep_journal::Error;

use crate::support::{
    FOLDER, append, batch, file_path, open, partition, replay, three_files, try_open, try_replay,
};

const HEADER_BYTES: u64 = 4096;

/// Flips one bit, expects damage to be named in that file at or before that byte's sector, and
/// flips it back.
fn check_flip(disk: &SimDisk, path: &str, byte: u64, bit: u8) {
    disk.flip_bit(path, byte, bit).unwrap();
    match try_open(disk, &Cut::default()) {
        Err(Error::Corrupt { file, offset, .. }) => {
            assert_eq!(file, path, "byte {byte}, bit {bit}");
            assert!(offset <= byte, "byte {byte}, bit {bit}: named {offset}");
        }
        other => panic!("{path}, byte {byte}, bit {bit}: {other:?}"),
    }
    disk.flip_bit(path, byte, bit).unwrap();
}

#[test]
fn every_bit_of_the_last_file_is_watched() {
    let disk = SimDisk::new(1);
    let (stored, last) = three_files(&disk);
    let path = file_path(last);
    let bytes = disk.read_all(&path).unwrap();
    let starts = |at: &u64| bytes[usize::try_from(*at).unwrap()..].starts_with(b"TKW1");
    let last_write = (HEADER_BYTES..8192).step_by(512).filter(starts).last().unwrap();
    // All bits of the header and of the last write, and one of every other byte.
    for byte in (0..200).chain(4092..4096).chain(last_write..last_write + 1024) {
        for bit in 0..8 {
            check_flip(&disk, &path, byte, bit);
        }
    }
    for byte in (200..HEADER_BYTES).step_by(61).chain(HEADER_BYTES..8192) {
        check_flip(&disk, &path, byte, u8::try_from(byte * 3 % 8).unwrap());
    }
    let (journal, _) = open(&disk, &Cut::default());
    assert_eq!(replay(&journal.reader(), &Cut::default()), stored);
}

#[test]
fn every_byte_of_earlier_files_is_watched() {
    let disk = SimDisk::new(2);
    let (stored, last) = three_files(&disk);
    for path in (1..last).map(file_path) {
        for byte in (0..HEADER_BYTES).step_by(37).chain(HEADER_BYTES..8192) {
            check_flip(&disk, &path, byte, u8::try_from((byte * 5) % 8).unwrap());
        }
    }
    let (journal, _) = open(&disk, &Cut::default());
    assert_eq!(replay(&journal.reader(), &Cut::default()), stored);
}

#[test]
fn damage_after_opening_is_found_by_readers() {
    let disk = SimDisk::new(3);
    three_files(&disk);
    let (journal, _) = open(&disk, &Cut::default());
    for byte in HEADER_BYTES..HEADER_BYTES + 512 {
        disk.flip_bit(&file_path(2), byte, 3).unwrap();
        let replayed = try_replay(&journal.reader(), &Cut::default());
        assert!(
            matches!(&replayed, Err(Error::Corrupt { file, .. }) if *file == file_path(2)),
            "byte {byte}: {replayed:?}"
        );
        disk.flip_bit(&file_path(2), byte, 3).unwrap();
    }
}

/// Tears the write in hand: keeps each of its sectors or not, as `kept` says.
fn torn(kept: impl Fn(usize) -> bool) -> (SimDisk, Vec<crate::support::Stored>, u64) {
    let disk = SimDisk::new(4);
    let (mut journal, _) = open(&disk, &Cut::default());
    let mut stored = Vec::new();
    append(&mut journal, &[batch(partition(1), 0, 600)], &mut stored).unwrap();
    let path = file_path(1);
    let before = disk.read_all(&path).unwrap();
    journal.append(&[batch(partition(1), 1, 1200)]).unwrap();
    let mut bytes = disk.read_all(&path).unwrap();
    let start = before.iter().rposition(|byte| *byte != 0).unwrap() / 512 + 1;
    for (n, sector) in bytes.chunks_mut(512).skip(start).enumerate() {
        if !kept(n) {
            sector.fill(0);
        }
    }
    disk.write_raw(&path, &bytes).unwrap();
    (disk, stored, u64::try_from(start).unwrap() * 512)
}

#[test]
fn an_unfinished_write_is_cleared_whatever_is_missing() {
    // The write has three sectors.
    for kept in 0_usize..7 {
        let (disk, stored, start) = torn(|n| kept >> n & 1 == 1);
        let (mut journal, recovery) = open(&disk, &Cut::default());
        assert_eq!(recovery.torn_bytes, u64::from(kept.count_ones()) * 512);
        assert_eq!(replay(&journal.reader(), &Cut::default()), stored);
        let bytes = disk.power_cut().read_all(&file_path(1)).unwrap();
        let start = usize::try_from(start).unwrap();
        assert!(bytes[start..].iter().all(|byte| *byte == 0), "cleared for good");
        // Its number is used again, for a shorter write.
        assert_eq!(journal.append(&[batch(partition(1), 1, 10)]).unwrap(), [1]);
        drop(journal);
        assert_eq!(open(&disk.power_cut(), &Cut::default()).1.frames, 2);
    }
}

#[test]
fn an_unfinished_write_hides_no_damage_before_or_behind_it() {
    for kept in [0b011, 0b101, 0b110, 0b010] {
        let (disk, _, start) = torn(|n| kept >> n & 1 == 1);
        let path = file_path(1);
        for byte in (0..HEADER_BYTES).step_by(29).chain(HEADER_BYTES..start) {
            check_flip(&disk, &path, byte, u8::try_from(byte % 8).unwrap());
        }
        for byte in start + 3 * 512..8192 {
            check_flip(&disk, &path, byte, u8::try_from(byte % 8).unwrap());
        }
    }
}

#[test]
fn a_write_that_a_later_one_follows_was_acknowledged() {
    let disk = SimDisk::new(5);
    let (mut journal, _) = open(&disk, &Cut::default());
    for tag in 0..3 {
        journal.append(&[batch(partition(1), tag, 10)]).unwrap();
    }
    let path = file_path(1);
    let whole = disk.read_all(&path).unwrap();
    for lost in 0..2 {
        let mut bytes = whole.clone();
        bytes[4096 + lost * 512..][..512].fill(0);
        disk.write_raw(&path, &bytes).unwrap();
        let opened = try_open(&disk, &Cut::default());
        assert!(matches!(opened, Err(Error::Corrupt { .. })), "write {lost}: {opened:?}");
    }
}

#[test]
fn files_that_do_not_fit_together_are_damage() {
    let whole = SimDisk::new(6);
    three_files(&whole);
    let bytes: Vec<Vec<u8>> = (1..=3).map(|n| whole.read_all(&file_path(n)).unwrap()).collect();
    let write = |n: u64, bytes: &[u8]| (file_path(n), bytes.to_vec());
    let mut emptied = bytes[1].clone();
    emptied[4096..].fill(0);
    let cases = [
        ("the middle one is missing", vec![write(1, &bytes[0]), write(3, &bytes[2])]),
        ("one is short", vec![write(1, &bytes[0]), write(2, &bytes[1][..8000])]),
        ("one is empty", vec![write(1, &bytes[0]), write(2, &[])]),
        ("one has another's name", vec![write(1, &bytes[1])]),
        ("one lost its writes", vec![write(1, &bytes[0]), write(2, &emptied), write(3, &bytes[2])]),
    ];
    for (name, files) in cases {
        let disk = SimDisk::new(7);
        for (path, bytes) in files {
            disk.write_raw(&path, &bytes).unwrap();
        }
        let opened = try_open(&disk, &Cut::default());
        assert!(matches!(opened, Err(Error::Corrupt { .. })), "{name}: {opened:?}");
    }
    // Without the first one, what the catalog has not committed is gone.
    let disk = SimDisk::new(8);
    for n in 2..=3 {
        disk.write_raw(&file_path(n), &bytes[usize::try_from(n).unwrap() - 1]).unwrap();
    }
    let opened = try_open(&disk, &Cut::default());
    assert!(matches!(opened, Err(Error::Gap { expected: 0, .. })), "{opened:?}");
}

#[test]
fn a_disk_that_does_not_answer_is_no_damage() {
    let disk = SimDisk::new(9);
    three_files(&disk);
    for nth in 1..20 {
        disk.arm(Fault { op: FaultOp::Read, nth, kind: FaultKind::NotDone });
        let opened = try_open(&disk, &Cut::default());
        assert!(matches!(opened, Err(Error::Io { .. })), "read {nth}: {opened:?}");
    }
    assert!(trailkeep_io::Disk::list(&disk, FOLDER).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Hostile bytes anywhere in any file never make a panic, nor another journal.
    #[test]
    fn bytes_written_over_a_file_are_damage(
        number in 1_u64..=3,
        at in 0_usize..8192,
        junk in prop::collection::vec(1_u8.., 1..1500),
    ) {
        let disk = SimDisk::new(10);
        three_files(&disk);
        let path = file_path(number);
        let mut bytes = disk.read_all(&path).unwrap();
        let whole = bytes.clone();
        for (slot, byte) in bytes[at..].iter_mut().zip(junk) {
            *slot = byte;
        }
        prop_assume!(bytes != whole);
        disk.write_raw(&path, &bytes).unwrap();
        let opened = try_open(&disk, &Cut::default());
        prop_assert!(
            matches!(&opened, Err(Error::Corrupt { file, .. }) if *file == path),
            "{:?}", opened
        );
    }
}
