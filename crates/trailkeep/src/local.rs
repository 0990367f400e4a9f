//! A store in a data directory of this machine.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use tokio::runtime::{Builder, Runtime};
use trailkeep_analyze::{AnalyzeOptions, Analyzer};
use trailkeep_catalog::SqliteCatalog;
use trailkeep_ingest::{Env, Store, StoreOptions};
use trailkeep_io::{
    Clock, DirLock, Disk, DiskStore, Entropy, OpenMode, RealDisk, SystemClock, SystemEntropy, Tasks,
};
use trailkeep_query::{Engine, QueryOptions};

use crate::failure::{Exit, Failure};
use crate::room;

/// The catalog's file in the data directory.
pub(crate) const CATALOG: &str = "catalog.sqlite";
/// The folder of segments and runs in the data directory.
pub(crate) const OBJECTS: &str = "objects";
/// The file that a process locks; it holds the process's number.
const LOCK: &str = "LOCK";

/// Threads for work that blocks: decompression, queries, fsyncs of the catalog.
const BLOCKING_THREADS_MAX: usize = 128;
/// How long tasks are waited for at the end.
const JOIN_TIMEOUT: Duration = Duration::from_secs(10);

/// The outside world of one run.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) runtime: Runtime,
    pub(crate) tasks: Tasks,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl Machine {
    /// Starts the runtime.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .thread_name("runtime")
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .enable_all()
            .build()
            .context("could not start the runtime")?;
        let (clock, entropy) = (Arc::new(SystemClock::new()), Arc::new(SystemEntropy));
        Ok(Self { runtime, tasks: Tasks::new(), clock, entropy })
    }
}

/// An open store, alone in its data directory.
#[derive(Debug)]
pub(crate) struct LocalStore {
    pub(crate) machine: Machine,
    pub(crate) store: Store,
    pub(crate) data: PathBuf,
    catalog: SqliteCatalog,
    lock: DirLock,
}

impl LocalStore {
    /// Opens the store of a data directory, making it where there is none.
    pub(crate) fn open_or_make(data: &Path, options: StoreOptions) -> anyhow::Result<Self> {
        let disk = RealDisk::open(data)
            .with_context(|| format!("could not make the data directory `{}`", data.display()))?;
        let lock = lock(&disk, data)?;
        room::check(&disk, data, &options)?;
        let machine = Machine::start()?;
        let objects = DiskStore::new(Arc::new(disk.clone()), OBJECTS);
        objects.remove_leftovers().context("could not remove unfinished objects")?;
        let catalog = machine
            .runtime
            .block_on(SqliteCatalog::open(&data.join(CATALOG)))
            .with_context(|| format!("could not open the store in `{}`", data.display()))?;
        let env = Env {
            clock: Arc::clone(&machine.clock),
            entropy: Arc::clone(&machine.entropy),
            disk: Arc::new(disk),
            objects: Arc::new(objects),
            catalog: Arc::new(catalog.clone()),
            runtime: machine.runtime.handle().clone(),
        };
        let store = trailkeep_ingest::open(env, options, &machine.tasks)
            .with_context(|| format!("could not open the store in `{}`", data.display()))?;
        Ok(Self { machine, store, data: data.to_owned(), catalog, lock })
    }

    /// Opens the store of a data directory that must hold one.
    pub(crate) fn open(data: &Path, options: StoreOptions) -> anyhow::Result<Self> {
        check_store(data)?;
        Self::open_or_make(data, options)
    }

    /// Makes the engine that answers queries on the store.
    pub(crate) fn engine(&self, options: QueryOptions) -> Engine {
        let shelf = Arc::clone(self.store.shelf());
        let cursor_key = &self.store.identity().cursor_key;
        Engine::new(shelf, cursor_key, Arc::clone(&self.machine.clock), options)
    }

    /// Makes the analyzer that answers questions about many entries at once.
    pub(crate) fn analyzer(&self, options: AnalyzeOptions) -> Analyzer {
        let shelf = Arc::clone(self.store.shelf());
        Analyzer::new(shelf, Arc::clone(&self.machine.clock), options)
    }

    /// Seals what is not sealed and lets the data directory go.
    pub(crate) fn close(self) -> anyhow::Result<()> {
        let closed = self.store.close().context("could not close the store");
        let joined = self.machine.runtime.block_on(self.machine.tasks.join(JOIN_TIMEOUT));
        let emptied = self.machine.runtime.block_on(self.catalog.close());
        drop(self.lock);
        closed?;
        joined.context("could not end all tasks")?;
        emptied.context("could not close the catalog")
    }
}

/// Checks that a data directory holds a store.
pub(crate) fn check_store(data: &Path) -> anyhow::Result<()> {
    if data.join(CATALOG).is_file() {
        return Ok(());
    }
    let message = format!("there is no store in `{}`", data.display());
    Err(Failure::new(Exit::NotFound, message).into())
}

/// Takes a data directory for this process.
pub(crate) fn lock(disk: &RealDisk, data: &Path) -> anyhow::Result<DirLock> {
    let lock = match disk.lock() {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(held(disk, data)),
        Err(error) => return Err(not_ours(data, error)),
    };
    // For whoever finds it locked; a stale number is never read, because the lock is free then.
    let owner = disk.open(LOCK, OpenMode::ReadWrite).and_then(|file| {
        let number = format!("{}\n", std::process::id());
        file.set_len(0)?;
        file.write_all_at(number.as_bytes(), 0)
    });
    owner.context("could not write the lock's owner")?;
    Ok(lock)
}

/// Keeps a server off a data directory while it is looked at; several processes may look. `None`
/// where the directory is read-only and no process ever locked it: then none can change it.
pub(crate) fn lock_to_look(disk: &RealDisk, data: &Path) -> anyhow::Result<Option<File>> {
    let path = data.join(LOCK);
    let opened = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut made = OpenOptions::new();
            match made.read(true).write(true).create(true).truncate(false).open(&path) {
                Err(error) if read_only(&error) => return Ok(None),
                opened => opened,
            }
        }
        opened => opened,
    };
    let file = opened.map_err(|error| not_ours(data, error))?;
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(held(disk, data)),
        Err(TryLockError::Error(error)) => Err(not_ours(data, error)),
    }
}

/// Tells whether an error says that nothing may be changed.
pub(crate) fn read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}

fn not_ours(data: &Path, error: io::Error) -> anyhow::Error {
    let message = format!("could not lock the data directory `{}`", data.display());
    if !read_only(&error) {
        return anyhow::Error::from(error).context(message);
    }
    let hint = "the directory must belong to the user that runs this, and be writable";
    Failure::new(Exit::Failed, format!("{message}: {error}")).hint(hint).into()
}

fn held(disk: &RealDisk, data: &Path) -> anyhow::Error {
    let owner = trailkeep_io::durable::read(disk, LOCK).unwrap_or_default();
    let owner = String::from_utf8_lossy(&owner).trim().parse().ok().and_then(Pid::from_raw);
    // Who only looks leaves no number, and finds that of one that has ended.
    let owner = match owner.filter(|owner| test_kill_process(*owner) != Err(Errno::SRCH)) {
        Some(owner) => format!("process {}", owner.as_raw_nonzero()),
        None => "another process".to_owned(),
    };
    let message = format!("the data directory `{}` is in use by {owner}", data.display());
    let hint = "while a server runs on it, use --server URL";
    Failure::new(Exit::Failed, message).hint(hint).into()
}
