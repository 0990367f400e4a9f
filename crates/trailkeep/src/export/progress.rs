//! Says how far an export is.

use std::io;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use trailkeep_io::{Clock, SystemClock};

use super::Written;
use crate::output::say;

/// How often a line is written where no person watches.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Says how far an export is, on stderr.
#[derive(Debug)]
pub(super) struct Progress {
    form: Form,
    clock: SystemClock,
    said_at: Duration,
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
    /// Starts.
    pub(super) fn start(reader: Reader) -> Self {
        let form = if reader == Reader::Program {
            Form::Json
        } else if rustix::termios::isatty(io::stderr()) {
            let style = ProgressStyle::with_template("{spinner} {msg}");
            let style = style.unwrap_or_else(|_error| ProgressStyle::default_spinner());
            Form::Bar(ProgressBar::new_spinner().with_style(style))
        } else {
            Form::Lines
        };
        Self { form, clock: SystemClock::new(), said_at: Duration::ZERO }
    }

    /// Says how far it is, where it is time to.
    pub(super) fn at(&mut self, written: Written) {
        let now = self.clock.monotonic();
        let bytes_per_second = per_second(written.bytes, now);
        if let Form::Bar(bar) = &self.form {
            bar.set_message(format!("{}, {}/s", words(written), HumanBytes(bytes_per_second)));
            bar.tick();
            return;
        }
        if now.saturating_sub(self.said_at) < LINE_INTERVAL {
            return;
        }
        self.said_at = now;
        if matches!(self.form, Form::Json) {
            let line = serde_json::json!({
                "rows": written.rows, "bytes": written.bytes, "bytes_per_second": bytes_per_second,
            });
            say(&line.to_string());
        } else {
            say(&format!("{}, {}/s", words(written), HumanBytes(bytes_per_second)));
        }
    }

    /// Ends a bar.
    pub(super) fn end(&self) {
        if let Form::Bar(bar) = &self.form {
            bar.finish_and_clear();
        }
    }
}

fn per_second(n: u64, time: Duration) -> u64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    n.saturating_mul(1000).checked_div(millis).unwrap_or(n)
}

/// Returns how much was written, for people.
pub(super) fn words(written: Written) -> String {
    let bytes = HumanBytes(written.bytes);
    match written.rows {
        None => bytes.to_string(),
        Some(1) => format!("1 entry, {bytes}"),
        Some(rows) => format!("{} entries, {bytes}", HumanCount(rows)),
    }
}
