//! How often each step was cut off.

use std::collections::HashMap;
use std::fmt;

use super::step::Step;

/// Counts kills and the steps that they hit.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    n_kills: u64,
    n_hits: HashMap<Step, u64>,
}

impl Tally {
    /// Counts one kill.
    pub(crate) fn add(&mut self, steps: &[Step]) {
        self.n_kills += 1;
        for step in steps {
            *self.n_hits.entry(*step).or_default() += 1;
        }
    }

    pub(crate) fn kills(&self) -> u64 {
        self.n_kills
    }

    /// Returns the step that was hit least, and how often.
    pub(crate) fn least(&self) -> (Step, u64) {
        let hits = Step::all().map(|step| (step, self.hits(step)));
        hits.min_by_key(|(_step, n_hits)| *n_hits).unwrap()
    }

    fn hits(&self, step: Step) -> u64 {
        self.n_hits.get(&step).copied().unwrap_or_default()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>4} kills, of which in", self.n_kills)?;
        for step in Step::all() {
            writeln!(f, "{:>4} {:9} {}", self.hits(step), step.thread(), step.name())?;
        }
        Ok(())
    }
}
