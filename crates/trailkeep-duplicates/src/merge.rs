//! Makes one run of several.

use object_store::ObjectStore;

use crate::layout::Entry;
use crate::write::write_sorted;
use crate::{Error, RUN_ENTRIES_MAX, Run, RunMeta};

/// Merges runs into one; where a fingerprint stands in several, the earliest run's is kept.
/// Takes 32 bytes of memory an entry; the caller keeps the sum below [`RUN_ENTRIES_MAX`].
///
/// # Errors
/// Where a run cannot be read or the new one cannot be written.
///
/// # Panics
/// Where the runs together have more than [`RUN_ENTRIES_MAX`] entries.
pub fn merge_runs(store: &dyn ObjectStore, id: &str, runs: &[&Run]) -> Result<RunMeta, Error> {
    let n_entries: u64 = runs.iter().map(|run| run.meta().entries).fold(0, u64::saturating_add);
    let n_entries = usize::try_from(n_entries).unwrap_or(usize::MAX);
    assert!(n_entries <= RUN_ENTRIES_MAX, "a merged run would be too large");
    let mut entries: Vec<Entry> = Vec::with_capacity(n_entries);
    for run in runs {
        for number in 0..run.n_blocks() {
            entries.extend(run.block(number)?);
        }
    }
    // Stable: among equal fingerprints the earliest run's entry stays first.
    entries.sort_by_key(|entry| entry.fingerprint);
    entries.dedup_by_key(|entry| entry.fingerprint);
    write_sorted(store, id, &entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fingerprint, Known, SourceKey, SourceRef, write_run};
    use object_store::memory::InMemory;
    use object_store::path::Path;
    use object_store::{ObjectStoreExt, PutPayload};
    use std::sync::Arc;
    use trailkeep_event::EventId;

    fn print(n: i64) -> Fingerprint {
        SourceKey::new([1; 16]).fingerprint("a", SourceRef::Line { job: "j", line: n })
    }

    fn known(n: u8) -> Known {
        Known { check: u32::from(n), id: EventId([n; 16]) }
    }

    fn run(store: &Arc<InMemory>, id: &str, lines: std::ops::Range<i64>, n: u8) -> Run {
        let entries = lines.map(|line| (print(line), known(n)));
        let meta = write_run(store.as_ref(), id, entries).unwrap();
        let store: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(store);
        Run::open(store, meta).unwrap()
    }

    #[test]
    fn every_entry_is_found_and_the_earliest_wins() {
        let store = Arc::new(InMemory::new());
        let first = run(&store, "1", 0..1000, 1);
        let second = run(&store, "2", 900..2000, 2);
        let empty = run(&store, "3", 0..0, 3);
        let meta = merge_runs(store.as_ref(), "4", &[&first, &second, &empty]).unwrap();
        assert_eq!(meta.entries, 2000);
        let store: Arc<dyn ObjectStore> = store;
        let merged = Run::open(store, meta).unwrap();
        merged.verify().unwrap();
        for line in 0..2000 {
            let expected = if line < 1000 { known(1) } else { known(2) };
            assert_eq!(merged.find(print(line)).unwrap(), Some(expected), "{line}");
        }
        assert!((2000..4000).all(|line| merged.find(print(line)).unwrap().is_none()));
        assert_eq!(empty.find(print(1)).unwrap(), None);
    }

    /// R: one flipped bit anywhere in an index is detected, never a wrong answer.
    #[test]
    fn one_flipped_bit_anywhere_is_an_error_or_changes_nothing() {
        let store = Arc::new(InMemory::new());
        let meta = run(&store, "1", 0..300, 1).meta().clone();
        let path = Path::from(meta.key.as_str());
        let whole = futures::executor::block_on(async {
            store.get(&path).await.unwrap().bytes().await.unwrap().to_vec()
        });
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 8);
            let put = store.put(&path, PutPayload::from(damaged));
            futures::executor::block_on(put).unwrap();
            let opened = Run::open(Arc::<InMemory>::clone(&store), meta.clone());
            let verified = opened.and_then(|run| run.verify());
            assert!(matches!(verified, Err(Error::Corrupt { .. })), "byte {at}: {verified:?}");
        }
    }
}
