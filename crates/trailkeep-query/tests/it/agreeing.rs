//! Every answer is what a look at each entry, one by one, gives.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use trailkeep_event::{Entry, Field, Fields, Micros, ValueRef};
use trailkeep_query::{CompleteRequest, Distinct, FacetRequest, FacetValue, FieldPath, Order};
use trailkeep_scope::{Allow, ReadScope};
use trailkeep_segment::SealFault;
use trailkeep_testkit::{EventMaker, Random, any_event_json};

use crate::world::{START, World, request, tags};

const QUERIES: [&str; 16] = [
    "",
    "",
    "account_id:account-1",
    "account_id:(account-1 OR account-2) status:>=400",
    "-account_id:account-1",
    "account_id:account-1 -account_id:account-1",
    "category:auth OR outcome:denied",
    "-outcome:success",
    "path:*licenses*",
    "license",
    "\"limit reached\"",
    "metadata.sdk:*",
    "duration:>100ms",
    "clock_skew:true",
    "occurred_at:>=2026-01-01",
    "nothing-has-this-word",
];

const FIELDS: [&str; 12] = [
    "account_id",
    "action",
    "category",
    "status",
    "actor_id",
    "identity_visible",
    "error_message",
    "path",
    "request_bytes",
    "metadata.sdk",
    "metadata.seats",
    "query_params.page",
];

fn scope(accounts: Option<&[&str]>, categories: Option<&[&str]>) -> ReadScope {
    let allow = |words: Option<&[&str]>| {
        words.map_or(Allow::All, |words| Allow::only(words.iter().copied()))
    };
    ReadScope { accounts: allow(accounts), categories: allow(categories) }
}

fn scopes() -> Vec<ReadScope> {
    let some = ["account-1", "account-3", "acme", "nobody"];
    vec![
        scope(None, None),
        scope(Some(&some), None),
        scope(None, Some(&["auth", "dashboard"])),
        scope(Some(&some), Some(&["api"])),
        scope(Some(&[]), None),
        scope(None, Some(&[])),
    ]
}

/// Returns the values that an entry has.
fn values_of(entry: &Entry, path: &FieldPath) -> BTreeSet<String> {
    match entry.get(path.field()) {
        None => BTreeSet::new(),
        Some(ValueRef::Text(text)) => BTreeSet::from([text.to_owned()]),
        Some(ValueRef::Int(int)) => BTreeSet::from([int.to_string()]),
        Some(ValueRef::Bool(truth)) => BTreeSet::from([truth.to_string()]),
        Some(ValueRef::Json(json)) => {
            let tree: serde_json::Value = serde_json::from_str(json).unwrap();
            let at = path.member().iter().try_fold(&tree, |tree, key| tree.get(key));
            match at {
                None | Some(serde_json::Value::Null) => BTreeSet::new(),
                Some(serde_json::Value::String(text)) => BTreeSet::from([text.clone()]),
                Some(other) => BTreeSet::from([other.to_string()]),
            }
        }
        Some(other) => panic!("no value to count: {other:?}"),
    }
}

/// Counts the values, the most frequent first.
fn counted(entries: &[Entry], path: &FieldPath, prefix: &str) -> (Vec<FacetValue>, u64) {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut missing = 0;
    for entry in entries {
        let values = values_of(entry, path);
        missing += u64::from(values.is_empty());
        for value in values.into_iter().filter(|value| value.to_lowercase().starts_with(prefix)) {
            *counts.entry(value).or_default() += 1;
        }
    }
    let mut values: Vec<FacetValue> =
        counts.into_iter().map(|(value, count)| FacetValue { value, count }).collect();
    values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    (values, missing)
}

