//! The trailkeep binary: arguments, configuration, wiring and signals.
//!
//! Promises: data goes to stdout and messages to stderr; how a run ended is in its exit code;
//! the environment is read here and nowhere else.
//!
//! Never does: storage, HTTP, decisions about events; it only puts together what others do.

mod arguments;
mod backup;
mod catalog_copy;
mod checksum;
mod completions;
mod config;
mod configure;
mod demo;
mod doctor;
mod export;
mod failure;
mod first_start;
mod import;
mod keys;
mod local;
mod logging;
mod look_disk;
mod memory;
mod output;
mod place;
mod reference;
mod restore;
mod room;
mod scratch;
mod search;
mod serve;
mod stats;
mod store_view;
mod table;
mod tail;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Environment, Verb};
use crate::failure::{Exit, report};
use crate::output::Gone;

fn main() -> ExitCode {
    memory::keep_for_a_while();
    // What is written holds other people's data and our secrets: it is for this user alone.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let arguments = Arguments::parse();
    match run(arguments.verb, &environment()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.downcast_ref::<Gone>().is_some() => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(Exit::of(&error).code())
        }
    }
}

fn run(verb: Verb, environment: &Environment) -> anyhow::Result<()> {
    match verb {
        Verb::Serve(arguments) => serve::run(&arguments, environment),
        Verb::Import(arguments) => import::run(&arguments, environment),
        Verb::Search(arguments) => search::run(&arguments, environment),
        Verb::Tail(arguments) => tail::run(&arguments, environment),
        Verb::Export(arguments) => export::run(&arguments, environment),
        Verb::Stats(arguments) => stats::run(&arguments, environment),
        Verb::Keys(arguments) => keys::run(&arguments, environment),
        Verb::Backup(arguments) => backup::run(&arguments, environment),
        Verb::Restore(arguments) => restore::run(&arguments),
        Verb::Config(arguments) => configure::run(&arguments),
        Verb::Doctor(arguments) => doctor::run(&arguments),
        Verb::Completions(arguments) => completions::run(&arguments),
        Verb::Reference(arguments) => reference::run(&arguments),
    }
}

/// Reads what the environment may say.
#[expect(clippy::disallowed_methods, reason = "this is where the environment is read, once")]
fn environment() -> Environment {
    let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Environment {
        key: text("TRAILKEEP_KEY"),
        bootstrap_key: text("TRAILKEEP_BOOTSTRAP_KEY"),
        bootstrap_key_file: text("TRAILKEEP_BOOTSTRAP_KEY_FILE").map(Into::into),
    }
}
