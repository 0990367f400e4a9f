//! Prints the reference pages that are made from the program itself.

use std::fmt::Write;

use clap::{Args, Command, CommandFactory, ValueEnum};

use crate::arguments::Arguments;
use crate::config::COMMENTED;
use crate::output::print;

const WIDTH: usize = 100;

/// Which page.
#[derive(Args, Debug)]
pub(crate) struct ReferenceArguments {
    #[arg(value_enum)]
    page: Page,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Page {
    /// docs/reference/cli.md
    Cli,
    /// docs/reference/settings.md
    Settings,
}

pub(crate) fn run(arguments: &ReferenceArguments) -> anyhow::Result<()> {
    let page = match arguments.page {
        Page::Cli => command_line(),
        Page::Settings => settings(),
    };
    print(page.trim_end())
}

fn command_line() -> String {
    let mut page = String::from(
        "# The command line\n\nMade by `trailkeep reference cli`: do not change it by hand. Data goes to stdout, \
         messages to stderr.\n",
    );
    let mut root = Arguments::command().term_width(WIDTH);
    root.build();
    add(&mut page, &mut root, "");
    page
}

fn add(page: &mut String, command: &mut Command, before: &str) {
    let name = format!("{before}{}", command.get_name());
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    // Writing to a String cannot fail.
    let _written = write!(page, "\n## {name}\n\n```text\n{}\n```\n", help.join("\n").trim_end());
    let shown = |command: &&mut Command| command.get_name() != "help" && !command.is_hide_set();
    for verb in command.get_subcommands_mut().filter(shown) {
        add(page, verb, &format!("{name} "));
    }
}

fn settings() -> String {
    format!(
        "# Settings\n\nMade by `trailkeep reference settings` from `config/trailkeep.toml`: do not change it by \
         hand.\n\nFlags win over the file that `--config` names, the file over the defaults below. An unknown key is an \
         error with a suggestion;\n`trailkeep config --check FILE` finds it before a restart does. From the environment \
         come only keys: `TRAILKEEP_BOOTSTRAP_KEY`\nand `TRAILKEEP_BOOTSTRAP_KEY_FILE` for a new store, and `TRAILKEEP_KEY` \
         for the commands that speak to a server.\n\n```toml\n{}\n```\n",
        COMMENTED.trim_end()
    )
}