/// Compares a list, its total, facets and completions with what they must be.
fn check(
    world: &mut World,
    scope: &ReadScope,
    (query, from, to): (&str, Option<i64>, Option<i64>),
    limit: usize,
) {
    let place = format!("`{query}` {from:?} {to:?} {scope:?}");
    let window = (from.map(Micros), to.map(Micros));
    let mut expected = Vec::new();
    for order in [Order::Ascending, Order::Descending] {
        let mut request = request(query, order, limit);
        (request.from, request.to) = window;
        expected = world.expected(scope, &request);
        let (entries, totals) = world.walk(scope, &request, |_, _| {});
        assert_eq!(tags(&entries), tags(&expected), "{place}");
        assert_eq!(entries, expected, "{place}");
        let total = u64::try_from(expected.len()).unwrap();
        assert!(totals.iter().all(|of_page| *of_page == total), "{place}: {totals:?} {total}");
    }
    let fields: Vec<FieldPath> =
        FIELDS.iter().map(|name| FieldPath::parse(name).unwrap()).collect();
    let filter = request(query, Order::Ascending, 1).filter;
    let ask = FacetRequest {
        filter: filter.clone(),
        from: window.0,
        to: window.1,
        fields: fields.clone(),
        limit,
    };
    let facets = world.engine.facets(scope, &ask).unwrap();
    assert_eq!(facets.total, u64::try_from(expected.len()).unwrap(), "{place}");
    for (facet, path) in facets.facets.iter().zip(&fields) {
        let place = format!("{place} {}", path.name());
        let (mut values, missing) = counted(&expected, path, "");
        assert_eq!(
            facet.distinct,
            Distinct::Exactly(u64::try_from(values.len()).unwrap()),
            "{place}"
        );
        let other: u64 = values.iter().skip(limit).map(|value| value.count).sum();
        values.truncate(limit);
        assert_eq!((&facet.path, &facet.values), (path, &values), "{place}");
        assert_eq!((facet.missing, facet.other), (missing, other), "{place}");
    }
    for (name, prefix) in [("actor_id", "USR_1"), ("action", "l"), ("metadata.sdk", "")] {
        let field = FieldPath::parse(name).unwrap();
        let (mut values, _missing) = counted(&expected, &field, &prefix.to_lowercase());
        values.truncate(limit);
        let ask = CompleteRequest {
            field,
            prefix: prefix.to_owned(),
            filter: filter.clone(),
            from: window.0,
            to: window.1,
            limit,
        };
        assert_eq!(world.engine.complete(scope, &ask).unwrap(), values, "{place} {name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Any events, in segments of any size and a tail.
    #[test]
    fn any_shelf(
        seed in 0_u64..1000,
        steps in prop::collection::vec(
            (1_usize..60, prop::collection::vec(any_event_json(), 0..4), 0_u8..5), 1..6
        ),
        query in prop::sample::select(&QUERIES[..]),
        scope in prop::sample::select(scopes()),
        window in (prop::option::of(0_i64..60), prop::option::of(0_i64..90)),
        limit in 1_usize..40,
    ) {
        let mut world = World::new();
        let mut maker = EventMaker::new(seed).with_accounts(6);
        for (n_events, others, then) in steps {
            let mut events: Vec<String> = maker.by_ref().take(n_events).collect();
            events.extend(others.into_iter().map(|event| event.json));
            world.write(&events, START + 30_000_000);
            match then {
                0 => world.seal(),
                1 => {
                    world.seal();
                    world.compact();
                }
                2 => world.seal_with(Some(SealFault { row: 0, field: Field::Status })),
                _ => {}
            }
        }
        let at = |seconds: Option<i64>| seconds.map(|seconds| START + seconds * 1_000_000);
        check(&mut world, &scope, (query, at(window.0), at(window.1)), limit);
        // "An entry is found by its identifier": of the scope alone.
        for entry in &world.entries {
            let found = world.engine.get(&scope, entry.stamp.id).unwrap();
            prop_assert_eq!(found.as_ref(), scope.covers(entry).then_some(entry));
        }
    }
}

/// Segments of several pages, wholly in the window, partly, and beyond the cut of a walk.
#[test]
fn many_pages() {
    let mut world = World::new();
    let mut maker = EventMaker::new(11).with_accounts(7);
    for n_events in [5_000, 2_500, 300] {
        world.write(&maker.by_ref().take(n_events).collect::<Vec<_>>(), START + 3_000_000_000);
        if n_events > 300 {
            world.seal();
        }
    }
    let middle = world.entries[world.entries.len() / 2].view().sort_at().0;
    let mut random = Random::new(5);
    let scopes = scopes();
    for query in QUERIES {
        let window = match random.below(4) {
            0 => (None, None),
            1 => (Some(middle), None),
            2 => (None, Some(middle)),
            _ => (Some(middle - 400_000_000), Some(middle)),
        };
        check(&mut world, random.pick(&scopes), (query, window.0, window.1), 900);
    }
    for entry in world.entries.iter().step_by(97) {
        let found = world.engine.get(&ReadScope::everything(), entry.stamp.id).unwrap();
        assert_eq!(found.as_ref(), Some(entry));
    }
    // A segment that is made between two pages holds rows of both sides of the walk's cut.
    for (order, query) in [(Order::Ascending, "-outcome:success"), (Order::Descending, "")] {
        let request = request(query, order, 3_000);
        let scope = ReadScope::everything();
        let expected = world.expected(&scope, &request);
        let (entries, totals) = world.walk(&scope, &request, |world, _n_pages| {
            let events: Vec<String> = maker.by_ref().take(200).collect();
            world.write(&events, START + 3_000_000_000);
            world.seal();
            world.compact();
        });
        assert_eq!(tags(&entries), tags(&expected), "{order:?}");
        assert!(totals.iter().all(|total| usize::try_from(*total).unwrap() == expected.len()));
    }
}

/// Names are those of fields, and of members that entries in the scope have.
#[test]
fn names_are_completed() {
    let mut world = World::new();
    let event = |account: &str, metadata: &str| {
        format!(
            "{{\"account_id\":\"{account}\",\"action\":\"a.b\",\"occurred_at\":\
             \"2026-01-01T00:00:00Z\",\"metadata\":{metadata}}}"
        )
    };
    world.write(
        &[
            event("acme", "{\"plan\":{\"seats\":1,\"old name\":[true,{\"x\":null}]}}"),
            event("acme", "{\"plan\":{\"seats\":2},\"sdk\":\"js\"}"),
            event("globex", "{\"secret\":1}"),
        ],
        START,
    );
    for sealed in [false, true] {
        if sealed {
            world.seal();
        }
        let acme = scope(Some(&["acme"]), None);
        let complete =
            |scope: &ReadScope, prefix: &str| world.engine.complete_fields(scope, prefix).unwrap();
        let members = ["metadata.plan.seats", "metadata.plan.\"old name\"", "metadata.sdk"];
        assert_eq!(complete(&acme, "metadata."), members, "sealed: {sealed}");
        assert_eq!(complete(&acme, "metadata.p"), members[..2]);
        assert_eq!(complete(&acme, "stat"), ["status"]);
        let all: Vec<&str> = Field::ALL.iter().map(|field| field.name()).chain(members).collect();
        assert_eq!(complete(&acme, ""), all);
        let everything = ReadScope::everything();
        assert_eq!(complete(&everything, "metadata.se"), ["metadata.secret"]);
        assert!(complete(&everything, "x").is_empty());
    }
}
