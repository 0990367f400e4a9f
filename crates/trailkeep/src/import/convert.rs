//! Turns a chunk of records into events, sends them, and says what became of each.

use anyhow::bail;
use trailkeep_import::Converter;

use super::chunk::{Chunk, Counts, LineAt, Outcome, Record, n_u64};
use super::quarantine::Quarantined;
use super::sender::Sender;
use super::stamp::stamp;

/// What a worker needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work<'a> {
    pub(super) converter: &'a Converter,
    pub(super) sender: &'a Sender,
    pub(super) job: &'a str,
    pub(super) instance: &'a str,
    /// The files' names, by number.
    pub(super) files: &'a [String],
}

impl Work<'_> {
    /// Does one chunk.
    pub(super) fn chunk(&self, chunk: &Chunk) -> anyhow::Result<Outcome> {
        let mut ndjson = Vec::new();
        let mut event = Vec::new();
        // For each line that is sent, its record.
        let mut sent: Vec<&Record> = Vec::with_capacity(chunk.records.len());
        let mut quarantined = Vec::new();
        for record in &chunk.records {
            event.clear();
            let converted = match &record.oversized {
                Some(unreadable) => Err(unreadable.clone()),
                None => self.converter.convert(&record.bytes, &mut event),
            };
            if let Err(unreadable) = converted {
                quarantined.push(self.bad(record, unreadable.reason));
                continue;
            }
            stamp(&event, self.instance, record.at.number(), &mut ndjson);
            ndjson.push(b'\n');
            sent.push(record);
        }
        let mut counts = Counts { lines: n_u64(chunk.records.len()), ..Counts::default() };
        if !sent.is_empty() {
            let answer = self.sender.send(&ndjson)?;
            counts.accepted = answer.accepted;
            counts.duplicates = answer.duplicates;
            for refused in answer.rejected {
                let Some(record) = sent.get(refused.index) else {
                    bail!("the answer rejects an event that was not sent");
                };
                let mut bad = self.bad(record, refused.detail);
                (bad.code, bad.pointer) = (Some(refused.code), Some(refused.pointer));
                quarantined.push(bad);
            }
        }
        quarantined.sort_by_key(|bad| bad.line);
        counts.quarantined = n_u64(quarantined.len());
        if !counts.balanced() {
            bail!("the answer does not say what became of every event");
        }
        let last = chunk.records.last().map_or(LineAt::default(), |record| record.at);
        Ok(Outcome { number: chunk.number, last, counts, quarantined })
    }

    fn bad(&self, record: &Record, reason: String) -> Quarantined {
        let number = usize::try_from(record.at.file).unwrap_or(usize::MAX);
        Quarantined {
            job: self.job.to_owned(),
            file: self.files.get(number).cloned().unwrap_or_default(),
            line: record.at.line,
            reason,
            code: None,
            pointer: None,
            record: Quarantined::text_of(&record.bytes),
        }
    }
}
