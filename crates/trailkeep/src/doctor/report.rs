//! Says what each check found.

use std::fmt;

use crate::failure::Exit;
use crate::output::print;

/// What a check found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Finding {
    Ok,
    Warn,
    Fail(Exit),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail(_) => "fail",
        })
    }
}

/// Says what each check found, as it is found.
#[derive(Debug)]
pub(super) struct Report {
    json: bool,
    pub(super) n_failed: u32,
    pub(super) exit: Exit,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self { json, n_failed: 0, exit: Exit::Failed }
    }

    /// Says what one check found.
    pub(super) fn say(
        &mut self,
        check: &str,
        finding: Finding,
        detail: &str,
    ) -> anyhow::Result<()> {
        if let Finding::Fail(exit) = finding {
            self.n_failed = self.n_failed.saturating_add(1);
            if exit == Exit::Tampered {
                self.exit = exit;
            }
        }
        if self.json {
            let line = serde_json::json!({
                "check": check, "finding": finding.to_string(), "detail": detail,
            });
            return print(&line.to_string());
        }
        print(&format!("{finding:<4}  {check}: {detail}"))
    }
}
