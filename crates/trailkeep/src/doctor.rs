//! Checks a data directory.

mod checks;
mod report;

use std::path::PathBuf;

use clap::Args;

pub(crate) use self::checks::{damaged_runs, damaged_segments};
use self::report::Report;
use crate::config;
use crate::failure::{Exit, Failure};
use crate::local::check_store;
use crate::logging;

const EXAMPLES: &str = "\
Examples:
  trailkeep doctor --data DIR
  trailkeep doctor --data DIR --cut-tail --yes

Run it while no server runs. It reads everything and changes nothing, except that an unfinished
last write of the journal is cleared, as every start does. --cut-tail is the way out of a damaged
end of the journal: everything from the damaged place on is lost, and an entry says so.";

/// What to check.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DoctorArguments {
    /// The data directory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Cut a damaged end off the journal
    #[arg(long, requires = "yes")]
    cut_tail: bool,
    /// Do it: acknowledged entries may be lost
    #[arg(long, requires = "cut_tail")]
    yes: bool,
    /// Print each check as JSON, one a line
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &DoctorArguments) -> anyhow::Result<()> {
    logging::start_quiet();
    let raw = config::read(arguments.config.as_deref())?;
    let config = config::resolve(&raw)?;
    let data = arguments.data.clone().unwrap_or_else(|| config.data.clone());
    check_store(&data)?;
    let mut report = Report::new(arguments.json);
    if arguments.cut_tail {
        return checks::cut_tail(&mut report, &data);
    }
    checks::all(&mut report, &data, &config)?;
    if report.n_failed > 0 {
        let message = format!("{} checks failed", report.n_failed);
        return Err(Failure::new(report.exit, message).into());
    }
    Ok(())
}

/// How bad a failed check is.
fn exit_of(error: &anyhow::Error) -> Exit {
    match Exit::of(error) {
        Exit::Tampered => Exit::Tampered,
        _ => Exit::Failed,
    }
}
