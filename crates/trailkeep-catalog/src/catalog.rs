//! The catalog as a trait.

use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use trailkeep_event::Micros;

use crate::limits::SETTING_BYTES_MAX;
use crate::{
    AccountRecord, CatalogSnapshot, CommitOutcome, Error, GarbageRecord, HeadRecord, KeyRecord,
    Lease, Result, RunRecord, SealCommit, SegmentRecord, StoreIdentity,
};

/// What the store remembers transactionally.
///
/// Each method is one transaction. An answer means that it is durable. After
/// [`Error::Commit`](crate::Error::Commit) the catalog refuses everything until it is reopened.
#[async_trait]
pub trait Catalog: Debug + Send + Sync {
    /// Returns the store's identity; the first call ever makes `fresh` the identity.
    async fn identity(&self, fresh: &StoreIdentity) -> Result<StoreIdentity>;

    /// Takes the lease of a resource where nobody else holds it; raises its epoch.
    ///
    /// An owner that asks again gets a new epoch too: what it started before is fenced.
    async fn acquire(
        &self,
        resource: &str,
        owner: &str,
        now: Micros,
        ttl: Duration,
    ) -> Result<Option<Lease>>;

    /// Moves the end of a lease; `None` where it is no longer the current one.
    async fn renew(&self, lease: &Lease, now: Micros, ttl: Duration) -> Result<Option<Lease>>;

    /// Gives a lease back; one that is no longer current is left alone.
    async fn release(&self, lease: &Lease) -> Result<()>;

    /// Moves what a seal made into the catalog, together or not at all.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) where the segments do not cover exactly what is
    /// sealed, an id was used before, or a head would shrink.
    async fn commit_seal(&self, lease: &Lease, commit: &SealCommit) -> Result<CommitOutcome>;

    /// Replaces live segments by others with the same rows; the replaced ones become garbage.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) where the new segments cover other frames or have
    /// more or fewer rows, or an id was used before.
    async fn swap_segments(
        &self,
        lease: &Lease,
        removed: &[String],
        added: &[SegmentRecord],
        at: Micros,
    ) -> Result<CommitOutcome>;

    /// Replaces live runs by others; the replaced ones become garbage.
    async fn swap_runs(
        &self,
        lease: &Lease,
        removed: &[String],
        added: &[RunRecord],
        at: Micros,
    ) -> Result<CommitOutcome>;

    /// Returns what is sealed, as of one instant.
    async fn snapshot(&self) -> Result<CatalogSnapshot>;

    /// Returns the heads of all logs, by account.
    async fn heads(&self) -> Result<Vec<HeadRecord>>;

    /// Returns what became garbage before a time, at most
    /// [`GARBAGE_PAGE_MAX`](crate::GARBAGE_PAGE_MAX) of each kind, oldest first.
    async fn garbage(&self, before: Micros) -> Result<Vec<GarbageRecord>>;

    /// Forgets garbage whose files are removed; a live segment or run is left alone.
    async fn forget_garbage(&self, ids: &[String]) -> Result<()>;

    /// Returns all accounts, by id.
    async fn accounts(&self) -> Result<Vec<AccountRecord>>;

    /// Makes a key.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) where its id or its hash is taken.
    async fn create_key(&self, key: &KeyRecord) -> Result<()>;

    /// Returns all keys, also revoked and expired ones, by time of creation.
    async fn keys(&self) -> Result<Vec<KeyRecord>>;

    /// Revokes a key; `false` where there is none or it is revoked already.
    async fn revoke_key(&self, key_id: &str, at: Micros) -> Result<bool>;

    /// Returns a setting.
    async fn setting(&self, name: &str) -> Result<Option<String>>;

    /// Stores a setting, replacing what it was.
    async fn set_setting(&self, name: &str, value: &str) -> Result<()>;

    /// Writes a consistent copy of the live catalog to a file that does not exist yet.
    async fn backup_to(&self, path: &Path) -> Result<()>;

    /// Checks that what is stored can be read and keeps its promises.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) with what is wrong.
    async fn check(&self) -> Result<()>;
}

/// Checks a setting's value before it is written.
pub(crate) fn check_setting(value: &str) -> Result<()> {
    if value.len() > SETTING_BYTES_MAX {
        let detail = format!("its value has more than {SETTING_BYTES_MAX} bytes");
        return Err(Error::invalid("a setting", detail));
    }
    Ok(())
}
