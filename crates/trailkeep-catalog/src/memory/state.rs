//! What a catalog holds, and what each change does to it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use trailkeep_event::{Cut, Micros};

use crate::account::{no_slug, slug_candidates};
use crate::lease::lease_end;
use crate::limits::GARBAGE_PAGE_MAX;
use crate::seal::{RUN_SWAP, SEAL, SEGMENT_SWAP, Span, check_swap};
use crate::{
    AccountRecord, CatalogSnapshot, CommitOutcome, Error, GarbageKind, GarbageRecord, HeadRecord,
    KeyRecord, Lease, Result, RunRecord, SealCommit, SegmentRecord, StoreIdentity,
};

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) identity: Option<StoreIdentity>,
    pub(super) leases: BTreeMap<String, Holding>,
    pub(super) cut: Cut,
    pub(super) segments: Files<SegmentRecord>,
    pub(super) runs: Files<RunRecord>,
    pub(super) heads: BTreeMap<String, HeadRecord>,
    pub(super) accounts: BTreeMap<String, AccountRecord>,
    pub(super) keys: BTreeMap<String, KeyRecord>,
    pub(super) settings: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub(super) struct Holding {
    pub(super) owner: Option<String>,
    pub(super) epoch: u64,
    pub(super) until: Micros,
}

/// Records by id, each with the time when it became garbage.
pub(super) type Files<T> = BTreeMap<String, (T, Option<Micros>)>;

impl State {
    pub(super) fn acquire(
        &mut self,
        resource: &str,
        owner: &str,
        now: Micros,
        ttl: Duration,
    ) -> Option<Lease> {
        let holding = self.leases.get(resource);
        if let Some(Holding { owner: Some(other), until, .. }) = holding
            && other != owner
            && *until > now
        {
            return None;
        }
        let epoch = holding.map_or(1, |holding| holding.epoch.saturating_add(1));
        let until = lease_end(now, ttl);
        let holding = Holding { owner: Some(owner.to_owned()), epoch, until };
        self.leases.insert(resource.to_owned(), holding);
        Some(Lease { resource: resource.to_owned(), owner: owner.to_owned(), epoch, until })
    }

    pub(super) fn renew(&mut self, lease: &Lease, now: Micros, ttl: Duration) -> Option<Lease> {
        let until = lease_end(now, ttl);
        self.holding(lease)?.until = until;
        Some(Lease { until, ..lease.clone() })
    }

    pub(super) fn release(&mut self, lease: &Lease) {
        if let Some(holding) = self.holding(lease) {
            holding.owner = None;
        }
    }

    fn holding(&mut self, lease: &Lease) -> Option<&mut Holding> {
        self.leases.get_mut(&lease.resource).filter(|holding| {
            holding.owner.as_deref() == Some(&*lease.owner) && holding.epoch == lease.epoch
        })
    }

    pub(super) fn commit_seal(
        &mut self,
        lease: &Lease,
        commit: &SealCommit,
    ) -> Result<CommitOutcome> {
        if self.holding(lease).is_none() {
            return Ok(CommitOutcome::Fenced);
        }
        if self.cut != commit.from {
            return Ok(CommitOutcome::Stale);
        }
        add(&mut self.segments, commit.segments.iter().map(|new| (&new.id, new)), SEAL)?;
        add(&mut self.runs, commit.runs.iter().map(|new| (&new.id, new)), SEAL)?;
        self.add_accounts(&commit.accounts)?;
        for head in &commit.heads {
            self.move_head(head)?;
        }
        self.cut = commit.to;
        Ok(CommitOutcome::Committed)
    }

    fn move_head(&mut self, head: &HeadRecord) -> Result<()> {
        let account_id = &head.account_id;
        let stored = self.heads.get(account_id);
        if stored.is_some_and(|old| head.size < old.size || head.created_at < old.created_at) {
            return Err(Error::invalid(SEAL, format!("the log of `{account_id}` would shrink")));
        }
        self.heads.insert(account_id.clone(), head.clone());
        Ok(())
    }

    fn add_accounts(&mut self, accounts: &[AccountRecord]) -> Result<()> {
        let mut slugs: HashSet<String> =
            self.accounts.values().map(|account| account.slug.clone()).collect();
        for account in accounts {
            if self.accounts.contains_key(&account.account_id) {
                continue;
            }
            let slug = slug_candidates(&account.slug).find(|slug| !slugs.contains(slug));
            let slug = slug.ok_or_else(|| no_slug(account))?;
            slugs.insert(slug.clone());
            let account = AccountRecord { slug, ..account.clone() };
            self.accounts.insert(account.account_id.clone(), account);
        }
        Ok(())
    }

