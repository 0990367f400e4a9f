//! Aggregates against the same made slowly.

use trailkeep_analyze::{Aggregate, AggregateRequest, Cell};
use trailkeep_event::{Entry, Micros};
use trailkeep_filter::Filter;
use trailkeep_scope::ReadScope;

use crate::naive;
use crate::world::{OPTIONS, START, World, ordered, request};

fn run(world: &World, request: &AggregateRequest) -> Aggregate {
    world.analyzer(OPTIONS).aggregate(&ReadScope::everything(), request).unwrap()
}

fn matching<'a>(world: &'a World, q: &str) -> Vec<&'a Entry> {
    let filter = Filter::parse(q).unwrap();
    world.entries.iter().filter(|entry| filter.matches(*entry)).collect()
}

/// Checks every group and the totals.
fn check(world: &World, q: &str, group_by: &[&str], metrics: &[&str]) {
    let found = run(world, &request(q, group_by, metrics));
    let entries = matching(world, q);
    let expected = naive::aggregate(&entries, group_by, metrics);
    let what = format!("{q} {group_by:?} {metrics:?}");
    assert_eq!(found.table.items.len(), expected.len(), "{what}");
    assert_eq!(found.groups, expected.len(), "{what}");
    assert_eq!(found.rows, u64::try_from(entries.len()).unwrap(), "{what}");
    let estimated: u64 = entries.iter().map(|entry| naive::weight(entry)).sum();
    assert_eq!(found.estimated, estimated, "{what}");
    for row in &found.table.items {
        let keys: Vec<serde_json::Value> =
            row[..group_by.len()].iter().map(|cell| serde_json::to_value(cell).unwrap()).collect();
        let expected = &expected[&naive::key(&keys)];
        for ((cell, value), column) in row.iter().zip(expected).zip(&found.table.columns) {
            assert!(naive::is(cell, value), "{what} {}: {cell:?} {value}", column.name);
            assert!(column.exact);
        }
    }
}

const EVERY_METRIC: &[&str] = &[
    "count",
    "estimated",
    "count error_code",
    "count_distinct actor_id",
    "count_distinct metadata.sdk",
    "sum duration_ms",
    "avg duration_ms",
    "min duration_us",
    "max duration_ms",
    "p50 duration_ms",
    "p95 duration_ms",
    "p99 request_bytes",
    "sum metadata.seats",
    "avg metadata.seats",
    "max metadata.seats",
];

#[test]
fn every_function_agrees_with_plain_evaluation() {
    let world = World::made(3000);
    let groups: &[&[&str]] = &[
        &[],
        &["outcome"],
        &["status"],
        &["customer_visible"],
        &["metadata.sdk"],
        &["metadata.mfa"],
        &["occurred_at:1h"],
        &["occurred_at:7d", "category"],
        &["account_id", "status", "error_code"],
        &["category", "severity", "method", "route"],
        &["metadata"],
    ];
    for group_by in groups {
        for q in ["", "category:blocked", "status:>=400 -account:account-1", "nothing:\"\" OR x"] {
            if Filter::parse(q).is_ok() {
                check(&world, q, group_by, EVERY_METRIC);
            }
        }
    }
    let times = ["min occurred_at", "max created_at", "count_distinct occurred_at", "count id"];
    check(&world, "", &["category"], &times);
    check(&world, "", &["occurred_at"], &["count"]);
    check(&world, "account:nobody", &["category"], EVERY_METRIC);
    check(&world, "account:nobody", &[], EVERY_METRIC);
    check(&World::new(), "", &[], EVERY_METRIC);
}

#[test]
fn the_reports_that_operators_ask_for_are_aggregates() {
    let world = World::made(2000);
    let blocked = "category:blocked";
    let reports: &[(&str, &[&str], &[&str])] = &[
        // R256: the most used endpoints
        ("category:api", &["route", "occurred_at:7d"], &["count", "estimated"]),
        // R258: versions of SDKs
        ("", &["metadata.sdk"], &["count", "count_distinct account_id"]),
        // R301, R304: failures by error, and by customer, address and user agent
        ("outcome:failure", &["error_code"], &["count"]),
        ("outcome:failure", &["error_message", "account_id", "ip", "user_agent"], &["count"]),
        // R303: the share of failed logins in a window
        ("category:auth occurred:2026-01-01", &["outcome"], &["count", "estimated"]),
        // R323, R325, R326: error rates by version and over time
        ("", &["api_version", "outcome"], &["count"]),
        ("", &["occurred_at:5m", "outcome"], &["count"]),
        ("", &["occurred_at:1d", "outcome"], &["count", "p95 duration_ms"]),
        // R363, R367, R368: an attack, its reasons and its addresses, by the day
        (blocked, &["block_reason"], &["count", "count_distinct ip"]),
        (blocked, &["occurred_at:1d"], &["count", "count_distinct ip"]),
        // R369: high threat scores
        ("block_threat_score:>=80", &["block_rule_id"], &["count", "max block_threat_score"]),
        // R371, R372: where it comes from, and whom to ban
        (blocked, &["country"], &["count"]),
        (blocked, &["ip"], &["count", "min occurred_at", "max occurred_at"]),
    ];
    for (q, group_by, metrics) in reports {
        check(&world, q, group_by, metrics);
    }
}

