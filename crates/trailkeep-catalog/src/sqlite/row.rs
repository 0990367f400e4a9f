//! From rows to records.

use sqlx::SqliteConnection;
use trailkeep_event::{Cut, Micros, PARTITIONS, Partition};

use crate::text::{parse_cut, unhex};
use crate::{CatalogSnapshot, Error, Result, RunRecord, SegmentRecord, StoreIdentity};

/// `store_id, id_key, source_key, cursor_key, created_at`
pub(super) type IdentityRow = (String, String, String, String, i64);
/// `account_id, n_entries, created_at`
pub(super) type HeadRow = (String, i64, i64);
/// `account_id, slug, name, created_at`
pub(super) type AccountRow = (String, String, Option<String>, i64);
/// `id, meta`
pub(super) type GarbageRow = (String, String);
/// `id, cut_from, cut_to, n_rows, n_bytes, min_at, max_at, meta`
type SegmentRow = (String, String, String, i64, i64, i64, i64, String);
/// `id, n_entries, n_bytes, meta`
type RunRow = (String, i64, i64, String);

/// Reads a count that is stored.
pub(super) fn number(stored: i64) -> Result<u64> {
    u64::try_from(stored).map_err(|error| Error::damaged(format!("count {stored}: {error}")))
}

/// Returns a count as it is stored.
pub(super) fn stored(number: u64) -> Result<i64> {
    i64::try_from(number)
        .map_err(|error| Error::invalid("a count", format!("count {number}: {error}")))
}

/// Reads a cut that is stored as text.
pub(super) fn cut(id: &str, text: &str) -> Result<Cut> {
    parse_cut(text).ok_or_else(|| Error::damaged(format!("segment `{id}` has no readable range")))
}

pub(super) fn identity(row: IdentityRow) -> Option<StoreIdentity> {
    let (store_id, id_key, source_key, cursor_key, created_at) = row;
    Some(StoreIdentity {
        store_id,
        id_key: unhex(&id_key)?,
        source_key: unhex(&source_key)?,
        cursor_key: unhex(&cursor_key)?,
        created_at: Micros(created_at),
    })
}

/// The rows of a snapshot, read in one transaction.
pub(super) struct SnapshotRows {
    cuts: Vec<(i64, i64)>,
    segments: Vec<SegmentRow>,
    runs: Vec<RunRow>,
}

pub(super) async fn snapshot(connection: &mut SqliteConnection) -> sqlx::Result<SnapshotRows> {
    const CUTS: &str = "SELECT partition_no, frame FROM cuts";
    const SEGMENTS: &str = "SELECT id, cut_from, cut_to, n_rows, n_bytes, min_at, max_at, meta
        FROM segments WHERE removed_at IS NULL";
    const RUNS: &str = "SELECT id, n_entries, n_bytes, meta FROM runs WHERE removed_at IS NULL";
    Ok(SnapshotRows {
        cuts: sqlx::query_as(CUTS).fetch_all(&mut *connection).await?,
        segments: sqlx::query_as(SEGMENTS).fetch_all(&mut *connection).await?,
        runs: sqlx::query_as(RUNS).fetch_all(connection).await?,
    })
}

impl SnapshotRows {
    pub(super) fn read(self) -> Result<CatalogSnapshot> {
        let segments = self.segments.into_iter().map(segment).collect::<Result<_>>()?;
        let runs = self.runs.into_iter().map(run).collect::<Result<_>>()?;
        Ok(CatalogSnapshot::ordered(cuts(&self.cuts)?, segments, runs))
    }
}

fn cuts(rows: &[(i64, i64)]) -> Result<Cut> {
    let mut cut = Cut::default();
    for (partition, frame) in rows {
        let partition = u8::try_from(*partition).ok().and_then(Partition::new);
        let partition = partition.ok_or_else(|| Error::damaged("the cut has a wrong partition"))?;
        cut.set(partition, number(*frame)?);
    }
    if rows.len() == PARTITIONS { Ok(cut) } else { Err(Error::damaged("the cut is incomplete")) }
}

fn segment(row: SegmentRow) -> Result<SegmentRecord> {
    let (id, from, to, rows, bytes, min_at, max_at, meta) = row;
    Ok(SegmentRecord {
        from: cut(&id, &from)?,
        to: cut(&id, &to)?,
        id,
        rows: number(rows)?,
        bytes: number(bytes)?,
        min_at: Micros(min_at),
        max_at: Micros(max_at),
        meta,
    })
}

fn run(row: RunRow) -> Result<RunRecord> {
    let (id, entries, bytes, meta) = row;
    Ok(RunRecord { id, entries: number(entries)?, bytes: number(bytes)?, meta })
}
