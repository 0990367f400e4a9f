//! A damaged journal opens to an error or to frames, whatever the damage; with one flipped bit,
//! to an error or to exactly the frames that were written.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use trailkeep_event::{Cut, EventLimits, Micros, Partition, RowBuilder, read_event};
use trailkeep_io::{Disk, SimDisk};
use trailkeep_journal::{Error, Journal, JournalBatch, JournalOptions};
use trailkeep_redact::{Masked, MaskedBatch};

const FOLDER: &str = "journal";
const OPTIONS: JournalOptions = JournalOptions { file_bytes: 16 * 1024, write_bytes_max: 4096 };
const N_WRITES: i64 = 12;

/// A frame: its partition, number and bytes.
type Held = (Partition, u64, Vec<u8>);

/// A sound journal: its files' paths and bytes, and its frames.
struct Sound {
    files: Vec<(String, Vec<u8>)>,
    frames: Vec<Held>,
}

static SOUND: LazyLock<Sound> = LazyLock::new(|| {
    let disk = SimDisk::new(1);
    let (mut journal, _recovery) = open(&disk).expect("an empty folder is a journal");
    for n in 0..N_WRITES {
        let batch = JournalBatch::new(batch(n), Micros(n)).expect("a small batch");
        journal.append(&[batch]).expect("the disk is sound");
    }
    let frames = frames(&journal).expect("the journal is sound");
    let listed = disk.list(FOLDER).expect("the folder is there");
    let files = listed.into_iter().filter(|entry| !entry.folder).map(|entry| {
        let path = format!("{FOLDER}/{}", entry.name);
        let bytes = disk.read_all(&path).expect("the file is there");
        (path, bytes)
    });
    Sound { files: files.collect(), frames }
});

fn batch(n: i64) -> MaskedBatch {
    let account = format!("account-{}", n.rem_euclid(3));
    let event = format!(
        r#"{{"account_id":"{account}","action":"x","occurred_at":"2026-01-01T00:00:00Z",
            "status":{n},"reason":"{}"}}"#,
        "r".repeat(usize::try_from(n * 70).unwrap_or(0))
    );
    let row = read_event(event.as_bytes(), &EventLimits::STANDARD, &mut RowBuilder::default());
    let masked = Masked::new(row.expect("the event is sound"));
    let mut batch = MaskedBatch::new(Partition::of_account(&account));
    batch.push(&masked);
    batch
}

fn open(disk: &SimDisk) -> Result<(Journal, trailkeep_journal::Recovery), Error> {
    Journal::open(Arc::new(disk.clone()), FOLDER, OPTIONS, &Cut::default())
}

fn frames(journal: &Journal) -> Result<Vec<Held>, Error> {
    let mut frames = Vec::new();
    journal.reader().replay(&Cut::default(), &mut |frame| {
        frames.push((frame.partition, frame.frame, frame.batch.as_bytes().to_vec()));
        Ok(())
    })?;
    Ok(frames)
}

// Input: 5 bytes a change (file, offset LE u24, mask). Checksums are no secret: who changes
// more can make right ones, so only a single flipped bit is held to the frames.
fuzz_target!(|data: &[u8]| {
    let sound = &*SOUND;
    let mut files = sound.files.clone();
    let mut flipped_bits = 0;
    for change in data.chunks_exact(5).take(64) {
        let [file, low, middle, high, mask] = *change else { continue };
        let n_files = files.len();
        let bytes = &mut files[usize::from(file) % n_files].1;
        let offset = u32::from_le_bytes([low, middle, high, 0]) as usize % bytes.len();
        bytes[offset] ^= mask;
        flipped_bits += mask.count_ones();
    }
    let disk = SimDisk::new(2);
    for (path, bytes) in &files {
        disk.write_raw(path, bytes).expect("the disk is sound");
    }
    let Ok((journal, _recovery)) = open(&disk) else { return };
    let Ok(found) = frames(&journal) else { return };
    if flipped_bits <= 1 {
        assert_eq!(found, sound.frames);
    }
});