    pub(super) fn swap_segments(
        &mut self,
        lease: &Lease,
        removed: &[String],
        added: &[SegmentRecord],
        at: Micros,
    ) -> Result<CommitOutcome> {
        if self.holding(lease).is_none() {
            return Ok(CommitOutcome::Fenced);
        }
        let Some(replaced) = discard(&mut self.segments, removed, at) else {
            return Ok(CommitOutcome::Stale);
        };
        let spans: Vec<Span> = replaced.iter().map(Span::from).collect();
        check_swap(&spans, added)?;
        add(&mut self.segments, added.iter().map(|new| (&new.id, new)), SEGMENT_SWAP)?;
        Ok(CommitOutcome::Committed)
    }

    pub(super) fn swap_runs(
        &mut self,
        lease: &Lease,
        removed: &[String],
        added: &[RunRecord],
        at: Micros,
    ) -> Result<CommitOutcome> {
        if self.holding(lease).is_none() {
            return Ok(CommitOutcome::Fenced);
        }
        if let Some(detail) = added.iter().find_map(RunRecord::fault) {
            return Err(Error::invalid(RUN_SWAP, detail));
        }
        if discard(&mut self.runs, removed, at).is_none() {
            return Ok(CommitOutcome::Stale);
        }
        add(&mut self.runs, added.iter().map(|new| (&new.id, new)), RUN_SWAP)?;
        Ok(CommitOutcome::Committed)
    }

    pub(super) fn snapshot(&self) -> CatalogSnapshot {
        CatalogSnapshot::ordered(self.cut, live(&self.segments), live(&self.runs))
    }

    pub(super) fn garbage(&self, before: Micros) -> Vec<GarbageRecord> {
        let segments = dead(&self.segments, before).map(|segment| GarbageRecord {
            id: segment.id.clone(),
            kind: GarbageKind::Segment,
            meta: segment.meta.clone(),
        });
        let runs = dead(&self.runs, before).map(|run| GarbageRecord {
            id: run.id.clone(),
            kind: GarbageKind::Run,
            meta: run.meta.clone(),
        });
        segments.chain(runs).collect()
    }

    pub(super) fn forget_garbage(&mut self, ids: &[String]) {
        let ids: BTreeSet<&String> = ids.iter().collect();
        self.segments.retain(|id, (_, removed_at)| removed_at.is_none() || !ids.contains(id));
        self.runs.retain(|id, (_, removed_at)| removed_at.is_none() || !ids.contains(id));
    }

    pub(super) fn create_key(&mut self, key: &KeyRecord) -> Result<()> {
        let taken = self.keys.values().any(|k| k.key_id == key.key_id || k.hash == key.hash);
        if taken {
            return Err(Error::invalid("a key", "its id or its hash is taken"));
        }
        self.keys.insert(key.key_id.clone(), key.clone());
        Ok(())
    }

    pub(super) fn keys(&self) -> Vec<KeyRecord> {
        let mut keys: Vec<KeyRecord> = self.keys.values().cloned().collect();
        keys.sort_by(|a, b| (a.created_at, &a.key_id).cmp(&(b.created_at, &b.key_id)));
        keys
    }

    pub(super) fn revoke_key(&mut self, key_id: &str, at: Micros) -> bool {
        let key = self.keys.get_mut(key_id).filter(|key| key.revoked_at.is_none());
        key.map(|key| key.revoked_at = Some(at)).is_some()
    }
}

fn add<'a, T: Clone + 'a>(
    files: &mut Files<T>,
    added: impl Iterator<Item = (&'a String, &'a T)>,
    what: &'static str,
) -> Result<()> {
    for (id, record) in added {
        if files.insert(id.clone(), (record.clone(), None)).is_some() {
            return Err(Error::invalid(what, format!("`{id}` is in the catalog already")));
        }
    }
    Ok(())
}

/// Makes live records garbage and returns them; `None`, with some of it done, where one is not
/// live.
fn discard<T: Clone>(files: &mut Files<T>, removed: &[String], at: Micros) -> Option<Vec<T>> {
    let mut replaced = Vec::with_capacity(removed.len());
    for id in removed {
        let (record, removed_at) = files.get_mut(id)?;
        if removed_at.replace(at).is_some() {
            return None;
        }
        replaced.push(record.clone());
    }
    Some(replaced)
}

fn live<T: Clone>(files: &Files<T>) -> Vec<T> {
    let live = files.values().filter(|(_, removed_at)| removed_at.is_none());
    live.map(|(record, _)| record.clone()).collect()
}

fn dead<T>(files: &Files<T>, before: Micros) -> impl Iterator<Item = &T> {
    let mut dead: Vec<(Micros, &String, &T)> = files
        .iter()
        .filter_map(|(id, (record, removed_at))| Some(((*removed_at)?, id, record)))
        .filter(|(removed_at, _, _)| *removed_at < before)
        .collect();
    dead.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    dead.truncate(GARBAGE_PAGE_MAX);
    dead.into_iter().map(|(_, _, record)| record)
}
