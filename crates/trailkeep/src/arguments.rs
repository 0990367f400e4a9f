//! The command line.

use std::fmt;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// What the environment says. Its keys are not shown.
pub(crate) struct Environment {
    pub(crate) key: Option<String>,
    pub(crate) bootstrap_key: Option<String>,
    pub(crate) bootstrap_key_file: Option<PathBuf>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

const EXIT_CODES: &str = "\
Exit codes:
  0 done, 1 failed, 2 wrong arguments, configuration or query, 4 not found, 5 not allowed,
  6 server not reachable, 10 stored data is damaged

Environment:
  TRAILKEEP_KEY                 the key for --server
  TRAILKEEP_BOOTSTRAP_KEY       the first operator key of a new store (or ..._FILE: its file)";

/// The audit log and API-activity log of an API platform.
#[derive(Debug, Parser)]
#[command(name = "trailkeep", version, after_help = EXIT_CODES, max_term_width = 100)]
#[command(propagate_version = true, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Runs the server
    Serve(crate::serve::ServeArguments),
    /// Imports records of other systems
    Import(crate::import::ImportArguments),
    /// Lists or counts entries
    Search(crate::search::SearchArguments),
    /// Follows entries as they become durable
    Tail(crate::tail::TailArguments),
    /// Writes everything that matches into a file
    Export(crate::export::ExportArguments),
    /// Says what a store holds and what it takes of the disk
    Stats(crate::stats::StatsArguments),
    /// Makes, lists and revokes keys
    Keys(crate::keys::KeysArguments),
    /// Copies a store while it runs, or checks a copy
    Backup(crate::backup::BackupArguments),
    /// Makes a store from a backup
    Restore(crate::restore::RestoreArguments),
    /// Prints the commented configuration, or checks a file
    Config(crate::configure::ConfigArguments),
    /// Checks a data directory
    Doctor(crate::doctor::DoctorArguments),
    /// Prints completions for a shell
    Completions(crate::completions::CompletionsArguments),
    /// Prints a reference page
    #[command(hide = true)]
    Reference(crate::reference::ReferenceArguments),
}
