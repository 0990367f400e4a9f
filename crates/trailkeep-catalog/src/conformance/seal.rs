//! Seals.

use std::ops::Range;
use std::time::Duration;

use trailkeep_event::Micros;

use super::{account, cut, head, lease, run, seal, segment};
use crate::limits::STATEMENT_ROWS_MAX;
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
        ("a head twice", SealCommit { heads: vec![head("a", 5), head("a", 6)], ..seal(3, 5) }),
        ("an account twice", SealCommit { accounts: vec![account("a"); 2], ..seal(3, 5) }),
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
    catalog.commit_seal(&lease, &seal(0, 3)).await.unwrap();
    let clash = |id: &str| AccountRecord { slug: "acme".to_owned(), ..account(id) };
    let accounts = vec![account("acme"), clash("b"), clash("c")];
    let commit = SealCommit { accounts, ..seal(3, 5) };
    let outcome = catalog.commit_seal(&lease, &commit).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
    let accounts = catalog.accounts().await.unwrap();
    let slugs: Vec<&str> = accounts.iter().map(|account| &*account.slug).collect();
    assert_eq!(slugs, ["acme", "acme-2", "acme-3"]);
}

/// More accounts than one statement writes: new ones, old ones, and one that must not shrink.
pub(super) async fn a_seal_of_many_accounts_is_like_any_other(catalog: &dyn Catalog) {
    let lease = lease(catalog, "a").await;
    let ids = |range: Range<usize>| range.map(|n| format!("{n:05}")).collect::<Vec<_>>();
    let many = |ids: &[String], from, to| SealCommit {
        heads: ids.iter().map(|id| head(id, to)).collect(),
        accounts: ids.iter().map(|id| account(id)).collect(),
        ..seal(from, to)
    };
    let first = ids(0..2 * STATEMENT_ROWS_MAX + 1);
    let outcome = catalog.commit_seal(&lease, &many(&first, 0, 3)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
    let second = ids(STATEMENT_ROWS_MAX / 2..3 * STATEMENT_ROWS_MAX);
    let mut commit = many(&second, 3, 5);
    // The first exists and stays as it is, the last does not.
    for at in [1, second.len() - 1] {
        commit.accounts[at].slug.clone_from(&first[0]);
    }
    assert_eq!(catalog.commit_seal(&lease, &commit).await.unwrap(), CommitOutcome::Committed);

    let heads = catalog.heads().await.unwrap();
    let all = ids(0..3 * STATEMENT_ROWS_MAX);
    let size = |id: &String| if second.contains(id) { 5 } else { 3 };
    assert_eq!(heads, all.iter().map(|id| head(id, size(id))).collect::<Vec<_>>());
    let mut accounts: Vec<AccountRecord> = all.iter().map(|id| account(id)).collect();
    let last = accounts.pop().unwrap();
    accounts.push(AccountRecord { slug: format!("{}-2", first[0]), ..last });
    assert_eq!(catalog.accounts().await.unwrap(), accounts);

    let mut shrinking = many(&all, 5, 6);
    shrinking.heads[STATEMENT_ROWS_MAX + 7].size = 4;
    let refused = catalog.commit_seal(&lease, &shrinking).await.unwrap_err().to_string();
    assert!(refused.contains(&all[STATEMENT_ROWS_MAX + 7]), "{refused}");
    assert_eq!(catalog.heads().await.unwrap(), heads);
}
