//! Copies a store while it runs, or checks a copy.

mod copy;
mod manifest;
mod verify;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

pub(crate) use self::{
    copy::{back_up, empty_folder},
    manifest::Summary,
    verify::verify_files,
};
use crate::arguments::Environment;
use crate::failure::{Exit, Failure};
use crate::local::LocalStore;
use crate::output::{counted, print};
use crate::place::{Place, PlaceArguments};

/// How long a server may take to copy everything.
const TIMEOUT: Duration = Duration::from_hours(24);

const EXAMPLES: &str = "\
Examples:
  trailkeep backup --server http://127.0.0.1:8080 --key-file operator-key /backups/2026-04-20
  trailkeep backup --data DIR /backups/2026-04-20
  trailkeep backup --verify /backups/2026-04-20

With --server the copy is made on the server's machine. It holds everything that was acknowledged
before it began, and is whole once its manifest.json is there.";

/// What to copy, and where to.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BackupArguments {
    /// The folder of the copy; absent or empty
    directory: PathBuf,
    /// Check the copy in DIRECTORY instead: every byte, and that every entry can be read
    #[arg(long, conflicts_with_all = ["server", "data"])]
    verify: bool,
    /// Print what was copied or checked as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

pub(crate) fn run(arguments: &BackupArguments, environment: &Environment) -> anyhow::Result<()> {
    let directory = std::path::absolute(&arguments.directory).context("no such folder")?;
    if arguments.verify {
        return show(arguments, &verify::verify(&directory)?.summary(), "checked");
    }
    let summary = match arguments.place.resolve(environment)? {
        Place::Remote(client) => {
            let path = directory.to_str().ok_or_else(|| {
                Failure::new(Exit::Usage, "a folder on a server has a name in UTF-8")
            })?;
            let request = serde_json::json!({ "directory": path }).to_string();
            let answer = client.post("/api/v1/backup", request.as_bytes(), TIMEOUT);
            let answer = answer.with_context(|| {
                format!("if `{path}/manifest.json` appears the backup was made all the same")
            })?;
            client.parse(&answer)?
        }
        Place::Local(data, config) => {
            let local = LocalStore::open(&data, config.store.clone())?;
            let (runtime, clock) = (local.machine.runtime.handle(), &*local.machine.clock);
            let made = back_up(&local.store, runtime, clock, &directory);
            local.close()?;
            made?.summary()
        }
    };
    show(arguments, &summary, "copied")
}

fn show(arguments: &BackupArguments, summary: &Summary, done: &str) -> anyhow::Result<()> {
    if arguments.json {
        return print(&serde_json::to_string(summary)?);
    }
    let rows = counted(summary.rows, "entry", "entries");
    let files = counted(summary.files, "file", "files");
    print(&format!("{done} {rows} in {files}, {}", counted(summary.bytes, "byte", "bytes")))
}
