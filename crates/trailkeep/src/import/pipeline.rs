//! One thread reads, some convert and send, one keeps the order.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anyhow::Context;
use parking_lot::Mutex;
use trailkeep_import::{Converter, Layout, RecordReader};

use super::chunk::{Chunk, LineAt, Outcome, Record};
use super::commit::{Order, commit};
use super::convert::Work;
use super::job::{Job, Summary};
use super::sender::Sender;
use super::source;
use super::state::State;

/// How many chunks are converted and sent at once.
const WORKERS: usize = 4;
/// How many chunks wait between two threads.
const CHUNKS_WAITING_MAX: usize = 4;
/// A chunk ends at this size: as events it is then small enough for any server.
const CHUNK_BYTES_MAX: usize = 1 << 20;

/// Runs a job to its end.
pub(super) fn run(
    job: &mut Job,
    layout: Layout,
    converter: &Converter,
    sender: &Sender,
) -> anyhow::Result<Summary> {
    if !job.state.finished {
        let imported = import(job, layout, converter, sender);
        job.progress.end();
        imported?;
        job.state.finished = true;
        job.state.save(&job.state_path)?;
    }
    Ok(job.summary())
}

fn import(
    job: &mut Job,
    layout: Layout,
    converter: &Converter,
    sender: &Sender,
) -> anyhow::Result<()> {
    let (state, batch_events, instance) = (job.state.clone(), job.batch_events, job.instance());
    let files: Vec<String> =
        state.files.iter().map(|file| file.path.display().to_string()).collect();
    let work = Work { converter, sender, job: &state.job, instance: &instance, files: &files };
    let (chunk_sender, chunks) = sync_channel(CHUNKS_WAITING_MAX);
    let (outcome_sender, outcomes) = sync_channel(CHUNKS_WAITING_MAX);
    let chunks = Arc::new(Mutex::new(chunks));
    std::thread::scope(|scope| {
        for _number in 0..WORKERS {
            let (chunks, outcomes) = (Arc::clone(&chunks), outcome_sender.clone());
            scope.spawn(move || convert(work, &chunks, &outcomes));
        }
        drop((chunks, outcome_sender));
        let reader = Reader { sender: chunk_sender, batch_events, state: &state };
        let reading = scope.spawn(move || reader.read(layout));
        let kept = keep(job, &outcomes);
        // A worker that still sends finds nobody, ends, and lets the reader end.
        drop(outcomes);
        let read = reading.join().unwrap_or_else(|_panic| Err(anyhow::anyhow!("reading failed")));
        kept?;
        read
    })
}

/// Takes what the workers did, in order, until they end or one fails.
fn keep(job: &mut Job, outcomes: &Receiver<anyhow::Result<Outcome>>) -> anyhow::Result<()> {
    let mut order = Order::default();
    while let Ok(outcome) = outcomes.recv() {
        let mut ready = order.take(outcome?);
        // What is there already shares one write of the state.
        while let Ok(outcome) = outcomes.try_recv() {
            match outcome {
                Ok(outcome) => ready.extend(order.take(outcome)),
                Err(error) => {
                    commit(job, ready)?;
                    return Err(error);
                }
            }
        }
        commit(job, ready)?;
    }
    Ok(())
}

fn convert(
    work: Work<'_>,
    chunks: &Mutex<Receiver<Chunk>>,
    outcomes: &SyncSender<anyhow::Result<Outcome>>,
) {
    loop {
        // The lock is let go before the chunk is done.
        let chunk = chunks.lock().recv();
        let Ok(chunk) = chunk else { return };
        let outcome = work.chunk(&chunk);
        let failed = outcome.is_err();
        if outcomes.send(outcome).is_err() || failed {
            return;
        }
    }
}

/// Reads the files and cuts them into chunks.
struct Reader<'a> {
    sender: SyncSender<Chunk>,
    batch_events: usize,
    state: &'a State,
}

impl Reader<'_> {
    fn read(self, layout: Layout) -> anyhow::Result<()> {
        let mut cutter = Cutter { batch_events: self.batch_events, ..Cutter::default() };
        for (file, seen) in (0_u32..).zip(&self.state.files) {
            if file < self.state.done.file {
                continue;
            }
            let mut records = RecordReader::new(source::open(&seen.path)?, layout);
            let mut bytes = Vec::new();
            loop {
                let next = records.next(&mut bytes);
                let next =
                    next.with_context(|| format!("could not read `{}`", seen.path.display()));
                let Some(found) = next? else { break };
                let at = LineAt { file, line: found.line };
                if at <= self.state.done {
                    continue;
                }
                let record = Record { at, bytes: bytes.clone(), oversized: found.oversized() };
                let full = cutter.push(record);
                // Where the workers ended, why is theirs to say.
                if full.is_some_and(|chunk| self.sender.send(chunk).is_err()) {
                    return Ok(());
                }
            }
        }
        if let Some(chunk) = cutter.rest() {
            // As above.
            drop(self.sender.send(chunk));
        }
        Ok(())
    }
}

/// Gathers records into chunks.
#[derive(Debug, Default)]
struct Cutter {
    batch_events: usize,
    records: Vec<Record>,
    bytes: usize,
    next: u64,
}

impl Cutter {
    /// Takes a record in, and returns a chunk where it is full.
    fn push(&mut self, record: Record) -> Option<Chunk> {
        self.bytes = self.bytes.saturating_add(record.bytes.len());
        self.records.push(record);
        let full = self.records.len() >= self.batch_events || self.bytes >= CHUNK_BYTES_MAX;
        if full { self.rest() } else { None }
    }

    /// Returns what was gathered, where that is anything.
    fn rest(&mut self) -> Option<Chunk> {
        let records = std::mem::take(&mut self.records);
        self.bytes = 0;
        let number = self.next;
        self.next = self.next.saturating_add(1);
        (!records.is_empty()).then_some(Chunk { number, records })
    }
}
