//! From frames to a sealed segment.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use trailkeep_event::{Cut, IdKey, Partition, SequencedBatch};
use trailkeep_io::{DiskStore, RealDisk};
use trailkeep_ledger::{Heads, sequence};
use trailkeep_segment::{SealOptions, SegmentStore};

use super::{Group, n_rows, stage};
use crate::bench::Bench;
use crate::figure::Figure;
use crate::quantity::{float, long};

pub(super) fn seal(bench: &mut Bench, groups: &[Group]) -> Result<()> {
    let n_events = n_rows(groups);
    let batches = stage(bench, "sequence", n_events, || Ok(sequenced(groups)))?;
    let folder = bench.fresh("micro-segments")?;
    let disk = Arc::new(RealDisk::open(&folder)?);
    let store = SegmentStore::new(Arc::new(DiskStore::new(disk, "objects")));
    let key = IdKey::new([7; 16]);
    let mut round = 0_u8;
    let sealed = stage(bench, "seal: sort, encode, check, write, fsync", n_events, || {
        round += 1;
        let options = SealOptions { id: [round; 16], from: Cut::default(), fault: None };
        Ok(trailkeep_segment::seal(&store, &key, &batches, &options)?)
    })?;
    bench.fresh("micro-segments")?;
    let bytes = float(sealed.meta.bytes) / float(long(n_events).max(1));
    bench.report.add(Figure::new("a sealed row, before compaction", bytes, "bytes/event"));
    Ok(())
}

fn sequenced(groups: &[Group]) -> Vec<Arc<SequencedBatch>> {
    let mut heads = Heads::default();
    let mut frames: BTreeMap<Partition, u64> = BTreeMap::new();
    let mut batches = Vec::new();
    for batch in groups.iter().flatten() {
        let frame = frames.entry(batch.partition()).or_default();
        let framed = sequence(&mut heads, batch.partition(), *frame, batch.batch().clone());
        *frame += 1;
        batches.push(Arc::new(framed));
    }
    batches
}
