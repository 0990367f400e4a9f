//! Commits that fail, in both flavours.

use trailkeep_catalog::conformance::{cut, lease, run, seal, segment};
use trailkeep_catalog::{
    Catalog, CommitOutcome, Error, FaultOutcome, Lease, MemoryCatalog, MemoryFault, Result,
};
use trailkeep_event::Micros;

async fn steps(catalog: &MemoryCatalog, lease: &Lease) -> Result<()> {
    let commit = async |from, to| catalog.commit_seal(lease, &seal(from, to)).await;
    assert_eq!(commit(0, 3).await?, CommitOutcome::Committed);
    assert_eq!(commit(3, 5).await?, CommitOutcome::Committed);
    let removed = ["s0-3".to_owned(), "s3-5".to_owned()];
    let added = [segment("big", 0, 5)];
    let swap = catalog.swap_segments(lease, &removed, &added, Micros(7)).await?;
    assert_eq!(swap, CommitOutcome::Committed);
    let removed = ["r0-3".to_owned()];
    let swap = catalog.swap_runs(lease, &removed, &[run("big")], Micros(7)).await?;
    assert_eq!(swap, CommitOutcome::Committed);
    Ok(())
}

#[tokio::test]
async fn a_failed_commit_is_done_or_not_and_the_handle_refuses() {
    const STEPS: u64 = 4;
    for nth in 1..=STEPS {
        for outcome in [FaultOutcome::NotDone, FaultOutcome::Done] {
            let done = if outcome == FaultOutcome::Done { nth } else { nth - 1 };
            let catalog = MemoryCatalog::new();
            let lease = lease(&catalog, "a").await;
            catalog.arm(MemoryFault { nth, outcome });
            let failed = steps(&catalog, &lease).await;
            assert!(matches!(failed, Err(Error::Commit { .. })), "{nth} {outcome:?}: {failed:?}");
            let refused = catalog.clone().snapshot().await;
            assert!(matches!(refused, Err(Error::Stopped { .. })), "{nth} {outcome:?}");

            let reopened = catalog.reopen();
            reopened.check().await.unwrap();
            let snapshot = reopened.snapshot().await.unwrap();
            let expected_cut = match done {
                0 => cut(0),
                1 => cut(3),
                _ => cut(5),
            };
            assert_eq!(snapshot.cut, expected_cut, "{nth} {outcome:?}");
            let merged = snapshot.segments.iter().any(|segment| segment.id == "big");
            assert_eq!(merged, done >= 3, "{nth} {outcome:?}");
            let merged = snapshot.runs.iter().any(|run| run.id == "big");
            assert_eq!(merged, done >= 4, "{nth} {outcome:?}");
        }
    }
}

#[tokio::test]
async fn a_new_handle_is_another_owner_of_the_same_store() {
    let first = MemoryCatalog::new();
    let zombie = lease(&first, "a").await;
    let second = first.reopen();
    let current = lease(&second, "a").await;
    assert_eq!(
        first.commit_seal(&zombie, &seal(0, 1)).await.unwrap(),
        CommitOutcome::Fenced,
        "the same owner after a restart is fenced too"
    );
    let outcome = second.commit_seal(&current, &seal(0, 1)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
    assert_eq!(first.snapshot().await.unwrap().cut, cut(1));
}
