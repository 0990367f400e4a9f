//! The catalog of one machine: a SQLite file.

mod account;
mod head;
mod key;
mod lease;
mod look;
mod mark;
mod migrate;
mod open;
mod row;
mod seal;
mod work;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, SqlitePool};
use trailkeep_event::Micros;

use self::open::folder_of;
use self::row::{AccountRow, GarbageRow, HeadRow, IdentityRow, number};
use self::work::{Rows, Work, Writer};
use crate::catalog::check_setting;
use crate::limits::GARBAGE_PAGE_MAX;
use crate::text::hex;
use crate::{
    AccountRecord, Catalog, CatalogSnapshot, CommitOutcome, Error, GarbageKind, GarbageRecord,
    HeadRecord, KeyRecord, Lease, Result, RunRecord, SealCommit, SegmentRecord, StoreIdentity,
};

/// A catalog in a SQLite file. Clones are one handle.
#[derive(Clone, Debug)]
pub struct SqliteCatalog {
    path: PathBuf,
    writer: Writer,
    readers: SqlitePool,
}

impl SqliteCatalog {
    /// Opens the catalog in a file, which is made where it does not exist; its folder must. One
    /// process has it open at a time.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the file cannot be read or has lost commits,
    /// [`Error::NotACatalog`] where it holds something else, [`Error::NewerSchema`] where a newer
    /// program wrote it. It is left as it is then.
    pub async fn open(path: &Path) -> Result<Self> {
        let (writer, readers) = open::open(path).await?;
        Ok(Self { path: path.to_owned(), writer, readers })
    }

    /// Ends the use of the catalog, also that of its clones, and puts what is in the log into the
    /// file, which is whole by itself then. A crash instead leaves the log, which is as good.
    pub async fn close(self) -> Result<()> {
        const WHAT: &str = "its log";
        self.readers.close().await;
        let emptied = match self.writer.health.check(WHAT) {
            Ok(()) => sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .execute(&self.writer.pool)
                .await
                .map(|_| ())
                .map_err(|source| self.writer.health.write_failed(WHAT, source)),
            Err(stopped) => Err(stopped),
        };
        self.writer.pool.close().await;
        emptied
    }

    async fn work(&self, what: &'static str) -> Result<Work> {
        Work::begin(&self.writer, what).await
    }

    async fn all<T>(&self, what: &'static str, rows: Rows<'_, T>) -> Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        self.writer.health.check(what)?;
        let found = rows.fetch_all(&self.readers).await;
        found.map_err(|source| self.writer.health.read_failed(what, source))
    }

    async fn garbage_of(
        &self,
        sql: &'static str,
        kind: GarbageKind,
        before: Micros,
    ) -> Result<Vec<GarbageRecord>> {
        let page = i64::try_from(GARBAGE_PAGE_MAX).unwrap_or(i64::MAX);
        let rows = sqlx::query_as(sql).bind(before.0).bind(page);
        let found: Vec<GarbageRow> = self.all("the garbage", rows).await?;
        Ok(found.into_iter().map(|(id, meta)| GarbageRecord { id, kind, meta }).collect())
    }
}

