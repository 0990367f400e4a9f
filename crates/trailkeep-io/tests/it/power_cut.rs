//! Promise 1, from below: what is synced survives a power cut, and what is not may go.

use std::collections::BTreeSet;

use proptest::prelude::*;
use trailkeep_io::{Disk, OpenMode, SimDisk};

const SECTOR_BYTES: usize = 512;

#[derive(Clone, Debug)]
enum FileStep {
    Write { at: usize, n: usize, fill: u8 },
    SetLen(usize),
    Sync,
}

fn file_step() -> impl Strategy<Value = FileStep> {
    let write = (0..4_000_usize, 0..2_000_usize, 1_u8..);
    prop_oneof![
        4 => write.prop_map(|(at, n, fill)| FileStep::Write { at, n, fill }),
        1 => (0..5_000_usize).prop_map(FileStep::SetLen),
        1 => Just(FileStep::Sync),
    ]
}

proptest! {
    #[test]
    fn each_sector_is_the_synced_or_the_written_one(
        seed: u64,
        steps in prop::collection::vec(file_step(), 0..30),
    ) {
        let disk = SimDisk::new(seed);
        let file = disk.open("file", OpenMode::CreateNew).unwrap();
        disk.sync_dir("").unwrap();
        let (mut written, mut synced) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                FileStep::Write { at, n, fill } => {
                    let end = if n == 0 { 0 } else { at + n };
                    written.resize(written.len().max(end), 0);
                    written[at.min(end)..end].fill(fill);
                    file.write_all_at(&vec![fill; n], u64::try_from(at).unwrap()).unwrap();
                }
                FileStep::SetLen(n) => {
                    written.resize(n, 0);
                    file.set_len(u64::try_from(n).unwrap()).unwrap();
                }
                FileStep::Sync => {
                    file.sync().unwrap();
                    synced.clone_from(&written);
                }
            }
        }
        prop_assert_eq!(&disk.read_all("file").unwrap(), &written);

        let survived = disk.power_cut().read_all("file").unwrap();
        let shortest = written.len().min(synced.len());
        prop_assert!((shortest..=written.len().max(synced.len())).contains(&survived.len()));
        written.resize(survived.len(), 0);
        synced.resize(survived.len(), 0);
        let sectors = survived.chunks(SECTOR_BYTES);
        let candidates = synced.chunks(SECTOR_BYTES).zip(written.chunks(SECTOR_BYTES));
        for (sector, (old, new)) in sectors.zip(candidates) {
            prop_assert!(sector == old || sector == new);
        }
    }

    #[test]
    fn what_is_synced_survives_whole(
        seed: u64,
        steps in prop::collection::vec(file_step(), 0..30),
    ) {
        let disk = SimDisk::new(seed);
        let file = disk.open("file", OpenMode::CreateNew).unwrap();
        for step in steps {
            match step {
                FileStep::Write { at, n, fill } => {
                    file.write_all_at(&vec![fill; n], u64::try_from(at).unwrap()).unwrap();
                }
                FileStep::SetLen(n) => file.set_len(u64::try_from(n).unwrap()).unwrap(),
                FileStep::Sync => file.sync().unwrap(),
            }
        }
        file.sync().unwrap();
        disk.sync_dir("").unwrap();
        let survived = disk.power_cut();
        prop_assert_eq!(survived.read_all("file").unwrap(), disk.read_all("file").unwrap());
        // What survived is durable: a second cut changes nothing.
        let again = survived.power_cut();
        prop_assert_eq!(again.read_all("file").unwrap(), survived.read_all("file").unwrap());
    }

    #[test]
    fn names_survive_in_order_and_renames_whole(
        seed: u64,
        steps in prop::collection::vec(name_step(), 0..30),
    ) {
        let disk = SimDisk::new(seed);
        for folder in FOLDERS {
            disk.write_raw(&format!("{folder}/unchanged"), b"u").unwrap();
        }
        let mut n_files = 0_u32;
        let mut histories = FOLDERS.map(|folder| vec![contents(&disk, folder)]);
        for step in steps {
            match step {
                NameStep::Create(path) => {
                    // A file whose bytes say which one it is.
                    if let Ok(file) = disk.open(&path, OpenMode::CreateNew) {
                        n_files += 1;
                        file.write_all_at(n_files.to_string().as_bytes(), 0).unwrap();
                        file.sync().unwrap();
                    }
                }
                NameStep::Rename(from, to) => drop(disk.rename(&from, &to)),
                NameStep::Remove(path) => drop(disk.remove(&path)),
                NameStep::SyncDir(at) => {
                    disk.sync_dir(FOLDERS[at]).unwrap();
                    histories[at].clear();
                }
            }
            for (folder, history) in FOLDERS.iter().zip(&mut histories) {
                history.push(contents(&disk, folder));
            }
        }

        let survived = disk.power_cut();
        let mut seen = BTreeSet::new();
        for (folder, history) in FOLDERS.iter().zip(&histories) {
            let contents = contents(&survived, folder);
            prop_assert!(history.contains(&contents), "{folder}: {contents:?} not in {history:?}");
            for (_, bytes) in contents.into_iter().filter(|(_, bytes)| bytes != b"u") {
                prop_assert!(seen.insert(bytes), "one file under two names");
            }
        }
        for folder in FOLDERS {
            disk.sync_dir(folder).unwrap();
        }
        for folder in FOLDERS {
            prop_assert_eq!(contents(&disk.power_cut(), folder), contents(&disk, folder));
        }
    }
}

