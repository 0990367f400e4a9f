//! Pages select exactly the rows that the filter matches one by one, and the index never leaves
//! out a page that holds one.

use std::collections::BTreeSet;
use std::sync::Arc;

use trailkeep_event::{Cut, Entry, Field, Fields, Micros, Row, ValueRef};
use trailkeep_filter::Filter;
use trailkeep_segment::{
    PageOrder, ScanPlan, SealFault, SealOptions, SegmentMeta, SegmentReader, SegmentStore, merge,
};
use trailkeep_testkit::{EventMaker, Random, row_of};

use crate::rows::{all, batch, key, memory, open, options, row, sealed};

pub(crate) fn selected(
    reader: &SegmentReader,
    filter: &Filter,
    plan: &ScanPlan<'_>,
) -> BTreeSet<u32> {
    let mut query = reader.query(filter, plan);
    let mut rows = BTreeSet::new();
    for candidate in query.candidates(PageOrder::Newest) {
        let mut hits = query.select(&candidate).unwrap();
        let found: Vec<usize> = hits.rows().iter().collect();
        assert_eq!(found.len(), hits.count());
        for row in found {
            let handle = hits.handle(row).unwrap();
            let times = candidate.min_sort_at..=candidate.max_sort_at;
            assert!(times.contains(&handle.sort.sort_at));
            assert!(rows.insert(handle.row), "a row is found once");
        }
    }
    rows
}

pub(crate) fn expected(entries: &[Entry], filter: &Filter, plan: &ScanPlan<'_>) -> BTreeSet<u32> {
    let wanted = |entry: &Entry| {
        let at = entry.view().sort_at();
        plan.accounts.is_none_or(|set| set.contains(entry.text(Field::AccountId).unwrap()))
            && plan.from.is_none_or(|from| at >= from)
            && plan.to.is_none_or(|to| at < to)
            && filter.matches(&entry.view())
    };
    (0_u32..).zip(entries).filter(|(_, entry)| wanted(entry)).map(|(row, _)| row).collect()
}

/// Makes filters out of values that rows have.
fn filters(entries: &[Entry], random: &mut Random) -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        "status:>=500",
        "-outcome:success",
        "category:(blocked OR auth) outcome:denied",
        "path:*licenses*",
        "duration:>100ms",
        "metadata.seats:>10",
        "-metadata.sdk:*",
        "limit",
        "\"limit reached\"",
        "error_message:\"limit reached\"",
        "activ* OR ip:203.0.0.0/20",
        "actor:usr_1*",
        "nothing-has-this-word",
        "occurred:2026-01-01",
    ]
    .map(str::to_owned)
    .into();
    let n_entries = u64::try_from(entries.len()).unwrap();
    for _ in 0..60 {
        let entry = &entries[usize::try_from(random.below(n_entries)).unwrap()];
        let field = Field::ALL[usize::try_from(random.below(72)).unwrap()];
        let value = match entry.get(field) {
            Some(ValueRef::Text(text)) => text.to_owned(),
            Some(ValueRef::Int(int)) => int.to_string(),
            Some(ValueRef::Id(id)) => id.to_string(),
            _ => continue,
        };
        let (from, to) = (random.below(9), random.below(9));
        let cut = |skip: u64, less: u64| -> String {
            let n = value.chars().count();
            let (skip, less) = (usize::try_from(skip).unwrap(), usize::try_from(less).unwrap());
            value.chars().take(n.saturating_sub(less)).skip(skip).collect()
        };
        let quoted =
            |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let name = field.name();
        texts.push(format!("{name}:{}", quoted(&value)));
        texts.push(quoted(&cut(from, to)));
        texts.push(format!("{name}:*{}*", cut(from, to).replace([' ', '"', ')', '('], "*")));
        texts.push(format!("{name}:{}*", cut(0, to).replace([' ', '"', ')', '('], "*")));
        texts.push(format!("-{name}:{} OR {}", quoted(&value), quoted(&cut(0, 2))));
    }
    texts
}

fn check(reader: &SegmentReader, random: &mut Random) {
    let entries = all(reader);
    let some: BTreeSet<String> =
        ["account-1", "account-3", "acme", "nobody"].map(str::to_owned).into();
    let middle = entries[entries.len() / 2].view().sort_at();
    let mut n_found = 0;
    for text in filters(&entries, random) {
        let Ok(filter) = Filter::parse(&text) else { continue };
        for (accounts, from, to) in [
            (None, None, None),
            (Some(&some), None, None),
            (Some(&some), Some(middle), None),
            (None, Some(Micros(middle.0 - 900_000_000)), Some(middle)),
        ] {
            let plan = ScanPlan { accounts, from, to, fields: &[] };
            let found = selected(reader, &filter, &plan);
            n_found += found.len();
            assert_eq!(found, expected(&entries, &filter, &plan), "{text} {from:?} {to:?}");
        }
    }
    assert!(n_found > 0);
}

/// Returns a segment of the same rows that has an index.
fn merged(store: &Arc<SegmentStore>, meta: Arc<SegmentMeta>) -> Arc<SegmentMeta> {
    let id = [meta.id.as_bytes()[1] | 0x80; 16];
    Arc::new(merge(store, &key(), &[meta], id, &|| false).unwrap())
}

