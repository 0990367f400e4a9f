//! Swaps, and what becomes of what they replace.

use trailkeep_event::Micros;

use super::{lease, run, seal, segment};
use crate::{Catalog, CommitOutcome, Error, GarbageKind, Lease, SegmentRecord};

const AT: Micros = Micros(100);

async fn sealed(catalog: &dyn Catalog) -> Lease {
    let lease = lease(catalog, "a").await;
    for (from, to) in [(0, 3), (3, 5), (5, 6)] {
        let outcome = catalog.commit_seal(&lease, &seal(from, to)).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed);
    }
    lease
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

pub(super) async fn a_swap_replaces_segments(catalog: &dyn Catalog) {
    let lease = sealed(catalog).await;
    let removed = ids(&["s0-3", "s3-5"]);
    let swap = async || catalog.swap_segments(&lease, &removed, &[segment("big", 0, 5)], AT).await;
    assert_eq!(swap().await.unwrap(), CommitOutcome::Committed);
    assert_eq!(swap().await.unwrap(), CommitOutcome::Stale, "done already");
    let snapshot = catalog.snapshot().await.unwrap();
    assert_eq!(snapshot.segments, [segment("big", 0, 5), segment("s5-6", 5, 6)]);
    assert_eq!(snapshot.runs.len(), 3);
    catalog.check().await.unwrap();
}

pub(super) async fn a_swap_replaces_runs(catalog: &dyn Catalog) {
    let lease = sealed(catalog).await;
    let removed = ids(&["r0-3", "r5-6"]);
    let swap = async || catalog.swap_runs(&lease, &removed, &[run("big")], AT).await;
    assert_eq!(swap().await.unwrap(), CommitOutcome::Committed);
    assert_eq!(swap().await.unwrap(), CommitOutcome::Stale, "done already");
    let snapshot = catalog.snapshot().await.unwrap();
    assert_eq!(snapshot.runs, [run("big"), run("r3-5")]);
    assert_eq!(snapshot.segments.len(), 3);
}

/// Promise 3: no swap loses a frame or a row.
pub(super) async fn a_wrong_swap_changes_nothing(catalog: &dyn Catalog) {
    let lease = sealed(catalog).await;
    let before = catalog.snapshot().await.unwrap();
    let stale = [ids(&["s0-3", "unknown"]), ids(&["s0-3", "s0-3"])];
    for removed in stale {
        let swap = catalog.swap_segments(&lease, &removed, &[segment("x", 0, 3)], AT).await;
        assert_eq!(swap.unwrap(), CommitOutcome::Stale, "{removed:?}");
        assert_eq!(catalog.snapshot().await.unwrap(), before, "{removed:?}");
    }
    let fewer_rows = SegmentRecord { rows: 2, ..segment("x", 0, 3) };
    let invalid = [
        ("nothing instead", vec![]),
        ("a lost frame", vec![segment("x", 0, 2)]),
        ("a lost row", vec![fewer_rows]),
        ("a frame too many", vec![segment("x", 0, 4)]),
        ("a live id", vec![segment("s3-5", 0, 3)]),
        ("its own id", vec![segment("s0-3", 0, 3)]),
    ];
    for (name, added) in invalid {
        let swap = catalog.swap_segments(&lease, &ids(&["s0-3"]), &added, AT).await;
        assert!(matches!(swap, Err(Error::Invalid { .. })), "{name}: {swap:?}");
        assert_eq!(catalog.snapshot().await.unwrap(), before, "{name}");
    }
    assert!(catalog.garbage(Micros::MAX).await.unwrap().is_empty());
}

pub(super) async fn garbage_is_forgotten_when_it_is_removed(catalog: &dyn Catalog) {
    let lease = sealed(catalog).await;
    let removed = ids(&["s3-5"]);
    let later = Micros(200);
    catalog.swap_segments(&lease, &removed, &[segment("t", 3, 5)], later).await.unwrap();
    let removed = ids(&["s0-3"]);
    catalog.swap_segments(&lease, &removed, &[segment("u", 0, 3)], AT).await.unwrap();
    catalog.swap_runs(&lease, &ids(&["r0-3"]), &[], AT).await.unwrap();

    let listed = async |before| {
        let garbage = catalog.garbage(Micros(before)).await.unwrap();
        garbage.into_iter().map(|record| (record.id, record.kind)).collect::<Vec<_>>()
    };
    let segment_kind = |id: &str| (id.to_owned(), GarbageKind::Segment);
    let run_kind = ("r0-3".to_owned(), GarbageKind::Run);
    assert_eq!(listed(100).await, []);
    assert_eq!(listed(101).await, [segment_kind("s0-3"), run_kind.clone()]);
    let all = [segment_kind("s0-3"), segment_kind("s3-5"), run_kind];
    assert_eq!(listed(201).await, all);
    let meta = catalog.garbage(Micros(101)).await.unwrap().into_iter().next().unwrap().meta;
    assert_eq!(meta, "{\"id\":\"s0-3\"}");

    let before = catalog.snapshot().await.unwrap();
    catalog.forget_garbage(&ids(&["s0-3", "r0-3", "s5-6", "unknown"])).await.unwrap();
    assert_eq!(listed(201).await, [segment_kind("s3-5")]);
    assert_eq!(catalog.snapshot().await.unwrap(), before, "what lives is left alone");
}
