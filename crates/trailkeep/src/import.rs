//! Imports records of other systems.

mod chunk;
mod commit;
mod convert;
mod job;
mod pipeline;
mod progress;
mod quarantine;
mod sender;
mod source;
mod stamp;
mod state;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use trailkeep_import::{Converter, Format, Mapping};

use self::job::{Job, Summary};
use self::sender::Sender;
use crate::arguments::Environment;
use crate::failure::{Exit, Failure};
use crate::output::{counted, print, say};
use crate::place::{PlaceArguments, read_small};

const EXAMPLES: &str = "\
Examples:
  trailkeep import --format cloudtrail --account acme --data DIR trail/*.json.gz
  trailkeep import --format combined --account web --server URL --key-file key access.log
  trailkeep import --map ours.toml --job nightly --data DIR export.ndjson.zst
  trailkeep import --map ours.toml --job nightly --resume --data DIR export.ndjson.zst

Files may be compressed with gzip or zstd; `-` is standard input. Each line without a source_id is
known by the job's name and its number, so a job that was killed resumes exactly with --resume. A
job of another name is new data. Records that cannot become an entry go to the quarantine file with
their job, line and reason: accepted + duplicates + quarantined = lines. The file is only appended
to. Where no record at all became an entry the exit code is 1. A server that cannot be reached is
tried again for half a minute, then the exit code is 6. See docs/reference/import.md.";

/// What to import.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImportArguments {
    /// The files, in the order of their lines
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The format: ndjson, cloudtrail, combined or windows
    #[arg(long, value_name = "FORMAT", required_unless_present = "map", conflicts_with = "map")]
    format: Option<Format>,
    /// A mapping file of your own
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// The account of the events
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The job's name; drawn and printed where absent
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// Go on with a job that was killed
    #[arg(long, requires = "job")]
    resume: bool,
    /// Where the job's progress is kept; NAME.trailkeep-job.json where absent
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Where bad records go, behind what is there; FILE.quarantine.ndjson where absent
    #[arg(long, value_name = "FILE")]
    quarantine: Option<PathBuf>,
    /// How many records are sent at once
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    batch_events: u32,
    /// Report progress and result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

pub(crate) fn run(arguments: &ImportArguments, environment: &Environment) -> anyhow::Result<()> {
    let mapping = arguments.mapping()?;
    let layout = mapping.layout();
    let converter = Converter::new(mapping, arguments.account.as_deref())
        .map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    let mut job = Job::start(arguments)?;
    let sender = Sender::open(&arguments.place, environment)?;
    let imported = pipeline::run(&mut job, layout, &converter, &sender);
    let closed = sender.close();
    let summary = imported.with_context(|| job.how_to_go_on())?;
    closed?;
    report(arguments, &summary)?;
    summary.check(&arguments.expected())
}

impl ImportArguments {
    /// Says what the records should be.
    fn expected(&self) -> String {
        let map = self.map.as_deref().unwrap_or(Path::new(""));
        let mapped = || format!("records as `{}` describes them", map.display());
        self.format.map_or_else(mapped, |format| format.words().to_owned())
    }

    fn mapping(&self) -> anyhow::Result<Mapping> {
        if let Some(format) = self.format {
            return Ok(Mapping::builtin(format));
        }
        let path = self.map.clone().unwrap_or_default();
        let text = String::from_utf8(read_small(&path)?)
            .with_context(|| format!("`{}` is not text", path.display()))?;
        Mapping::parse_toml(&text).map_err(|error| {
            Failure::new(Exit::Usage, format!("{}: {error}", path.display())).into()
        })
    }
}

fn report(arguments: &ImportArguments, summary: &Summary) -> anyhow::Result<()> {
    if arguments.json {
        return print(&serde_json::to_string(summary)?);
    }
    let counts = &summary.counts;
    print(&format!(
        "job {}: {} = {} accepted + {} + {} quarantined",
        summary.job,
        counted(counts.lines, "line", "lines"),
        counts.accepted,
        counted(counts.duplicates, "duplicate", "duplicates"),
        counts.quarantined
    ))?;
    if counts.quarantined > 0 {
        let records = counted(counts.quarantined, "record is", "records are");
        say(&format!("{records} in `{}` with the reason", summary.quarantine.display()));
    }
    Ok(())
}