const FOLDERS: [&str; 2] = ["left", "right"];

#[derive(Clone, Debug)]
enum NameStep {
    Create(String),
    Rename(String, String),
    Remove(String),
    SyncDir(usize),
}

fn name_step() -> impl Strategy<Value = NameStep> {
    let path = || "(left|right)/[abc]";
    prop_oneof![
        4 => path().prop_map(NameStep::Create),
        3 => (path(), path()).prop_map(|(from, to)| NameStep::Rename(from, to)),
        2 => path().prop_map(NameStep::Remove),
        1 => (0..FOLDERS.len()).prop_map(NameStep::SyncDir),
    ]
}

fn contents(disk: &SimDisk, folder: &str) -> Vec<(String, Vec<u8>)> {
    let entries = disk.list(folder).unwrap();
    let named = |name: String| (name.clone(), disk.read_all(&format!("{folder}/{name}")).unwrap());
    entries.into_iter().map(|entry| named(entry.name)).collect()
}

/// Over many seeds, a cut loses what was not synced and also keeps it: tests that cut meet both.
#[test]
fn what_is_not_synced_may_go_and_may_stay() {
    let outcomes = |check: fn(&SimDisk) -> bool| {
        let outcomes: BTreeSet<bool> = (0..64).map(|seed| check(&SimDisk::new(seed))).collect();
        outcomes.len()
    };
    let bytes = |disk: &SimDisk| {
        disk.write_raw("a", b"old").unwrap();
        disk.open("a", OpenMode::ReadWrite).unwrap().write_all_at(b"new", 0).unwrap();
        disk.power_cut().read_all("a").unwrap() == b"new"
    };
    let created = |disk: &SimDisk| {
        disk.open("a", OpenMode::CreateNew).unwrap().sync().unwrap();
        disk.power_cut().read_all("a").is_ok()
    };
    let renamed = |disk: &SimDisk| {
        disk.write_raw("a", b"x").unwrap();
        disk.rename("a", "b").unwrap();
        let survived = disk.power_cut();
        assert_ne!(survived.read_all("a").is_ok(), survived.read_all("b").is_ok());
        survived.read_all("b").is_ok()
    };
    let removed = |disk: &SimDisk| {
        disk.write_raw("a", b"x").unwrap();
        disk.remove("a").unwrap();
        disk.power_cut().read_all("a").is_ok()
    };
    let in_new_folder = |disk: &SimDisk| {
        disk.create_dir_all("f").unwrap();
        disk.open("f/a", OpenMode::CreateNew).unwrap().sync().unwrap();
        disk.sync_dir("f").unwrap();
        // The folder's own name is in the root, which is not synced.
        disk.power_cut().read_all("f/a").is_ok()
    };
    for check in [bytes, created, renamed, removed, in_new_folder] {
        assert_eq!(outcomes(check), 2);
    }
}

#[test]
fn one_seed_gives_one_run() {
    let run = |seed| {
        let disk = SimDisk::new(seed);
        disk.write_raw("a", &[1; 9_000]).unwrap();
        disk.open("a", OpenMode::ReadWrite).unwrap().write_all_at(&[2; 9_000], 0).unwrap();
        disk.power_cut().read_all("a").unwrap()
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}
