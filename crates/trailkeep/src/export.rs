//! Writes everything that matches into a file.

mod progress;
mod sink;
mod source;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use trailkeep_api::{Export, ExportFormat};

use self::progress::{Progress, Reader};
use self::sink::Sink;
use self::source::Source;
use crate::arguments::Environment;
use crate::failure::{Exit, Failure};
use crate::output::{print, say};
use crate::place::PlaceArguments;

const EXAMPLES: &str = "\
Examples:
  trailkeep export --server http://127.0.0.1:8080 --key-file key --format csv --output april.csv \\
      --account acme --from 2026-04-01 --to 2026-05-01 'category:dashboard'
  trailkeep export --data DIR --format parquet --output all.parquet
  trailkeep export --data DIR --format ndjson 'outcome:denied' | gzip > denied.ndjson.gz

The file holds exactly what matched when the export began. FILE appears, or is replaced, when it is
whole; an export that breaks off leaves no FILE and ends with another exit code than 0. In CSV an
apostrophe stands before a text that a spreadsheet would run as a formula; NDJSON and Parquet are
exact.";

/// What to export.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportArguments {
    /// The query; everything where absent
    #[arg(allow_hyphen_values = true)]
    query: Option<String>,
    /// What the file looks like
    #[arg(long, value_enum)]
    format: Format,
    /// The file; - is stdout
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Entries of this account only
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Entries from this time on (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Entries before this time (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// The fields of the file, in order, with commas between; every field where absent
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    fields: Option<Vec<String>>,
    /// Which entries come first
    #[arg(long, value_enum, default_value_t = Direction::Desc)]
    order: Direction,
    /// Print progress and the summary as JSON, one a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

/// What the file looks like.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// Comma-separated values for spreadsheets
    Csv,
    /// One JSON object a line
    Ndjson,
    /// Parquet, a column a field
    Parquet,
}

impl Format {
    fn file(self) -> ExportFormat {
        match self {
            Self::Csv => ExportFormat::Csv,
            Self::Ndjson => ExportFormat::Ndjson,
            Self::Parquet => ExportFormat::Parquet,
        }
    }
}

/// Which entries come first.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Direction {
    /// The oldest
    Asc,
    /// The newest
    Desc,
}

/// How far an export is; at its end its summary.
#[derive(Clone, Copy, Debug, Serialize)]
struct Written {
    /// Entries; unknown where a server writes Parquet.
    rows: Option<u64>,
    bytes: u64,
}

pub(crate) fn run(arguments: &ExportArguments, environment: &Environment) -> anyhow::Result<()> {
    if let Some(names) = &arguments.fields {
        Export::fields(names).map_err(|what| Failure::new(Exit::Usage, what))?;
    }
    if arguments.format == Format::Parquet && sink::is_terminal(&arguments.output) {
        let failure = Failure::new(Exit::Usage, "a terminal cannot show Parquet");
        return Err(failure.hint("name a file with --output").into());
    }
    let mut source = Source::open(arguments, environment)?;
    let mut sink = Sink::open(&arguments.output)?;
    let reader = if arguments.json { Reader::Program } else { Reader::Person };
    let mut progress = Progress::start(reader);
    let mut written = Written { rows: None, bytes: 0 };
    while let Some(bytes) = source.next_bytes()? {
        sink.write(&bytes)?;
        let n_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        written.bytes = written.bytes.saturating_add(n_bytes);
        written.rows = source.rows();
        progress.at(written);
    }
    sink.finish()?;
    progress.end();
    let to_stdout = sink::is_stdout(&arguments.output);
    if !arguments.json {
        let where_to =
            if to_stdout { "stdout".to_owned() } else { arguments.output.display().to_string() };
        say(&format!("exported {} to {where_to}", progress::words(written)));
        return Ok(());
    }
    let summary = serde_json::to_string(&written)?;
    // Data goes to stdout: the summary is data only where the entries are elsewhere.
    if to_stdout {
        say(&summary);
        return Ok(());
    }
    print(&summary)
}
