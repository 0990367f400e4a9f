//! Faults, room and decay on the simulated disk.

use std::io::{self, ErrorKind};

use trailkeep_io::{Disk, DiskFile, Fault, FaultKind, FaultOp, OpCounts, OpenMode, SimDisk};

const OPS: [FaultOp; 7] = [
    FaultOp::Write,
    FaultOp::Sync,
    FaultOp::SyncDir,
    FaultOp::Open,
    FaultOp::Rename,
    FaultOp::Remove,
    FaultOp::Read,
];

/// A disk with the durable files `kept` and `old`, the first of them open.
fn prepared(seed: u64) -> (SimDisk, Box<dyn DiskFile>) {
    let disk = SimDisk::new(seed);
    disk.write_raw("kept", b"kept").unwrap();
    disk.write_raw("old", b"old").unwrap();
    let file = disk.open("kept", OpenMode::ReadWrite).unwrap();
    (disk, file)
}

fn perform(disk: &SimDisk, file: &dyn DiskFile, op: FaultOp) -> io::Result<()> {
    match op {
        FaultOp::Write => file.write_all_at(b"K", 0),
        FaultOp::Sync => file.sync(),
        FaultOp::SyncDir => disk.sync_dir(""),
        FaultOp::Open => disk.open("new", OpenMode::CreateNew).map(drop),
        FaultOp::Rename => disk.rename("old", "renamed"),
        FaultOp::Remove => disk.remove("old"),
        FaultOp::Read => file.read_exact_at(&mut [0], 0),
    }
}

/// What an observer without a power cut sees of the effect of any of the operations above.
fn view(disk: &SimDisk) -> (Vec<String>, Vec<u8>) {
    let names = disk.list("").unwrap().into_iter().map(|entry| entry.name).collect();
    (names, disk.read_all("kept").unwrap())
}

#[test]
fn every_fault_comes_in_both_flavours_and_once() {
    for op in OPS {
        for (kind, expected) in [
            (FaultKind::NotDone, ErrorKind::Other),
            (FaultKind::Done, ErrorKind::Other),
            (FaultKind::NoSpace, ErrorKind::StorageFull),
        ] {
            let (disk, file) = prepared(1);
            let before = view(&disk);
            disk.arm(Fault { op, nth: 1, kind });
            let failed = perform(&disk, &*file, op).unwrap_err();
            assert_eq!(failed.kind(), expected, "{op:?} {kind:?}");

            let (whole, whole_file) = prepared(1);
            perform(&whole, &*whole_file, op).unwrap();
            let after = if kind == FaultKind::Done { view(&whole) } else { before };
            assert_eq!(view(&disk), after, "{op:?} {kind:?}");

            assert_eq!(disk.ops().of(op), whole.ops().of(op), "a failed operation counts");
            if kind != FaultKind::Done {
                perform(&disk, &*file, op).unwrap();
            }
        }
    }
}

#[test]
fn without_power_everything_fails_until_a_power_cut() {
    for op in OPS {
        let (disk, file) = prepared(2);
        disk.arm(Fault { op, nth: 1, kind: FaultKind::PowerOff });
        perform(&disk, &*file, op).unwrap_err();
        let counts = disk.ops();
        for op in OPS {
            assert_eq!(perform(&disk, &*file, op).unwrap_err().to_string(), "power is off");
        }
        assert_eq!(disk.list("").unwrap_err().to_string(), "power is off");
        assert_eq!(disk.create_dir_all("x").unwrap_err().to_string(), "power is off");
        assert_eq!(file.len().unwrap_err().to_string(), "power is off");
        assert_eq!(disk.ops(), counts);

        let survived = disk.power_cut();
        assert_eq!(survived.ops(), OpCounts::default());
        let kept = survived.read_all("kept").unwrap();
        assert!(kept == b"kept" || kept == b"Kept");
    }
}

#[test]
fn nth_counts_from_when_the_fault_is_armed() {
    let (disk, file) = prepared(1);
    file.write_all_at(b"1", 0).unwrap();
    disk.arm(Fault { op: FaultOp::Write, nth: 2, kind: FaultKind::NotDone });
    file.sync().unwrap();
    file.write_all_at(b"2", 0).unwrap();
    file.set_len(1).unwrap_err();
    file.set_len(1).unwrap();
    assert_eq!((disk.ops().writes, disk.ops().syncs, disk.ops().opens), (4, 1, 1));
}

#[test]
fn a_sync_after_a_failed_one_promises_nothing_for_the_earlier_bytes() {
    let lost = (0..64).any(|seed| {
        let (disk, file) = prepared(seed);
        file.write_all_at(b"lost", 0).unwrap();
        disk.arm(Fault { op: FaultOp::Sync, nth: 1, kind: FaultKind::NotDone });
        file.sync().unwrap_err();
        file.sync().unwrap();
        assert_eq!(disk.read_all("kept").unwrap(), b"lost");
        disk.power_cut().read_all("kept").unwrap() == b"kept"
    });
    assert!(lost);

    // Written again, they are as good as any.
    for seed in 0..64 {
        let (disk, file) = prepared(seed);
        file.write_all_at(b"lost", 0).unwrap();
        disk.arm(Fault { op: FaultOp::Sync, nth: 1, kind: FaultKind::NotDone });
        file.sync().unwrap_err();
        file.write_all_at(b"back", 0).unwrap();
        file.sync().unwrap();
        assert_eq!(disk.power_cut().read_all("kept").unwrap(), b"back");
    }
}

#[test]
fn a_full_disk_refuses_growth_and_nothing_else() {
    let (disk, file) = prepared(1);
    disk.set_free_bytes(10);
    assert_eq!(disk.space().unwrap().free_bytes, 10);
    file.write_all_at(&[1; 14], 0).unwrap();
    assert_eq!(disk.space().unwrap().free_bytes, 0);
    assert_eq!(file.write_all_at(&[2], 14).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(file.set_len(15).unwrap_err().kind(), ErrorKind::StorageFull);
    file.write_all_at(&[3; 14], 0).unwrap();
    disk.remove("old").unwrap();
    assert_eq!(disk.space().unwrap().free_bytes, 3);
    file.write_all_at(&[2; 3], 14).unwrap();
    disk.rename("kept", "other").unwrap();
    disk.write_raw("small", b"12").unwrap();
    disk.rename("small", "other").unwrap();
    disk.sync_dir("").unwrap();
    assert_eq!(disk.space().unwrap().free_bytes, 17 - 2);
    assert_eq!(disk.power_cut().space().unwrap(), disk.space().unwrap());
}

#[test]
fn decay_is_durable() {
    let (disk, file) = prepared(1);
    disk.flip_bit("kept", 1, 0).unwrap();
    assert_eq!(disk.read_all("kept").unwrap(), b"kdpt");
    assert_eq!(disk.power_cut().read_all("kept").unwrap(), b"kdpt");
    let mut seen = [0; 4];
    file.read_exact_at(&mut seen, 0).unwrap();
    assert_eq!(&seen, b"kdpt");
    assert_eq!(disk.flip_bit("kept", 4, 0).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(disk.flip_bit("none", 0, 0).unwrap_err().kind(), ErrorKind::NotFound);
}
