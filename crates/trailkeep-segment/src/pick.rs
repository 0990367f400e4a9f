//! Decides which segments to merge.

use std::sync::Arc;

use crate::SegmentMeta;

/// As few rows are read by every search without an index: it costs a few milliseconds.
const SETTLED_ROWS_MIN: u64 = 1 << 16;

/// The rules of compaction.
#[derive(Clone, Copy, Debug)]
pub struct Compaction {
    /// The fewest segments worth a merge.
    pub inputs_min: usize,
    /// The most segments of one merge: each takes memory for a run of rows.
    pub inputs_max: usize,
    /// Segments of any level merge while the result has at most so many rows.
    pub small_rows_max: u64,
    /// No merge makes a segment of more rows.
    pub rows_max: u64,
    /// No merge takes more bytes: the result is held in memory until it is written.
    pub bytes_max: u64,
}

impl Compaction {
    /// The rules of a server whose configuration names none. Each row is rewritten about once a
    /// level, and there are as many levels as factors of eight between a seal and 4 M rows.
    pub const STANDARD: Self = Self {
        inputs_min: 8,
        inputs_max: 64,
        small_rows_max: 1_000_000,
        rows_max: 4_000_000,
        bytes_max: 256 << 20,
    };

    /// Returns the segments to merge next, or `None` where nothing is worth it: the oldest run of
    /// neighbours that is long enough and either of one level or small as a whole.
    pub fn pick(&self, metas: &[Arc<SegmentMeta>]) -> Option<Vec<Arc<SegmentMeta>>> {
        let ordered = ordered(metas);
        (0..ordered.len()).find_map(|start| {
            let rest = ordered.get(start..)?;
            let level = rest.first()?.level;
            let of_level = self.run(rest, self.rows_max, |meta| meta.level == level);
            let small = self.run(rest, self.small_rows_max.min(self.rows_max), |_| true);
            let run = if of_level.len() >= self.inputs_min { of_level } else { small };
            (run.len() >= self.inputs_min.max(2)).then(|| run.to_vec())
        })
    }

    /// Returns the segments to merge when nothing else is to be done, or `None`: the oldest run of
    /// neighbours that were just sealed, also a single one. They have no index, so that every
    /// search reads all of them; few rows are not worth it.
    pub fn settle(&self, metas: &[Arc<SegmentMeta>]) -> Option<Vec<Arc<SegmentMeta>>> {
        let ordered = ordered(metas);
        let start = ordered.iter().position(|meta| meta.level == 0)?;
        let rest = ordered.get(start..)?;
        let run = self.run(rest, self.rows_max, |meta| meta.level == 0);
        let run = if run.is_empty() { rest.get(..1)? } else { run };
        let rows: u64 = run.iter().map(|meta| u64::from(meta.rows)).sum();
        (rows >= SETTLED_ROWS_MIN).then(|| run.to_vec())
    }

    /// Returns the longest run from the front that keeps the limits.
    fn run<'a>(
        &self,
        metas: &'a [Arc<SegmentMeta>],
        rows_max: u64,
        fits: impl Fn(&SegmentMeta) -> bool,
    ) -> &'a [Arc<SegmentMeta>] {
        let mut rows = 0_u64;
        let mut bytes = 0_u64;
        let mut len = 0;
        for meta in metas.iter().take(self.inputs_max) {
            rows = rows.saturating_add(u64::from(meta.rows));
            bytes = bytes.saturating_add(meta.bytes);
            if rows > rows_max || bytes > self.bytes_max || !fits(meta) {
                break;
            }
            len += 1;
        }
        metas.get(..len).unwrap_or(&[])
    }
}

fn ordered(metas: &[Arc<SegmentMeta>]) -> Vec<Arc<SegmentMeta>> {
    let mut ordered = metas.to_vec();
    // Seals move every partition's cut forward, so the sums are in the order of the cuts.
    ordered.sort_by_cached_key(|meta| (total(&meta.from), total(&meta.to), meta.id.clone()));
    ordered
}

fn total(cut: &[u64]) -> u128 {
    cut.iter().map(|frame| u128::from(*frame)).sum()
}
