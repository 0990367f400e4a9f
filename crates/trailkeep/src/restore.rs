//! Makes a store from a backup.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use trailkeep_event::Recorder;
use trailkeep_ingest::JOURNAL_FOLDER;
use trailkeep_io::{Disk, durable};
use trailkeep_journal::Journal;

use crate::backup::verify_files;
use crate::checksum;
use crate::config;
use crate::local::{LocalStore, lock};
use crate::logging;
use crate::output::{counted, print};

const EXAMPLES: &str = "\
Example:
  trailkeep restore /backups/2026-04-20 --data /var/lib/trailkeep-new

The backup is checked byte by byte first. The new store starts where the backup ends, and its
first new entry says that it was restored. Do not run the old store and the new one side by side.";

/// Which backup, and where to.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RestoreArguments {
    /// The folder of the backup
    directory: PathBuf,
    /// The new data directory; absent or empty
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The configuration of the new store
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print what was restored as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &RestoreArguments) -> anyhow::Result<()> {
    logging::start_quiet();
    let config = config::resolve(&config::read(arguments.config.as_deref())?)?;
    let (from, manifest) = verify_files(&arguments.directory)?;
    let to = crate::backup::empty_folder(&arguments.data)?;
    let held = lock(&to, &arguments.data)?;
    // The catalog comes first in the manifest and last here: a crash before it leaves no store.
    for file in manifest.files.iter().rev() {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _name)| folder);
        let copied = durable::create_dir_all(&to, folder)
            .and_then(|()| checksum::copy(&from, &to, &file.path))
            .and_then(|checksum| to.sync_dir(folder).map(|()| checksum));
        let checksum = copied.with_context(|| format!("could not copy `{}`", file.path))?;
        file.check(&checksum)?;
    }
    let disk: Arc<dyn Disk> = Arc::new(to);
    let journal = Journal::restore_at(disk, JOURNAL_FOLDER, config.store.journal, &manifest.cut());
    journal.context("could not begin the journal")?;
    drop(held);
    let local = LocalStore::open(&arguments.data, config.store)?;
    let summary = manifest.summary();
    let metadata = serde_json::json!({
        "backup_created_at": summary.created_at, "rows": summary.rows,
    });
    let entry = local.store.system_event("store.restored", "warning", &metadata.to_string());
    local.store.record(entry).context("could not record the restoration")?;
    local.close()?;
    if arguments.json {
        return print(&serde_json::to_string(&summary)?);
    }
    let rows = counted(summary.rows, "entry", "entries");
    print(&format!("restored {rows} into `{}`", arguments.data.display()))
}
