//! Says how far an import is.

use std::io;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use trailkeep_io::{Clock, SystemClock};

use super::chunk::Counts;
use crate::output::{counted, say};

/// How often a line is written where no person watches.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Says how far an import is, on stderr.
#[derive(Debug)]
pub(super) struct Progress {
    form: Form,
    clock: SystemClock,
    said_at: Duration,
    before: Counts,
}

/// Who reads what is said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reader {
    Person,
    Program,
}

#[derive(Debug)]
enum Form {
    Bar(ProgressBar),
    Lines,
    Json,
}

impl Progress {
    /// Starts behind what an earlier run did.
    pub(super) fn start(reader: Reader, before: Counts) -> Self {
        let form = if reader == Reader::Program {
            Form::Json
        } else if rustix::termios::isatty(io::stderr()) {
            let bar = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner} {pos} lines, {per_sec} {msg}");
            Form::Bar(
                bar.with_style(style.unwrap_or_else(|_error| ProgressStyle::default_spinner())),
            )
        } else {
            Form::Lines
        };
        Self { form, clock: SystemClock::new(), said_at: Duration::ZERO, before }
    }

    /// Says how far it is, where it is time to.
    pub(super) fn at(&mut self, counts: Counts) {
        if let Form::Bar(bar) = &self.form {
            bar.set_position(counts.lines);
            if counts.quarantined > 0 {
                bar.set_message(format!("({} quarantined)", counts.quarantined));
            }
            return;
        }
        let now = self.clock.monotonic();
        if now.saturating_sub(self.said_at) < LINE_INTERVAL {
            return;
        }
        self.said_at = now;
        let here = counts.lines.saturating_sub(self.before.lines);
        let per_second = here.checked_div(now.as_secs()).unwrap_or(here);
        let Counts { lines, accepted, duplicates, quarantined } = counts;
        if matches!(self.form, Form::Json) {
            let line = serde_json::json!({
                "lines": lines, "accepted": accepted, "duplicates": duplicates,
                "quarantined": quarantined, "lines_per_second": per_second,
            });
            say(&line.to_string());
        } else {
            let lines = counted(lines, "line", "lines");
            say(&format!("{lines}, {quarantined} quarantined, {per_second} lines/s"));
        }
    }

    /// Ends a bar.
    pub(super) fn end(&self) {
        if let Form::Bar(bar) = &self.form {
            bar.finish_and_clear();
        }
    }
}
