//! The transactions under a lease.

use trailkeep_event::{Cut, Micros, Partition};

use super::account::add_accounts;
use super::head::move_heads;
use super::lease::holds;
use super::row::{cut, number, stored};
use super::work::Work;
use crate::seal::{RUN_SWAP, SEAL, SEGMENT_SWAP, Span, check_swap};
use crate::text::cut_text;
use crate::{CommitOutcome, Error, Lease, Result, RunRecord, SealCommit, SegmentRecord};

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
    add_accounts(work, &commit.accounts).await?;
    move_heads(work, &commit.heads).await?;
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
