//! Takes outcomes in the order of their lines, and saves how far the job is.

use std::collections::BTreeMap;

use anyhow::Context;

use super::chunk::Outcome;
use super::job::Job;

/// Outcomes that came before those of earlier lines.
#[derive(Debug, Default)]
pub(super) struct Order {
    early: BTreeMap<u64, Outcome>,
    next: u64,
}

impl Order {
    /// Takes an outcome in, and returns those whose turn it is.
    pub(super) fn take(&mut self, outcome: Outcome) -> Vec<Outcome> {
        self.early.insert(outcome.number, outcome);
        let mut ready = Vec::new();
        while let Some(outcome) = self.early.remove(&self.next) {
            self.next = self.next.saturating_add(1);
            ready.push(outcome);
        }
        ready
    }
}

/// Saves what became of lines. A crash between the two writes leaves bad records behind the
/// length that the state names: the next run cuts them off and writes them again.
pub(super) fn commit(job: &mut Job, outcomes: Vec<Outcome>) -> anyhow::Result<()> {
    if outcomes.is_empty() {
        return Ok(());
    }
    let mut bad = Vec::new();
    for outcome in outcomes {
        job.state.done = outcome.last;
        job.state.counts.add(outcome.counts);
        bad.extend(outcome.quarantined);
    }
    if job.first_reason.is_none() {
        job.first_reason = bad.first().map(|bad| bad.reason.clone());
    }
    let path = job.state.quarantine.clone();
    job.state.quarantine_bytes = job
        .quarantine
        .append(&path, &bad)
        .with_context(|| format!("could not write `{}`", path.display()))?;
    job.state.save(&job.state_path)?;
    job.progress.at(job.state.counts);
    Ok(())
}