#[async_trait]
impl Catalog for SqliteCatalog {
    async fn identity(&self, fresh: &StoreIdentity) -> Result<StoreIdentity> {
        const ADD: &str = "INSERT INTO store_identity
            (only_row, store_id, id_key, source_key, cursor_key, created_at)
            VALUES (1, $1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        const FIND: &str =
            "SELECT store_id, id_key, source_key, cursor_key, created_at FROM store_identity";
        let mut work = self.work("the identity").await?;
        let add = sqlx::query(ADD)
            .bind(&fresh.store_id)
            .bind(hex(&fresh.id_key))
            .bind(hex(&fresh.source_key))
            .bind(hex(&fresh.cursor_key))
            .bind(fresh.created_at.0);
        work.run(add).await?;
        let found: Option<IdentityRow> = work.row(sqlx::query_as(FIND)).await?;
        work.commit().await?;
        found.and_then(row::identity).ok_or_else(|| Error::damaged("the identity cannot be read"))
    }

    async fn acquire(
        &self,
        resource: &str,
        owner: &str,
        now: Micros,
        ttl: Duration,
    ) -> Result<Option<Lease>> {
        let mut work = self.work("a lease").await?;
        let lease = lease::acquire(&mut work, resource, owner, now, ttl).await?;
        work.commit().await?;
        Ok(lease)
    }

    async fn renew(&self, lease: &Lease, now: Micros, ttl: Duration) -> Result<Option<Lease>> {
        let mut work = self.work("a lease").await?;
        let renewed = lease::renew(&mut work, lease, now, ttl).await?;
        work.commit().await?;
        Ok(renewed)
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let mut work = self.work("a lease").await?;
        lease::release(&mut work, lease).await?;
        work.commit().await
    }

    async fn commit_seal(&self, lease: &Lease, commit: &SealCommit) -> Result<CommitOutcome> {
        commit.check()?;
        let mut work = self.work(crate::seal::SEAL).await?;
        let outcome = seal::commit_seal(&mut work, lease, commit).await?;
        finish(work, outcome).await
    }

    async fn swap_segments(
        &self,
        lease: &Lease,
        removed: &[String],
        added: &[SegmentRecord],
        at: Micros,
    ) -> Result<CommitOutcome> {
        let mut work = self.work(crate::seal::SEGMENT_SWAP).await?;
        let outcome = seal::swap_segments(&mut work, lease, removed, added, at).await?;
        finish(work, outcome).await
    }

    async fn swap_runs(
        &self,
        lease: &Lease,
        removed: &[String],
        added: &[RunRecord],
        at: Micros,
    ) -> Result<CommitOutcome> {
        let mut work = self.work(crate::seal::RUN_SWAP).await?;
        let outcome = seal::swap_runs(&mut work, lease, removed, added, at).await?;
        finish(work, outcome).await
    }

    async fn snapshot(&self) -> Result<CatalogSnapshot> {
        const WHAT: &str = "the segments";
        self.writer.health.check(WHAT)?;
        let failed = |source| self.writer.health.read_failed(WHAT, source);
        let mut transaction = self.readers.begin().await.map_err(failed)?;
        let snapshot = row::snapshot(&mut transaction).await.map_err(failed)?;
        transaction.rollback().await.map_err(failed)?;
        snapshot.read()
    }

    async fn heads(&self) -> Result<Vec<HeadRecord>> {
        let rows = sqlx::query_as("SELECT account_id, n_entries, created_at FROM heads");
        let found: Vec<HeadRow> = self.all("the heads", rows).await?;
        let heads = found.into_iter().map(|(account_id, size, created_at)| {
            Ok(HeadRecord { account_id, size: number(size)?, created_at: Micros(created_at) })
        });
        let mut heads: Vec<HeadRecord> = heads.collect::<Result<_>>()?;
        heads.sort_by(|a, b| a.account_id.cmp(&b.account_id));
        Ok(heads)
    }

    async fn garbage(&self, before: Micros) -> Result<Vec<GarbageRecord>> {
        const SEGMENTS: &str = "SELECT id, meta FROM segments WHERE removed_at < $1
            ORDER BY removed_at, id LIMIT $2";
        const RUNS: &str = "SELECT id, meta FROM runs WHERE removed_at < $1
            ORDER BY removed_at, id LIMIT $2";
        let mut garbage = self.garbage_of(SEGMENTS, GarbageKind::Segment, before).await?;
        garbage.extend(self.garbage_of(RUNS, GarbageKind::Run, before).await?);
        Ok(garbage)
    }

    async fn forget_garbage(&self, ids: &[String]) -> Result<()> {
        const SEGMENT: &str = "DELETE FROM segments WHERE id = $1 AND removed_at IS NOT NULL";
        const RUN: &str = "DELETE FROM runs WHERE id = $1 AND removed_at IS NOT NULL";
        let mut work = self.work("the garbage").await?;
        for id in ids {
            work.run(sqlx::query(SEGMENT).bind(id)).await?;
            work.run(sqlx::query(RUN).bind(id)).await?;
        }
        work.commit().await
    }

    async fn accounts(&self) -> Result<Vec<AccountRecord>> {
        let rows = sqlx::query_as("SELECT account_id, slug, name, created_at FROM accounts");
        let found: Vec<AccountRow> = self.all("the accounts", rows).await?;
        let accounts = found.into_iter().map(|(account_id, slug, name, created_at)| {
            AccountRecord { account_id, slug, name, created_at: Micros(created_at) }
        });
        let mut accounts: Vec<AccountRecord> = accounts.collect();
        accounts.sort_by(|a, b| a.account_id.cmp(&b.account_id));
        Ok(accounts)
    }

    async fn create_key(&self, key: &KeyRecord) -> Result<()> {
        let mut work = self.work("a key").await?;
        key::create(&mut work, key).await?;
        work.commit().await
    }

    async fn keys(&self) -> Result<Vec<KeyRecord>> {
        let found = self.all("the keys", sqlx::query_as(key::ALL)).await?;
        let mut keys: Vec<KeyRecord> = found.into_iter().map(key::read).collect::<Result<_>>()?;
        keys.sort_by(|a, b| (a.created_at, &a.key_id).cmp(&(b.created_at, &b.key_id)));
        Ok(keys)
    }

    async fn revoke_key(&self, key_id: &str, at: Micros) -> Result<bool> {
        const REVOKE: &str =
            "UPDATE api_keys SET revoked_at = $1 WHERE key_id = $2 AND revoked_at IS NULL";
        let mut work = self.work("a key").await?;
        let n_revoked = work.run(sqlx::query(REVOKE).bind(at.0).bind(key_id)).await?;
        work.commit().await?;
        Ok(n_revoked == 1)
    }

    async fn setting(&self, name: &str) -> Result<Option<String>> {
        let rows = sqlx::query_as("SELECT value FROM settings WHERE name = $1").bind(name);
        let found: Vec<(String,)> = self.all("a setting", rows).await?;
        Ok(found.into_iter().next().map(|(value,)| value))
    }

    async fn set_setting(&self, name: &str, value: &str) -> Result<()> {
        const SET: &str = "INSERT INTO settings (name, value) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        check_setting(value)?;
        let mut work = self.work("a setting").await?;
        work.run(sqlx::query(SET).bind(name).bind(value)).await?;
        work.commit().await
    }

    async fn backup_to(&self, path: &Path) -> Result<()> {
        let failed = |source| Error::Backup { path: path.to_owned(), source };
        self.writer.health.check("a backup")?;
        let target = path.to_str().ok_or_else(|| failed("its path is not UTF-8".into()))?;
        // A reader makes the copy, so that sealing goes on meanwhile.
        let copy = sqlx::query("VACUUM INTO $1").bind(target).execute(&self.readers).await;
        copy.map_err(|source| failed(source.into()))?;
        sync(path).await.map_err(|source| failed(source.into()))
    }

    async fn check(&self) -> Result<()> {
        let rows = sqlx::query_as("PRAGMA integrity_check");
        let found: Vec<(String,)> = self.all("every page", rows).await?;
        if let Some((fault,)) = found.into_iter().find(|(line,)| line != "ok") {
            return Err(Error::damaged(format!("`{}`: {fault}", self.path.display())));
        }
        self.snapshot().await?.check()?;
        self.heads().await?;
        self.keys().await.map(|_| ())
    }
}

/// Keeps what was committed and takes back what was not.
async fn finish(work: Work, outcome: CommitOutcome) -> Result<CommitOutcome> {
    match outcome {
        CommitOutcome::Committed => work.commit().await?,
        CommitOutcome::Fenced | CommitOutcome::Stale => work.abandon().await?,
    }
    Ok(outcome)
}

/// Makes a new file and its name durable.
async fn sync(path: &Path) -> std::io::Result<()> {
    tokio::fs::File::open(path).await?.sync_all().await?;
    tokio::fs::File::open(folder_of(path)).await?.sync_all().await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use trailkeep_io::{Fault, FaultKind, FaultOp, SimDisk};

    use super::mark::{Mark, SharedMark};
    use super::*;
    use crate::conformance::{cut, lease, seal};

    /// A commit that failed and was not done: the handle refuses, a new one finds the old state.
    #[tokio::test]
    async fn a_failed_commit_stops_the_catalog() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("catalog.db");
        let catalog = SqliteCatalog::open(&path).await.unwrap();
        let lease = lease(&catalog, "a").await;
        catalog.commit_seal(&lease, &seal(0, 3)).await.unwrap();
        let mut connection = catalog.writer.pool.acquire().await.unwrap();
        connection.lock_handle().await.unwrap().set_commit_hook(|| false);
        drop(connection);

        let failed = catalog.commit_seal(&lease, &seal(3, 5)).await;
        assert!(matches!(failed, Err(Error::Commit { .. })), "{failed:?}");
        let refused = catalog.clone().commit_seal(&lease, &seal(3, 5)).await;
        assert!(matches!(refused, Err(Error::Stopped { .. })), "{refused:?}");
        assert!(matches!(catalog.snapshot().await, Err(Error::Stopped { .. })));

        let reopened = SqliteCatalog::open(&path).await.unwrap();
        reopened.check().await.unwrap();
        assert_eq!(reopened.snapshot().await.unwrap().cut, cut(3));
        let outcome = reopened.commit_seal(&lease, &seal(3, 5)).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed);
    }

    /// A commit whose mark could not be written was done all the same: only a new handle may tell.
    #[tokio::test]
    async fn a_mark_that_fails_stops_the_catalog() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("catalog.db");
        let mut catalog = SqliteCatalog::open(&path).await.unwrap();
        let lease = lease(&catalog, "a").await;
        let disk = SimDisk::new(1);
        let mut mark = Mark::read(Arc::new(disk.clone()), "catalog.mark".to_owned()).unwrap();
        mark.raise(2).unwrap();
        catalog.writer.mark = SharedMark::new(mark);
        disk.arm(Fault { op: FaultOp::Sync, nth: 1, kind: FaultKind::NotDone });

        let failed = catalog.commit_seal(&lease, &seal(0, 3)).await;
        assert!(matches!(failed, Err(Error::Commit { .. })), "{failed:?}");
        assert!(matches!(catalog.snapshot().await, Err(Error::Stopped { .. })));
        assert!(matches!(catalog.close().await, Err(Error::Stopped { .. })));
        let reopened = SqliteCatalog::open(&path).await.unwrap();
        assert_eq!(reopened.snapshot().await.unwrap().cut, cut(3));
    }

    /// An answer that nobody waits for any more takes back what it did, and the next one's turn
    /// comes.
    #[tokio::test]
    async fn dropped_work_is_taken_back() {
        let folder = tempfile::TempDir::new().unwrap();
        let catalog = SqliteCatalog::open(&folder.path().join("catalog.db")).await.unwrap();
        let mut work = catalog.work("a test").await.unwrap();
        work.run(sqlx::query("UPDATE cuts SET frame = 9")).await.unwrap();
        drop(work);
        let lease = lease(&catalog, "a").await;
        let outcome = catalog.commit_seal(&lease, &seal(0, 3)).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed);
    }

    #[tokio::test]
    async fn a_commit_is_synced() {
        let folder = tempfile::TempDir::new().unwrap();
        let catalog = SqliteCatalog::open(&folder.path().join("catalog.db")).await.unwrap();
        let mut work = catalog.work("a test").await.unwrap();
        let mode: Option<(String,)> =
            work.row(sqlx::query_as("PRAGMA journal_mode")).await.unwrap();
        let synchronous: Option<(i64,)> =
            work.row(sqlx::query_as("PRAGMA synchronous")).await.unwrap();
        assert_eq!((mode, synchronous), (Some(("wal".to_owned(),)), Some((2,))));
    }
}
