//! The simulated catalog: the same promises, in memory, with commits that fail on demand.

mod fault;
mod json;
mod state;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::io::AsyncWriteExt;
use trailkeep_event::Micros;

use self::fault::{Fate, Gate};
pub use self::fault::{FaultOutcome, MemoryFault};
use self::state::State;
use crate::seal::{RUN_SWAP, SEAL, SEGMENT_SWAP};
use crate::{
    AccountRecord, Catalog, CatalogSnapshot, CommitOutcome, Error, GarbageRecord, HeadRecord,
    KeyRecord, Lease, Result, RunRecord, SealCommit, SegmentRecord, StoreIdentity,
};

/// A catalog in memory. Clones are one handle; [`MemoryCatalog::reopen`] makes another.
#[derive(Clone, Debug, Default)]
pub struct MemoryCatalog {
    committed: Arc<Mutex<State>>,
    gate: Arc<Mutex<Gate>>,
}

impl MemoryCatalog {
    /// Makes an empty catalog.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a new handle on what is committed, as after a restart: nothing is armed, and a
    /// failure of this handle is forgotten.
    #[must_use]
    pub fn reopen(&self) -> Self {
        Self { committed: Arc::clone(&self.committed), gate: Arc::default() }
    }

    /// Makes a coming commit of this handle fail.
    pub fn arm(&self, fault: MemoryFault) {
        self.gate.lock().arm(fault);
    }

    fn read<T>(&self, what: &'static str, view: impl FnOnce(&State) -> T) -> Result<T> {
        self.gate.lock().check(what)?;
        Ok(view(&self.committed.lock()))
    }

    fn write<T>(
        &self,
        what: &'static str,
        change: impl FnOnce(&mut State) -> Result<T>,
    ) -> Result<T> {
        self.write_if(what, change, |_| true)
    }

    fn write_under_lease(
        &self,
        what: &'static str,
        change: impl FnOnce(&mut State) -> Result<CommitOutcome>,
    ) -> Result<CommitOutcome> {
        self.write_if(what, change, |outcome| *outcome == CommitOutcome::Committed)
    }

    /// Changes a copy, so that what is committed stays as it was where the change ends half way.
    fn write_if<T>(
        &self,
        what: &'static str,
        change: impl FnOnce(&mut State) -> Result<T>,
        keep: impl FnOnce(&T) -> bool,
    ) -> Result<T> {
        let mut gate = self.gate.lock();
        gate.check(what)?;
        let mut committed = self.committed.lock();
        let mut next = committed.clone();
        let answer = change(&mut next)?;
        if !keep(&answer) {
            return Ok(answer);
        }
        let fate = gate.commit();
        if fate != Fate::Fails(FaultOutcome::NotDone) {
            *committed = next;
        }
        match fate {
            Fate::Succeeds => Ok(answer),
            Fate::Fails(_) => {
                Err(Error::Commit { what, source: "a fault was armed for this commit".into() })
            }
        }
    }
}

#[async_trait]
impl Catalog for MemoryCatalog {
    async fn identity(&self, fresh: &StoreIdentity) -> Result<StoreIdentity> {
        self.write("the identity", |state| {
            Ok(state.identity.get_or_insert_with(|| fresh.clone()).clone())
        })
    }

    async fn acquire(
        &self,
        resource: &str,
        owner: &str,
        now: Micros,
        ttl: Duration,
    ) -> Result<Option<Lease>> {
        self.write("a lease", |state| Ok(state.acquire(resource, owner, now, ttl)))
    }

    async fn renew(&self, lease: &Lease, now: Micros, ttl: Duration) -> Result<Option<Lease>> {
        self.write("a lease", |state| Ok(state.renew(lease, now, ttl)))
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        self.write("a lease", |state| {
            state.release(lease);
            Ok(())
        })
    }

    async fn commit_seal(&self, lease: &Lease, commit: &SealCommit) -> Result<CommitOutcome> {
        commit.check()?;
        self.write_under_lease(SEAL, |state| state.commit_seal(lease, commit))
    }

    async fn swap_segments(
        &self,
        lease: &Lease,
        removed: &[String],
        added: &[SegmentRecord],
        at: Micros,
    ) -> Result<CommitOutcome> {
        self.write_under_lease(SEGMENT_SWAP, |state| state.swap_segments(lease, removed, added, at))
    }

    async fn swap_runs(
        &self,
        lease: &Lease,
        removed: &[String],
        added: &[RunRecord],
        at: Micros,
    ) -> Result<CommitOutcome> {
        self.write_under_lease(RUN_SWAP, |state| state.swap_runs(lease, removed, added, at))
    }

    async fn snapshot(&self) -> Result<CatalogSnapshot> {
        self.read("the segments", State::snapshot)
    }

    async fn heads(&self) -> Result<Vec<HeadRecord>> {
        self.read("the heads", |state| state.heads.values().cloned().collect())
    }

    async fn garbage(&self, before: Micros) -> Result<Vec<GarbageRecord>> {
        self.read("the garbage", |state| state.garbage(before))
    }

    async fn forget_garbage(&self, ids: &[String]) -> Result<()> {
        self.write("the garbage", |state| {
            state.forget_garbage(ids);
            Ok(())
        })
    }

    async fn accounts(&self) -> Result<Vec<AccountRecord>> {
        self.read("the accounts", |state| state.accounts.values().cloned().collect())
    }

    async fn create_key(&self, key: &KeyRecord) -> Result<()> {
        self.write("a key", |state| state.create_key(key))
    }

    async fn keys(&self) -> Result<Vec<KeyRecord>> {
        self.read("the keys", State::keys)
    }

    async fn revoke_key(&self, key_id: &str, at: Micros) -> Result<bool> {
        self.write("a key", |state| Ok(state.revoke_key(key_id, at)))
    }

    async fn setting(&self, name: &str) -> Result<Option<String>> {
        self.read("a setting", |state| state.settings.get(name).cloned())
    }

    async fn set_setting(&self, name: &str, value: &str) -> Result<()> {
        crate::catalog::check_setting(value)?;
        self.write("a setting", |state| {
            state.settings.insert(name.to_owned(), value.to_owned());
            Ok(())
        })
    }

    async fn backup_to(&self, path: &Path) -> Result<()> {
        let json = self.read("a backup", json::of)?;
        write_new(path, json.to_string().as_bytes())
            .await
            .map_err(|source| Error::Backup { path: path.to_owned(), source: source.into() })
    }

    async fn check(&self) -> Result<()> {
        self.snapshot().await?.check()
    }
}

async fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = tokio::fs::File::create_new(path).await?;
    file.write_all(bytes).await?;
    file.sync_all().await
}
