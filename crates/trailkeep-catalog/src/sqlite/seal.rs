//! The transactions under a lease.

use trailkeep_event::{Cut, Micros, Partition};

use super::lease::holds;
use super::row::{cut, number, stored};
use super::work::Work;
use crate::account::slug_candidates;
use crate::seal::{RUN_SWAP, SEAL, SEGMENT_SWAP, Span, check_swap};
use crate::text::cut_text;
use crate::{
    AccountRecord, CommitOutcome, Error, HeadRecord, Lease, Result, RunRecord, SealCommit,
    SegmentRecord,
};

pub(super) async fn commit_seal(
    work: &mut Work,
    lease: &Lease,
    commit: &SealCommit,
) -> Result<CommitOutcome> {
    if !holds(work, lease).await? {
        return Ok(CommitOutcome::Fenced);
    }
    if !move_cut(work, &commit.from, &commit.to).await? {
        return Ok(CommitOutcome::Stale);
    }
    for segment in &commit.segments {
        insert_segment(work, segment, SEAL).await?;
    }
    for run in &commit.runs {
        insert_run(work, run, SEAL).await?;
    }
    for account in &commit.accounts {
        add_account(work, account).await?;
    }
    for head in &commit.heads {
        move_head(work, head).await?;
    }
    Ok(CommitOutcome::Committed)
}

pub(super) async fn swap_segments(
    work: &mut Work,
    lease: &Lease,
    removed: &[String],
    added: &[SegmentRecord],
    at: Micros,
) -> Result<CommitOutcome> {
    const REMOVE: &str = "UPDATE segments SET removed_at = $1
        WHERE id = $2 AND removed_at IS NULL RETURNING cut_from, cut_to, n_rows";
    if !holds(work, lease).await? {
        return Ok(CommitOutcome::Fenced);
    }
    let mut spans = Vec::with_capacity(removed.len());
    for id in removed {
        let rows = sqlx::query_as(REMOVE).bind(at.0).bind(id);
        let found: Option<(String, String, i64)> = work.row(rows).await?;
        let Some((from, to, rows)) = found else { return Ok(CommitOutcome::Stale) };
        spans.push(Span { from: cut(id, &from)?, to: cut(id, &to)?, rows: number(rows)? });
    }
    check_swap(&spans, added)?;
    for segment in added {
        insert_segment(work, segment, SEGMENT_SWAP).await?;
    }
    Ok(CommitOutcome::Committed)
}

pub(super) async fn swap_runs(
    work: &mut Work,
    lease: &Lease,
    removed: &[String],
    added: &[RunRecord],
    at: Micros,
) -> Result<CommitOutcome> {
    const REMOVE: &str = "UPDATE runs SET removed_at = $1 WHERE id = $2 AND removed_at IS NULL";
    if !holds(work, lease).await? {
        return Ok(CommitOutcome::Fenced);
    }
    if let Some(detail) = added.iter().find_map(RunRecord::fault) {
        return Err(Error::invalid(RUN_SWAP, detail));
    }
    for id in removed {
        if work.run(sqlx::query(REMOVE).bind(at.0).bind(id)).await? != 1 {
            return Ok(CommitOutcome::Stale);
        }
    }
    for run in added {
        insert_run(work, run, RUN_SWAP).await?;
    }
    Ok(CommitOutcome::Committed)
}

/// Moves the cut of every partition from where the seal saw it; `false` where one has moved.
async fn move_cut(work: &mut Work, from: &Cut, to: &Cut) -> Result<bool> {
    const MOVE: &str = "UPDATE cuts SET frame = $1 WHERE partition_no = $2 AND frame = $3";
    for partition in Partition::all() {
        let moved = sqlx::query(MOVE)
            .bind(stored(to.frame(partition))?)
            .bind(i64::from(partition.number()))
            .bind(stored(from.frame(partition))?);
        if work.run(moved).await? != 1 {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn insert_segment(
    work: &mut Work,
    segment: &SegmentRecord,
    what: &'static str,
) -> Result<()> {
    const INSERT: &str = "INSERT INTO segments
        (id, cut_from, cut_to, n_rows, n_bytes, min_at, max_at, meta)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    let insert = sqlx::query(INSERT)
        .bind(&segment.id)
        .bind(cut_text(&segment.from))
        .bind(cut_text(&segment.to))
        .bind(stored(segment.rows)?)
        .bind(stored(segment.bytes)?)
        .bind(segment.min_at.0)
        .bind(segment.max_at.0)
        .bind(&segment.meta);
    is_new(work.run(insert).await?, &segment.id, what)
}

async fn insert_run(work: &mut Work, run: &RunRecord, what: &'static str) -> Result<()> {
    const INSERT: &str = "INSERT INTO runs (id, n_entries, n_bytes, meta)
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let insert = sqlx::query(INSERT)
        .bind(&run.id)
        .bind(stored(run.entries)?)
        .bind(stored(run.bytes)?)
        .bind(&run.meta);
    is_new(work.run(insert).await?, &run.id, what)
}

fn is_new(n_inserted: u64, id: &str, what: &'static str) -> Result<()> {
    if n_inserted == 1 {
        return Ok(());
    }
    Err(Error::invalid(what, format!("`{id}` is in the catalog already")))
}

/// Adds an account that a seal brings, where there is none with its id.
async fn add_account(work: &mut Work, account: &AccountRecord) -> Result<()> {
    let rows = sqlx::query_as("SELECT created_at FROM accounts WHERE account_id = $1")
        .bind(&account.account_id);
    if work.row::<(i64,)>(rows).await?.is_some() {
        return Ok(());
    }
    for slug in slug_candidates(&account.slug) {
        if insert_account(work, account, &slug).await? {
            return Ok(());
        }
    }
    Err(Error::invalid(SEAL, format!("no slug is free for account `{}`", account.account_id)))
}

/// Adds an account under a slug; `false` where its id or the slug is taken.
pub(super) async fn insert_account(
    work: &mut Work,
    account: &AccountRecord,
    slug: &str,
) -> Result<bool> {
    const INSERT: &str = "INSERT INTO accounts (account_id, slug, name, created_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let insert = sqlx::query(INSERT)
        .bind(&account.account_id)
        .bind(slug)
        .bind(account.name.as_deref())
        .bind(account.created_at.0);
    Ok(work.run(insert).await? == 1)
}

async fn move_head(work: &mut Work, head: &HeadRecord) -> Result<()> {
    const MOVE: &str = "INSERT INTO heads (account_id, n_entries, created_at)
        VALUES ($1, $2, $3)
        ON CONFLICT (account_id) DO UPDATE
        SET n_entries = excluded.n_entries, created_at = excluded.created_at
        WHERE heads.n_entries <= excluded.n_entries AND heads.created_at <= excluded.created_at";
    let account_id = &head.account_id;
    let moved = sqlx::query(MOVE).bind(account_id).bind(stored(head.size)?).bind(head.created_at.0);
    if work.run(moved).await? == 1 {
        return Ok(());
    }
    Err(Error::invalid(SEAL, format!("the log of `{account_id}` would shrink")))
}
