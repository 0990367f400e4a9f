//! The arguments.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Subject {
    /// Everything.
    All,
    /// Load over HTTP, first looks at what was loaded, and the peers on the same file.
    Load,
    /// Durable acknowledgements of single events, beside the disk's own fsync.
    Acks,
    /// One key's acknowledgements while another key sends at full speed.
    Fairness,
    /// The time to the first answer after a SIGKILL.
    Recovery,
    /// Questions beside a load at half speed.
    Mixed,
    /// Events with ids of their own into the store that was loaded.
    Ids,
    /// The stages of the path, one by one.
    Micro,
}

/// Prints Trailkeep's figures.
#[derive(Debug, Parser)]
#[command(name = "trailkeep-bench")]
pub(crate) struct Options {
    /// What is measured.
    #[arg(value_enum, default_value = "all")]
    pub(crate) subject: Subject,
    /// How many events are generated.
    #[arg(long, default_value_t = 3_000_000)]
    pub(crate) events: u64,
    /// How many accounts the generated events have, where it is not the usual number.
    #[arg(long)]
    pub(crate) orgs: Option<u64>,
    /// How many connections load.
    #[arg(long, default_value_t = 4)]
    pub(crate) connections: usize,
    /// The engines that load the same file in the same run; empty for none.
    #[arg(long, value_delimiter = ',', default_value = "clickhouse,duckdb")]
    pub(crate) peers: Vec<String>,
    /// Draws the events and the questions' constants.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Loads this NDJSON file instead of a generated one.
    #[arg(long)]
    pub(crate) file: Option<PathBuf>,
    /// Where files are made [default: target/bench in the repository].
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Also writes the figures to this file, as JSON.
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
}

impl Options {
    pub(crate) fn covers(&self, subject: Subject) -> bool {
        self.subject == subject || self.subject == Subject::All
    }
}