#[test]
fn groups_come_in_the_order_that_was_asked_for_and_ties_by_their_values() {
    let world = World::made(900);
    let lines = |request: &AggregateRequest| -> Vec<String> {
        run(&world, request)
            .table
            .items
            .iter()
            .map(|row| serde_json::to_string(row).unwrap())
            .collect()
    };
    let by_count = lines(&request("", &["error_code", "outcome"], &["count"]));
    let mut expected: Vec<(i64, String)> =
        naive::aggregate(&matching(&world, ""), &["error_code", "outcome"], &["count"])
            .into_values()
            .map(|row| (-row[2].as_i64().unwrap(), serde_json::to_string(&row).unwrap()))
            .collect();
    expected.sort();
    assert_eq!(by_count.len(), expected.len());
    assert_eq!(by_count[0], expected[0].1);
    let days = run(&world, &request("", &["occurred_at:1d", "outcome"], &["count"]));
    assert!(days.table.items.is_sorted_by(|a, b| a[0].compare(&b[0]).is_le()));
    // Absent values come last in both directions.
    for order in ["error_code", "-error_code"] {
        let request = ordered(request("", &["error_code"], &["count"]), &[order]);
        assert_eq!(run(&world, &request).table.items.last().unwrap()[0], Cell::Null, "{order}");
    }
    let cut = AggregateRequest { limit: 2, ..request("", &["account_id"], &["count"]) };
    let found = run(&world, &cut);
    assert_eq!((found.table.items.len(), found.groups, found.table.truncated), (2, 5, true));
    assert_eq!(found.rows, 900);
}

#[test]
fn a_window_is_over_the_time_that_lists_sort_by() {
    let mut world = World::new();
    let event = |at: i64, tag: &str| {
        let at = Micros(START + at);
        format!(r#"{{"account_id":"a","action":"x","occurred_at":"{at}","resource_id":"{tag}"}}"#)
    };
    // The third is a year ahead of us: lists show it when it was admitted.
    world.write(&[event(0, "first"), event(10, "second"), event(365 * 86_400_000_000, "third")]);
    for sealed in [false, true] {
        if sealed {
            world.seal();
        }
        let mut asked = request("", &["resource_id"], &["count"]);
        asked.from = Some(Micros(START + 10));
        asked.to = Some(Micros(START + 300 * 86_400_000_000));
        let found = run(&world, &asked);
        let tags: Vec<&Cell> = found.table.items.iter().map(|row| &row[0]).collect();
        assert_eq!(tags, [&Cell::Text("second".into()), &Cell::Text("third".into())]);
        asked.to = Some(Micros(START + 10));
        assert_eq!(run(&world, &asked).rows, 0);
    }
}

#[test]
fn many_values_are_within_one_percent_and_the_answer_says_so() {
    let lines: Vec<String> = (0..12_000_i64)
        .map(|n| {
            let at = Micros(START + n * 1000);
            let duration = (n * 7919) % 10_007;
            format!(
                r#"{{"account_id":"a","action":"x","occurred_at":"{at}","duration_us":{duration}}}"#
            )
        })
        .collect();
    let world = World::of(&lines);
    let metrics = ["p50 duration_us", "p95 duration_us", "count_distinct duration_us"];
    let found = run(&world, &request("", &[], &metrics));
    let exact: Vec<bool> = found.table.columns.iter().map(|column| column.exact).collect();
    assert_eq!(exact, [false, false, true]);
    let expected = naive::aggregate(&matching(&world, ""), &[], &metrics);
    for (cell, value) in found.table.items[0].iter().zip(expected.values().next().unwrap()) {
        let (cell, value) = (serde_json::to_value(cell).unwrap(), value.as_f64().unwrap());
        assert!((cell.as_f64().unwrap() - value).abs() <= value * 0.01, "{cell} {value}");
    }
}

#[test]
fn requests_that_ask_for_too_much_are_refused() {
    let world = World::new();
    let analyzer = world.analyzer(OPTIONS);
    let route = &["route", "status", "outcome", "category", "method"];
    let cases = [
        (request("", route, &["count"]), "an aggregate has at most 4 groups"),
        (request("", &["route"], &[]), "an aggregate has at least one metric and at most 16"),
        (
            ordered(request("", &["route"], &["count"]), &["-p95(duration_ms)"]),
            "`p95(duration_ms)` is no column to order by; there are `route`, `count`",
        ),
    ];
    for (request, message) in cases {
        let error = analyzer.aggregate(&ReadScope::everything(), &request).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}
