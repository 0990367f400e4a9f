//! A shelf that is written and sealed on demand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use trailkeep_analyze::{AggregateRequest, AnalyzeOptions, Analyzer, GroupBy, Metric, OrderBy};
use trailkeep_event::{
    Cut, Entry, EntryRef, Field, Fields, IdKey, Micros, PARTITIONS, Partition, Row,
};
use trailkeep_event::{RowBuilder, SequencedBatch, ValueRef};
use trailkeep_filter::Filter;
use trailkeep_io::{DiskStore, SimClock, SimDisk};
use trailkeep_ledger::{Heads, sequence};
use trailkeep_segment::{SealOptions, SegmentStore, Shelf, seal};
use trailkeep_testkit::{EventMaker, batch_of, row_of};

/// 2026-01-01T00:00:00Z
pub(crate) const START: i64 = 1_767_225_600_000_000;

pub(crate) const OPTIONS: AnalyzeOptions = AnalyzeOptions {
    memory_max: 256 << 20,
    duration_max: Duration::from_mins(1),
    rows_max: 10_000,
    threads: 2,
};

/// A shelf with its one writer.
pub(crate) struct World {
    shelf: Arc<Shelf>,
    heads: Heads,
    frames: [u64; PARTITIONS],
    n_segments: u8,
    /// Everything that was written.
    pub(crate) entries: Vec<Entry>,
}

impl World {
    pub(crate) fn new() -> Self {
        let objects = DiskStore::new(Arc::new(SimDisk::new(1)), "");
        let store = Arc::new(SegmentStore::new(Arc::new(objects)));
        let key = IdKey::new([7; 16]);
        Self {
            shelf: Arc::new(Shelf::new(store, key, Vec::new(), Cut::default())),
            heads: Heads::default(),
            frames: [0; PARTITIONS],
            n_segments: 0,
            entries: Vec::new(),
        }
    }

    /// A world of made events, two thirds of them in two segments and the rest in the tail.
    pub(crate) fn made(n_events: usize) -> Self {
        let lines: Vec<String> = EventMaker::new(3).with_step(61_000_000).take(n_events).collect();
        Self::of(&lines)
    }

    pub(crate) fn of(lines: &[String]) -> Self {
        let mut world = Self::new();
        let third = lines.len().div_ceil(3).max(1);
        for (number, lines) in lines.chunks(third).enumerate() {
            world.write(lines);
            if number < 2 {
                world.seal();
            }
        }
        world
    }

    pub(crate) fn analyzer(&self, options: AnalyzeOptions) -> Analyzer {
        let clock = Arc::new(SimClock::new(START + 365 * 86_400_000_000));
        Analyzer::new(Arc::clone(&self.shelf), clock, options)
    }

    pub(crate) fn write(&mut self, lines: &[String]) {
        let rows: Vec<Row> = lines.iter().map(|line| row_of(line)).collect();
        self.write_rows(rows);
    }

    /// Writes rows, one frame for each partition; each seventh stands for ten events.
    fn write_rows(&mut self, rows: Vec<Row>) {
        let mut by_partition: BTreeMap<Partition, Vec<Row>> = BTreeMap::new();
        for row in rows {
            let partition = Partition::of_account(row.text(Field::AccountId).unwrap());
            by_partition.entry(partition).or_default().push(sampled(row));
        }
        for (partition, rows) in by_partition {
            let frame = self.frames[partition.index()];
            self.frames[partition.index()] += 1;
            let batch = batch_of(&rows, Micros(START + 200 * 86_400_000_000));
            let batch = sequence(&mut self.heads, partition, frame, batch);
            let key = self.shelf.key().clone();
            self.entries.extend(batch.entries(&key).map(EntryRef::to_entry));
            self.shelf.push(Arc::new(batch));
        }
    }

    /// Seals the whole tail.
    pub(crate) fn seal(&mut self) {
        self.n_segments += 1;
        let view = self.shelf.view();
        let batches: Vec<Arc<SequencedBatch>> = view.tail.batches().cloned().collect();
        let options = SealOptions { id: [self.n_segments; 16], from: view.cut, fault: None };
        let sealed = seal(self.shelf.store(), self.shelf.key(), &batches, &options).unwrap();
        self.shelf.publish(Some(sealed.meta), view.end());
    }
}

/// Lets a row stand for ten events where its time says so.
fn sampled(row: Row) -> Row {
    if row.view().occurred_at().0.div_euclid(1_000_000).rem_euclid(7) != 0 {
        return row;
    }
    let mut builder = RowBuilder::default();
    row.view().for_each(|field, value| builder.set(field, value));
    builder.set(Field::SampleRate, ValueRef::Int(10));
    builder.finish()
}

/// An aggregate in short: groups and metrics by name, a function and its field with a space
/// between.
pub(crate) fn request(q: &str, group_by: &[&str], metrics: &[&str]) -> AggregateRequest {
    let metric = |text: &&str| match text.split_once(' ') {
        Some((function, field)) => Metric::parse(function, Some(field)).unwrap(),
        None => Metric::parse(text, None).unwrap(),
    };
    AggregateRequest {
        filter: Filter::parse(q).unwrap(),
        from: None,
        to: None,
        group_by: group_by.iter().map(|name| GroupBy::parse(name).unwrap()).collect(),
        metrics: metrics.iter().map(metric).collect(),
        order: Vec::new(),
        limit: 10_000,
    }
}

pub(crate) fn ordered(request: AggregateRequest, order: &[&str]) -> AggregateRequest {
    AggregateRequest { order: order.iter().map(|by| OrderBy::parse(by)).collect(), ..request }
}
