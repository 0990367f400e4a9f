//! The steps between which a kill falls, as the server logs them.

use std::fmt;

/// Thread and name of each step.
const STEPS: [(&str, &str); 9] = [
    ("writer", "append"),
    ("writer", "acknowledge"),
    ("writer", "journal_release"),
    ("sealer", "seal_objects"),
    ("sealer", "seal_commit"),
    ("sealer", "seal_publish"),
    ("compactor", "compact_objects"),
    ("compactor", "compact_commit"),
    ("compactor", "garbage"),
];

/// A step of the write path.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub(crate) struct Step(usize);

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Step {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..STEPS.len()).map(Self)
    }

    /// Returns the step that begins with a line of the server's log.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        if !line.contains("trailkeep::step") {
            return None;
        }
        let step = Self::all().find(|step| line.contains(&format!("\"{}\"", step.name())));
        Some(step.unwrap_or_else(|| panic!("a step that this test does not know: {line}")))
    }

    pub(crate) fn thread(self) -> &'static str {
        STEPS[self.0].0
    }

    pub(crate) fn name(self) -> &'static str {
        STEPS[self.0].1
    }
}
