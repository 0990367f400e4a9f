//! Small journals and what they must hold.

use std::sync::Arc;

use trailkeep_event::{Cut, Field, Micros, Partition, RowBuilder, ValueRef};
use trailkeep_io::SimDisk;
use trailkeep_journal::{Error, Journal, JournalBatch, JournalOptions, JournalReader, Recovery};
use trailkeep_redact::{Masked, MaskedBatch};

pub(crate) const FOLDER: &str = "journal";

/// Files with room for eight sectors.
pub(crate) const SMALL: JournalOptions =
    JournalOptions { file_bytes: 8192, write_bytes_max: 4 * 508 };

pub(crate) fn file_path(number: u64) -> String {
    format!("{FOLDER}/{number:016}.journal")
}

pub(crate) fn partition(number: u8) -> Partition {
    Partition::new(number).unwrap()
}

fn account_in(partition: Partition) -> String {
    (0..10_000)
        .map(|n| format!("a{n}"))
        .find(|account| Partition::of_account(account) == partition)
        .unwrap()
}

/// Makes a batch of one row whose label has so many bytes.
pub(crate) fn batch(partition: Partition, tag: u64, label_bytes: usize) -> JournalBatch {
    let mut builder = RowBuilder::default();
    builder.set(Field::AccountId, ValueRef::Text(&account_in(partition)));
    builder.set(Field::Action, ValueRef::Text(&format!("tag.{tag}")));
    builder.set(Field::OccurredAt, ValueRef::Time(Micros(7)));
    builder.set(Field::ActorLabel, ValueRef::Text(&"x".repeat(label_bytes)));
    let mut masked = MaskedBatch::new(partition);
    masked.push(&Masked::new(builder.finish()));
    JournalBatch::new(masked, Micros(1_000_000)).unwrap()
}

pub(crate) fn try_open(disk: &SimDisk, committed: &Cut) -> Result<(Journal, Recovery), Error> {
    Journal::open(Arc::new(disk.clone()), FOLDER, SMALL, committed)
}

pub(crate) fn open(disk: &SimDisk, committed: &Cut) -> (Journal, Recovery) {
    try_open(disk, committed).unwrap()
}

/// One stored frame: its place and its bytes.
pub(crate) type Stored = (Partition, u64, Vec<u8>);

pub(crate) fn try_replay(reader: &JournalReader, from: &Cut) -> Result<Vec<Stored>, Error> {
    let mut stored = Vec::new();
    reader.replay(from, &mut |frame| {
        stored.push((frame.partition, frame.frame, frame.batch.as_bytes().to_vec()));
        Ok(())
    })?;
    Ok(stored)
}

pub(crate) fn replay(reader: &JournalReader, from: &Cut) -> Vec<Stored> {
    try_replay(reader, from).unwrap()
}

/// Fills an empty disk with a journal of three files; returns what it holds and the number of its
/// last file.
pub(crate) fn three_files(disk: &SimDisk) -> (Vec<Stored>, u64) {
    let (mut journal, _recovery) = open(disk, &Cut::default());
    let mut stored = Vec::new();
    for step in 0..11_u64 {
        let number = u8::try_from(step % 3).unwrap();
        let batches = [
            batch(partition(number), step, 40 + 60 * usize::from(number)),
            batch(partition(15), 100 + step, 300),
        ];
        append(&mut journal, &batches, &mut stored).unwrap();
    }
    assert_eq!(journal.stats().files, 3);
    (stored, 3)
}

/// Appends and notes what was acknowledged.
pub(crate) fn append(
    journal: &mut Journal,
    batches: &[JournalBatch],
    stored: &mut Vec<Stored>,
) -> Result<(), Error> {
    for (batch, frame) in batches.iter().zip(journal.append(batches)?) {
        stored.push((batch.partition(), frame, batch.batch().as_bytes().to_vec()));
    }
    Ok(())
}

