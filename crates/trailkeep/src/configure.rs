//! Prints the commented configuration, or checks a file.

use std::path::PathBuf;

use clap::Args;

use crate::config::{self, COMMENTED};
use crate::output::{print, say};

/// Whether to print or to check.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  trailkeep config > trailkeep.toml\n  trailkeep config --check trailkeep.toml"
)]
pub(crate) struct ConfigArguments {
    /// Check this file instead of printing the defaults
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    /// With --check: print all settings that result, as JSON
    #[arg(long, requires = "check")]
    json: bool,
}

pub(crate) fn run(arguments: &ConfigArguments) -> anyhow::Result<()> {
    let Some(path) = &arguments.check else { return print(COMMENTED.trim_end()) };
    let raw = config::read(Some(path))?;
    config::resolve(&raw)?;
    if arguments.json {
        return print(&serde_json::to_string(&raw)?);
    }
    say(&format!("`{}` is valid", path.display()));
    Ok(())
}
