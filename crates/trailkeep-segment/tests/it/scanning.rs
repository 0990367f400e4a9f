//! Scans visit the rows of their accounts and window, and nothing else.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use trailkeep_event::{Cut, Entry, Field, Fields, Micros, Row};
use trailkeep_segment::{RowHandle, ScanPlan, SealFault, SegmentReader};

use crate::rows::{batch, memory, open, options, row, sealed, sorted};

const FIELDS: [Field; 3] = [Field::Status, Field::Id, Field::Metadata];

fn scan(reader: &SegmentReader, plan: &ScanPlan<'_>) -> Vec<RowHandle> {
    let mut seen = Vec::new();
    reader
        .scan(plan, &mut |handle, view| {
            assert_eq!(view.text(Field::AccountId), Some(&*handle.sort.account));
            seen.push(handle);
            ControlFlow::Continue(())
        })
        .unwrap();
    seen
}

fn expected(entries: &[Entry], plan: &ScanPlan<'_>) -> Vec<u32> {
    let wanted = |entry: &Entry| {
        let account = entry.text(Field::AccountId).unwrap();
        let sort_at = entry.view().sort_at();
        plan.accounts.is_none_or(|accounts| accounts.contains(account))
            && plan.from.is_none_or(|from| sort_at >= from)
            && plan.to.is_none_or(|to| sort_at < to)
    };
    (0_u32..).zip(entries).filter(|(_, entry)| wanted(entry)).map(|(row, _)| row).collect()
}

/// More rows than a page has, so that windows begin and end inside, at and between pages.
#[test]
fn accounts_and_windows() {
    let rows: Vec<Row> = (0..9_000_i64)
        .map(|n| {
            let account = ["a", "b", "b", "b", "b", "c", "d"][usize::try_from(n % 7).unwrap()];
            row(account, (n * 7919) % 9_000 / 3, n % 1000)
        })
        .collect();
    let store = memory();
    let batches = [batch(0, 10_000, &rows)];
    let meta = sealed(&store, &batches, &options(1, Cut::default()));
    let reader = open(&store, &meta);
    let entries = sorted(&batches);
    let sets: [&[&str]; 5] = [&["b"], &["a", "d"], &["nobody"], &[], &["a", "b", "c", "d"]];
    let sets = sets.map(|set| set.iter().map(|s| (*s).to_owned()).collect::<BTreeSet<_>>());
    let windows = [
        (None, None),
        (Some(0), Some(3_000)),
        (Some(700), Some(701)),
        (Some(700), Some(1_400)),
        (None, Some(500)),
        (Some(2_999), None),
        (Some(3_000), None),
        (None, Some(0)),
        (Some(900), Some(100)),
    ];
    for accounts in sets.iter().map(Some).chain([None]) {
        for (from, to) in windows {
            let (from, to) = (from.map(Micros), to.map(Micros));
            let plan = ScanPlan { accounts, from, to, fields: &[] };
            let seen = scan(&reader, &plan);
            let rows: Vec<u32> = seen.iter().map(|handle| handle.row).collect();
            assert_eq!(rows, expected(&entries, &plan), "{plan:?}");
            for handle in seen {
                let entry = &entries[usize::try_from(handle.row).unwrap()];
                assert_eq!(handle.sort.sort_at, entry.view().sort_at());
                assert_eq!(handle.sort.seq, entry.stamp.seq);
            }
        }
    }
}

#[test]
fn the_fields_asked_for_are_there_and_no_others() {
    let rows: Vec<Row> = (0..50).map(|n| row("a", n, n)).collect();
    let store = memory();
    let batches = [batch(0, 100, &rows)];
    let meta = sealed(&store, &batches, &options(1, Cut::default()));
    let entries = sorted(&batches);
    let plan = ScanPlan { accounts: None, from: None, to: None, fields: &FIELDS };
    let mut n_seen = 0;
    open(&store, &meta)
        .scan(&plan, &mut |handle, view| {
            let entry = &entries[usize::try_from(handle.row).unwrap()];
            let ours = [Field::Seq, Field::CreatedAt, Field::ClockSkew, Field::OccurredAt];
            for field in FIELDS.iter().chain(&ours) {
                assert_eq!(view.get(*field), entry.get(*field), "{field:?}");
            }
            assert_eq!(view.get(Field::ActorLabel), None);
            n_seen += 1;
            if n_seen == 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    assert_eq!(n_seen, 20, "a visitor may stop");
}

/// Filters see the row that was admitted, not what a defective encoder made of it.
#[test]
fn a_lost_row_is_scanned_from_its_bytes() {
    let rows: Vec<Row> = (0..3).map(|n| row("a", n, n + 500)).collect();
    let store = memory();
    let batches = [batch(0, 100, &rows)];
    let mut options = options(1, Cut::default());
    options.fault = Some(SealFault { row: 1, field: Field::Status });
    let meta = sealed(&store, &batches, &options);
    let mut statuses = Vec::new();
    let plan = ScanPlan { accounts: None, from: None, to: None, fields: &[Field::Status] };
    open(&store, &meta)
        .scan(&plan, &mut |_, view| {
            statuses.push(view.get(Field::Status).unwrap().as_int().unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(statuses, [500, 501, 502]);
}
