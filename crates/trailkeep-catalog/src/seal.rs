//! What one seal moves.

use std::collections::HashSet;

use trailkeep_event::{Cut, Micros};

use crate::cover::Coverage;
use crate::{AccountRecord, Error, Result, RunRecord, SegmentRecord};

/// The end of one account's log, as of the cut.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HeadRecord {
    /// The account.
    pub account_id: String,
    /// How many entries its log has.
    pub size: u64,
    /// When the last of them was admitted.
    pub created_at: Micros,
}

/// What one seal moves, together or not at all.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SealCommit {
    /// The cut that the seal started from.
    pub from: Cut,
    /// The cut that it makes.
    pub to: Cut,
    /// The new segments; together they cover exactly the frames between the cuts.
    pub segments: Vec<SegmentRecord>,
    /// The new runs of the duplicate index.
    pub runs: Vec<RunRecord>,
    /// The heads of the logs that grew, each account's once.
    pub heads: Vec<HeadRecord>,
    /// The accounts that may be new, each once; those that exist are left as they are. One whose
    /// slug is taken gets a numbered slug.
    pub accounts: Vec<AccountRecord>,
}

/// What became of a change under a lease.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CommitOutcome {
    /// It was done, durably.
    Committed,
    /// Nothing was done: the lease is no longer the current one.
    Fenced,
    /// Nothing was done: what it builds on has changed.
    Stale,
}

pub(crate) const SEAL: &str = "a seal";
pub(crate) const SEGMENT_SWAP: &str = "a swap of segments";
pub(crate) const RUN_SWAP: &str = "a swap of runs";

impl SealCommit {
    /// Checks what can be checked without the catalog.
    pub(crate) fn check(&self) -> Result<()> {
        if self.from.0.iter().zip(self.to.0).any(|(from, to)| to < *from) {
            return Err(Error::invalid(SEAL, "its cut moves back"));
        }
        let faults = self.segments.iter().filter_map(SegmentRecord::fault);
        if let Some(detail) = faults.chain(self.runs.iter().filter_map(RunRecord::fault)).next() {
            return Err(Error::invalid(SEAL, detail));
        }
        let heads = self.heads.iter().map(|head| &*head.account_id);
        let accounts = self.accounts.iter().map(|account| &*account.account_id);
        if let Some(account_id) = twice(heads).or_else(|| twice(accounts)) {
            return Err(Error::invalid(SEAL, format!("account `{account_id}` is in it twice")));
        }
        let sealed = Coverage::of(self.segments.iter().map(|segment| (segment.from, segment.to)));
        if sealed != Coverage::of([(self.from, self.to)]) {
            return Err(Error::invalid(SEAL, "its segments do not cover what it seals"));
        }
        Ok(())
    }
}

fn twice<'a>(ids: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = HashSet::new();
    ids.into_iter().find(|id| !seen.insert(*id))
}

/// What a swap must keep of the segments that it removes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: Cut,
    pub(crate) to: Cut,
    pub(crate) rows: u64,
}

impl From<&SegmentRecord> for Span {
    fn from(segment: &SegmentRecord) -> Self {
        Self { from: segment.from, to: segment.to, rows: segment.rows }
    }
}

/// Checks that a swap neither loses nor adds a frame or a row: whatever a swap does, nothing
/// vanishes by it.
pub(crate) fn check_swap(removed: &[Span], added: &[SegmentRecord]) -> Result<()> {
    if let Some(detail) = added.iter().find_map(SegmentRecord::fault) {
        return Err(Error::invalid(SEGMENT_SWAP, detail));
    }
    let added: Vec<Span> = added.iter().map(Span::from).collect();
    let cover = |spans: &[Span]| Coverage::of(spans.iter().map(|span| (span.from, span.to)));
    let n_rows = |spans: &[Span]| spans.iter().map(|span| u128::from(span.rows)).sum::<u128>();
    if cover(removed) != cover(&added) {
        return Err(Error::invalid(SEGMENT_SWAP, "the new segments do not cover the same frames"));
    }
    if n_rows(removed) != n_rows(&added) {
        return Err(Error::invalid(SEGMENT_SWAP, "the new segments have more or fewer rows"));
    }
    Ok(())
}
