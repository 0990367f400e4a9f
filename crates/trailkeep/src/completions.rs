//! Prints completions for a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::output::print;

/// Which shell.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  trailkeep completions bash > ~/.local/share/bash-completion/completions/trailkeep"
)]
pub(crate) struct CompletionsArguments {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(arguments: &CompletionsArguments) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "trailkeep", &mut script);
    print(String::from_utf8_lossy(&script).trim_end())
}
