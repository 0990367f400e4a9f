//! Small durable changes, with the power cut at every operation.

use std::io::{self, ErrorKind};

use trailkeep_io::{Disk, Fault, FaultKind, FaultOp, OpenMode, SimDisk, durable};

/// Runs a change with each fault at each of its operations, then cuts the power, and hands both
/// the answer and the disk that is left to `check`.
fn at_every_fault(
    prepare: fn(&SimDisk),
    change: fn(&SimDisk) -> io::Result<()>,
    check: fn(&SimDisk, io::Result<()>),
) {
    let whole = SimDisk::new(0);
    prepare(&whole);
    let before = whole.ops();
    change(&whole).unwrap();
    let ops = [FaultOp::Write, FaultOp::Sync, FaultOp::SyncDir, FaultOp::Open, FaultOp::Rename];
    for op in ops.into_iter().chain([FaultOp::Remove]) {
        // One more than there are: the change is whole and only the power cut comes.
        for nth in 1..=whole.ops().of(op) - before.of(op) + 1 {
            for kind in [FaultKind::NotDone, FaultKind::Done, FaultKind::PowerOff] {
                for seed in 0..16 {
                    let disk = SimDisk::new(seed);
                    prepare(&disk);
                    disk.arm(Fault { op, nth, kind });
                    let answer = change(&disk);
                    check(&disk.power_cut(), answer);
                }
            }
        }
    }
}

#[test]
fn a_write_is_whole_or_not_and_durable_when_it_returns() {
    at_every_fault(
        |disk| disk.write_raw("f/state", b"old").unwrap(),
        |disk| durable::write(disk, "f/state", &[b'n'; 2_000]),
        |disk, answer| {
            let bytes = durable::read(disk, "f/state").unwrap();
            assert!(bytes == b"old" || bytes == [b'n'; 2_000]);
            assert!(answer.is_err() || bytes != b"old");
            // What the first one left is not in the way of the next.
            durable::write(disk, "f/state", b"next").unwrap();
            assert_eq!(durable::read(&disk.power_cut(), "f/state").unwrap(), b"next");
        },
    );
}

#[test]
fn a_rename_leaves_one_name() {
    at_every_fault(
        |disk| {
            disk.write_raw("f/a", b"a").unwrap();
            disk.write_raw("g/x", b"x").unwrap();
        },
        |disk| durable::rename(disk, "f/a", "g/b"),
        |disk, answer| {
            let (old, new) = (disk.read_all("f/a").is_ok(), disk.read_all("g/b").is_ok());
            assert_ne!(old, new);
            assert!(answer.is_err() || new);
        },
    );
}

#[test]
fn a_removal_lasts() {
    at_every_fault(
        |disk| disk.write_raw("f/a", b"a").unwrap(),
        |disk| durable::remove(disk, "f/a"),
        |disk, answer| assert!(answer.is_err() || disk.read_all("f/a").is_err()),
    );
}

#[test]
fn folders_last_with_what_is_in_them() {
    at_every_fault(
        |_| {},
        |disk| {
            // A first process made the folders and was killed before it synced them.
            disk.create_dir_all("f/g")?;
            durable::create_dir_all(disk, "f/g/h")?;
            durable::write(disk, "f/g/h/a", b"a")
        },
        |disk, answer| assert!(answer.is_err() || disk.read_all("f/g/h/a").unwrap() == b"a"),
    );
}

#[test]
fn reading_has_a_limit() {
    let disk = SimDisk::new(1);
    let file = disk.open("big", OpenMode::CreateNew).unwrap();
    file.set_len(durable::READ_BYTES_MAX + 1).unwrap();
    assert_eq!(durable::read(&disk, "big").unwrap_err().kind(), ErrorKind::FileTooLarge);
    assert_eq!(durable::read(&disk, "none").unwrap_err().kind(), ErrorKind::NotFound);
}