/// What a run was told, to compare with what a disk holds.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// The case, for messages.
    pub(crate) name: String,
    pub(crate) acknowledged: Vec<Stored>,
    /// The batches of an append that did not return.
    pub(crate) in_flight: Vec<JournalBatch>,
    /// What the catalog has.
    pub(crate) committed: Cut,
}

impl Model {
    /// Opens, appends, releases and prepares until the end or the first error.
    pub(crate) fn drive(&mut self, disk: &SimDisk) -> Result<(), Error> {
        let (mut journal, _recovery) = try_open(disk, &self.committed)?;
        let mut earlier = journal.next();
        for step in 0..10_u64 {
            let size = usize::try_from(step * 131 % 700).unwrap();
            let number = u8::try_from(step % 4).unwrap();
            let mut batches = vec![batch(partition(number), step, size)];
            if step % 3 == 0 {
                batches.push(batch(partition(number), 50 + step, 30));
                batches.push(batch(partition(9), 100 + step, 200));
            }
            self.append(&mut journal, batches)?;
            if step % 4 == 3 {
                self.committed = earlier;
                earlier = journal.next();
                journal.release(&self.committed)?;
                retry_without_room(|| journal.preparer().prepare())?;
            }
        }
        Ok(())
    }

    pub(crate) fn append(
        &mut self,
        journal: &mut Journal,
        batches: Vec<JournalBatch>,
    ) -> Result<(), Error> {
        self.in_flight = batches;
        let acknowledged = &mut self.acknowledged;
        let done = retry_without_room(|| append(journal, &self.in_flight, acknowledged));
        if let Err(Error::Io { .. }) = &done {
            let again = journal.append(&self.in_flight);
            assert!(matches!(again, Err(Error::Stopped)), "{again:?}");
        }
        done?;
        self.in_flight.clear();
        Ok(())
    }

    /// Checks promise 1 (acknowledged is durable) and half of promise 2 (each once): every
    /// acknowledged frame after the cut is there, in order, then all or none of what was in
    /// flight. Returns the open journal, with what it holds now taken as acknowledged.
    pub(crate) fn check(&mut self, disk: &SimDisk) -> Journal {
        let name = &self.name;
        let opened = try_open(disk, &self.committed);
        let (journal, _) = opened.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let found = replay(&journal.reader(), &self.committed);
        let mut expected: Vec<Stored> = self.acknowledged.clone();
        expected.retain(|(partition, frame, _)| *frame >= self.committed.frame(*partition));
        let extra = found.get(expected.len()..);
        let extra = extra.unwrap_or_else(|| panic!("{name}: an acknowledged frame is missing"));
        assert_eq!(&found[..expected.len()], expected, "{name}");
        if !extra.is_empty() {
            let in_flight: Vec<&[u8]> =
                self.in_flight.iter().map(|batch| batch.batch().as_bytes()).collect();
            let extra: Vec<&[u8]> = extra.iter().map(|(_, _, bytes)| bytes.as_slice()).collect();
            assert_eq!(extra, in_flight, "{name}");
        }
        check_by_position(&journal, &found, &self.committed);
        self.acknowledged = found;
        self.in_flight.clear();
        journal
    }
}

/// Checks that reading each partition by position gives what replaying gives.
pub(crate) fn check_by_position(journal: &Journal, expected: &[Stored], from: &Cut) {
    let reader = journal.reader();
    for partition in Partition::all() {
        let mut found = Vec::new();
        let mut next = from.frame(partition);
        loop {
            let frames = reader.read(partition, next, 500).unwrap();
            if frames.is_empty() {
                break;
            }
            for frame in frames {
                assert_eq!(frame.frame, next);
                next += 1;
                found.push((partition, frame.frame, frame.batch.as_bytes().to_vec()));
            }
        }
        assert_eq!(next, journal.next().frame(partition));
        let of_partition: Vec<Stored> =
            expected.iter().filter(|stored| stored.0 == partition).cloned().collect();
        assert_eq!(found, of_partition);
    }
}

/// Tries once more where there was no room: the journal must still be running.
fn retry_without_room<T>(mut act: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    match act() {
        Err(Error::NoSpace { .. }) => act(),
        done => done,
    }
}