#[test]
fn usual_events() {
    let mut maker = EventMaker::new(8).with_accounts(9).with_source_ids();
    let rows: Vec<Row> = maker.by_ref().take(5_000).map(|line| row_of(&line)).collect();
    let store = memory();
    let mut random = Random::new(3);
    for fault in [None, Some(SealFault { row: 3_000, field: Field::Outcome })] {
        // Some of the rows are ahead of our clock.
        let created_at = 1_767_225_600_000_000 + 3_000_000_000;
        let options = SealOptions { fault, ..options(u8::from(fault.is_some()), Cut::default()) };
        let meta = merged(&store, sealed(&store, &[batch(0, created_at, &rows)], &options));
        check(&open(&store, &meta), &mut random);
    }
}

#[test]
fn any_rows() {
    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let rows: Vec<Row> = (0..400)
        .map(|_| trailkeep_testkit::any_row().new_tree(&mut runner).unwrap().current())
        .collect();
    let store = memory();
    let meta = merged(&store, sealed(&store, &[batch(0, 50, &rows)], &options(1, Cut::default())));
    check(&open(&store, &meta), &mut Random::new(4));
}

/// A lost index makes queries slower and no answer wrong; it is made again, the same.
#[test]
fn an_index_that_is_lost_is_made_again() {
    let mut maker = EventMaker::new(9);
    let rows: Vec<Row> = maker.by_ref().take(4_500).map(|line| row_of(&line)).collect();
    let store = memory();
    let meta = merged(&store, sealed(&store, &[batch(0, 50, &rows)], &options(1, Cut::default())));
    let reader = open(&store, &meta);
    let needle = all(&reader)[2_100].text(Field::CorrelationId).unwrap().to_owned();
    let filter = Filter::parse(&format!("correlation_id:{needle}")).unwrap();
    let plan = ScanPlan { accounts: None, from: None, to: None, fields: &[] };
    let pages = |reader: &SegmentReader| {
        assert_eq!(selected(reader, &filter, &plan), BTreeSet::from([2_100]));
        reader.query(&filter, &plan).candidates(PageOrder::Oldest).len()
    };
    assert_eq!(pages(&reader), 1);
    let whole = store.get_range(&meta.index_key, 0..meta.index_bytes).unwrap();
    for damaged in [None, Some(whole.slice(1..)), Some(vec![0; whole.len()].into())] {
        store.delete(&meta.index_key).unwrap();
        if let Some(bytes) = damaged {
            store.put_new(&meta.index_key, bytes).unwrap();
        }
        let fresh = Arc::new(SegmentStore::with_cache(store.objects(), 1 << 20));
        let reader = SegmentReader::open(fresh, Arc::clone(&meta), key()).unwrap();
        assert!(!reader.needs_index());
        assert_eq!(pages(&reader), 3);
        assert!(reader.needs_index() && reader.verify().is_err());
        reader.rebuild_index().unwrap();
        assert!(!reader.needs_index() && reader.verify().is_ok());
        assert_eq!(pages(&reader), 1);
    }
}

/// R242: a window leaves the pages that have rows in it, of many; the rest is not looked at.
#[test]
fn a_window_leaves_few_pages() {
    let rows: Vec<Row> = (0..20_000).map(|n| row("acme", n, n % 1000)).collect();
    let store = memory();
    let meta = sealed(&store, &[batch(0, 30_000, &rows)], &options(1, Cut::default()));
    let reader = open(&store, &meta);
    let pages = |from: i64, to: i64| {
        let (from, to) = (Some(Micros(from)), Some(Micros(to)));
        let plan = ScanPlan { accounts: None, from, to, fields: &[] };
        reader.query(&Filter::everything(), &plan).candidates(PageOrder::Newest).len()
    };
    assert_eq!(reader.n_pages(), 10);
    assert_eq!(pages(0, 20_000), 10);
    for from in (0..19_900).step_by(100) {
        assert!((1..=2).contains(&pages(from, from + 100)), "{from}");
    }
    assert_eq!(pages(20_000, 30_000), 0);
}

/// R234: a license key that is masked in part is kept as it was sent and found as that, in the
/// column of its own that a frequent member has.
#[test]
fn a_masked_license_key_is_found_as_it_was_sent() {
    let key = |n: i64| format!("XXXX-XXXX-{:04X}-####", n % 50);
    let rows: Vec<Row> = (0..3_000_i64)
        .map(|n| {
            row_of(&format!(
                r#"{{"account_id":"acme","action":"a","occurred_at":"2026-01-01T00:00:00Z","metadata":{{"license_key":"{}"}}}}"#,
                key(n)
            ))
        })
        .collect();
    let store = memory();
    let meta = sealed(&store, &[batch(0, 30_000, &rows)], &options(1, Cut::default()));
    let merged = Arc::new(merge(&store, &self::key(), &[meta], [99; 16], &|| false).unwrap());
    let reader = open(&store, &merged);
    let found = |text: &str| {
        let filter = Filter::parse(&format!("metadata.license_key:\"{text}\"")).unwrap();
        let plan = ScanPlan { accounts: None, from: None, to: None, fields: &[] };
        selected(&reader, &filter, &plan).len()
    };
    for n in 0..50 {
        assert_eq!(found(&key(n)), 60, "{n}");
    }
    assert_eq!((found("XXXX-XXXX-0001"), found("XXXX-XXXX-FFFF-####")), (0, 0));
}
