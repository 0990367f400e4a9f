//! Seals.

use std::time::Duration;

use trailkeep_event::Micros;

use super::{account, cut, head, lease, run, seal, segment};
use crate::{AccountRecord, Catalog, CommitOutcome, Error, SealCommit};

/// Promise 1: what a seal moves is there together, and in order.
pub(super) async fn a_seal_moves_everything(catalog: &dyn Catalog) {
    let lease = lease(catalog, "a").await;
    // Rows much older than the rest go to a file of their day: two files share a range.
    let mut second = seal(3, 9);
    second.segments.push(segment("late", 3, 9));
    second.accounts = vec![AccountRecord { name: Some("new".to_owned()), ..account("acme") }];
    for commit in [seal(0, 3), second, SealCommit { from: cut(9), to: cut(9), ..seal(9, 9) }] {
        let outcome = catalog.commit_seal(&lease, &commit).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed);
    }
    let snapshot = catalog.snapshot().await.unwrap();
    assert_eq!(snapshot.cut, cut(9));
    let expected = [
        segment("s0-3", 0, 3),
        segment("late", 3, 9),
        segment("s3-9", 3, 9),
        segment("s9-9", 9, 9),
    ];
    assert_eq!(snapshot.segments, expected);
    assert_eq!(snapshot.runs, [run("r0-3"), run("r3-9"), run("r9-9")]);
    assert_eq!(catalog.heads().await.unwrap(), [head("acme", 9)]);
    assert_eq!(catalog.accounts().await.unwrap(), [account("acme")], "left as it was");
    catalog.check().await.unwrap();
}

/// Of two owners only the one with the current epoch commits.
pub(super) async fn a_zombie_is_fenced(catalog: &dyn Catalog) {
    let zombie = lease(catalog, "a").await;
    let late = Micros(60_000_000);
    let taken = catalog.acquire("builder", "b", late, Duration::from_secs(10)).await.unwrap();
    let current = taken.unwrap();
    let outcome = catalog.commit_seal(&zombie, &seal(0, 3)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Fenced);
    assert_eq!(catalog.snapshot().await.unwrap().cut, cut(0));
    assert!(catalog.heads().await.unwrap().is_empty());
    let outcome = catalog.commit_seal(&current, &seal(0, 3)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);

    let removed = ["s0-3".to_owned()];
    let added = [segment("t", 0, 3)];
    let swap = catalog.swap_segments(&zombie, &removed, &added, late).await.unwrap();
    assert_eq!(swap, CommitOutcome::Fenced);
    let swap = catalog.swap_runs(&zombie, &["r0-3".to_owned()], &[], late).await.unwrap();
    assert_eq!(swap, CommitOutcome::Fenced);
    catalog.release(&current).await.unwrap();
    let outcome = catalog.commit_seal(&current, &seal(3, 4)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Fenced, "a lease that was given back is no lease");
}

pub(super) async fn a_stale_seal_changes_nothing(catalog: &dyn Catalog) {
    let lease = lease(catalog, "a").await;
    catalog.commit_seal(&lease, &seal(0, 3)).await.unwrap();
    let before = catalog.snapshot().await.unwrap();
    let mut one_partition_behind = seal(3, 5);
    one_partition_behind.from.0[15] = 2;
    one_partition_behind.segments[0].from.0[15] = 2;
    for stale in [seal(0, 5), seal(4, 5), one_partition_behind] {
        let outcome = catalog.commit_seal(&lease, &stale).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Stale, "{:?}", stale.from);
    }
    assert_eq!(catalog.snapshot().await.unwrap(), before);
    assert_eq!(catalog.heads().await.unwrap(), [head("acme", 3)]);
}

pub(super) async fn a_wrong_seal_changes_nothing(catalog: &dyn Catalog) {
    let lease = lease(catalog, "a").await;
    catalog.commit_seal(&lease, &seal(0, 3)).await.unwrap();
    let before = catalog.snapshot().await.unwrap();
    let segments = |segments| SealCommit { segments, ..seal(3, 5) };
    let cases = [
        ("a hole", segments(vec![segment("x", 4, 5)])),
        ("no segment", segments(vec![])),
        ("too much", segments(vec![segment("x", 2, 5)])),
        ("backwards", SealCommit { to: cut(2), ..seal(3, 5) }),
        ("no id", segments(vec![segment("", 3, 5)])),
        ("an id again", segments(vec![segment("s0-3", 3, 5)])),
        ("a run again", SealCommit { runs: vec![run("r0-3")], ..seal(3, 5) }),
        ("a shorter log", SealCommit { heads: vec![head("acme", 2)], ..seal(3, 5) }),
    ];
    for (name, wrong) in cases {
        let refused = catalog.commit_seal(&lease, &wrong).await;
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{name}: {refused:?}");
        assert_eq!(catalog.snapshot().await.unwrap(), before, "{name}");
        assert_eq!(catalog.heads().await.unwrap(), [head("acme", 3)], "{name}");
    }
}

pub(super) async fn a_taken_slug_does_not_stop_a_seal(catalog: &dyn Catalog) {
    let lease = lease(catalog, "a").await;
    assert!(catalog.create_account(&account("acme")).await.unwrap());
    let clash = |id: &str| AccountRecord { slug: "acme".to_owned(), ..account(id) };
    let commit = SealCommit { accounts: vec![clash("b"), clash("c")], ..seal(0, 3) };
    let outcome = catalog.commit_seal(&lease, &commit).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
    let accounts = catalog.accounts().await.unwrap();
    let slugs: Vec<&str> = accounts.iter().map(|account| &*account.slug).collect();
    assert_eq!(slugs, ["acme", "acme-2", "acme-3"]);
}
