//! Checks a data directory.

mod checks;
mod mend;
mod report;

use std::path::PathBuf;

use clap::Args;

pub(crate) use self::checks::{damaged_runs, damaged_segments};
use self::report::Report;
use crate::config;
use crate::failure::{Exit, Failure};
use crate::local::check_store;
use crate::logging;
use crate::output::counted;

const EXAMPLES: &str = "\
Examples:
  trailkeep doctor --data DIR
  trailkeep doctor --data DIR --cut-tail --yes

Run it while no server runs. It reads everything and changes nothing, so DIR may be read-only, like
a mounted snapshot. --cut-tail is the way out of a damaged end of the journal: everything from the
damaged place on is lost, and an entry says so; a damaged header of a journal file is written again
first, which loses nothing.";

/// What to do about damage that was found.
const MEND: &str = "a damaged end of the journal can be cut off by --cut-tail --yes; for anything \
                    else restore a backup by `trailkeep restore`";

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
        return mend::mend_journal(&mut report, &data);
    }
    checks::all(&mut report, &data, &config)?;
    if report.n_failed > 0 {
        let n_failed = u64::from(report.n_failed);
        let message = format!("{} failed", counted(n_failed, "check", "checks"));
        let failure = Failure::new(report.exit, message);
        return Err(match report.exit {
            Exit::Tampered => failure.hint(MEND).into(),
            _ => failure.into(),
        });
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
