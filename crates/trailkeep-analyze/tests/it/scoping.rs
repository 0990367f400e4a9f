//! What is outside the scope changes no byte of an answer.

use std::fmt::Write;

use trailkeep_analyze::{Analyzer, GroupBy, HistogramRequest};
use trailkeep_filter::Filter;
use trailkeep_scope::{Allow, ReadScope};
use trailkeep_testkit::EventMaker;

use crate::world::{OPTIONS, START, World, request};

const FILTERS: [&str; 4] = ["", "status:>=400", "account:account-1", "account:account-2"];

const STATEMENTS: &[&str] = &[
    "SELECT count(*), min(occurred_at), max(created_at), count(DISTINCT ip) FROM events",
    "SELECT account_id, count(*), avg(duration_us), stddev(duration_us) FROM events GROUP BY 1",
    "SELECT action, occurred_at, seq FROM events LIMIT 20",
    "SELECT action, path FROM events ORDER BY status LIMIT 20",
    "SELECT * FROM (SELECT action, ip, user_agent FROM events LIMIT 5) AS few",
    "SELECT metadata['sdk'], sum(CAST(metadata['seats'] AS DOUBLE) / 3) FROM events GROUP BY 1",
    "SELECT count(*) FROM events a JOIN events b ON a.actor_id = b.actor_id",
    "SELECT DISTINCT account_id FROM events WHERE account_id <> 'account-1'",
    "SELECT count(*) FROM events WHERE account_id = 'account-2'",
    "SELECT nothing FROM events",
    "SELECT CAST(account_id AS BIGINT) FROM events",
];

/// Everything that can be asked, as one text.
fn answers(analyzer: &Analyzer, scope: &ReadScope) -> String {
    let mut out = String::new();
    for q in FILTERS {
        for group_by in
            [&[][..], &["account_id"], &["occurred_at:1d", "category"], &["metadata.sdk"]]
        {
            let metrics = [
                "count",
                "estimated",
                "count_distinct ip",
                "avg metadata.seats",
                "p95 duration_ms",
            ];
            let found = analyzer.aggregate(scope, &request(q, group_by, &metrics)).unwrap();
            writeln!(out, "{}", serde_json::to_string(&found).unwrap()).unwrap();
        }
        for split in [None, Some("account_id"), Some("outcome")] {
            let request = HistogramRequest {
                filter: Filter::parse(q).unwrap(),
                from: None,
                to: None,
                step: None,
                split: split.map(|name| GroupBy::parse(name).unwrap()),
                limit: 2,
            };
            let found = analyzer.histogram(scope, &request).unwrap();
            writeln!(out, "{}", serde_json::to_string(&found).unwrap()).unwrap();
        }
    }
    for text in STATEMENTS {
        match analyzer.sql(scope, text) {
            Ok(table) => writeln!(out, "{}", serde_json::to_string(&table).unwrap()).unwrap(),
            Err(error) => writeln!(out, "{error}").unwrap(),
        }
    }
    out
}

#[test]
fn a_store_with_other_accounts_answers_as_one_without_them() {
    // The accounts that are not in scope are older, more, and in other segments, too.
    let mut lines: Vec<String> = EventMaker::new(5).with_step(30_000_000).take(1500).collect();
    let early = trailkeep_event::Micros(START - 90 * 86_400_000_000);
    let others = EventMaker::new(9).starting_at(early).with_step(900_000_000);
    lines.extend(others.take(1500).filter(|line| !in_scope(line)));
    let whole = World::of(&lines);
    let kept: Vec<String> = lines.iter().filter(|line| in_scope(line)).cloned().collect();
    let alone = World::of(&kept);
    let scope =
        ReadScope { accounts: Allow::only(["account-1", "account-3"]), categories: Allow::All };
    let expected = answers(&alone.analyzer(OPTIONS), &ReadScope::everything());
    assert_eq!(answers(&alone.analyzer(OPTIONS), &scope), expected);
    assert_eq!(answers(&whole.analyzer(OPTIONS), &scope), expected);
    assert!(!expected.contains("account-0") && expected.contains("account-3"));
}

fn in_scope(line: &str) -> bool {
    line.contains("\"account-1\"") || line.contains("\"account-3\"")
}

#[test]
fn categories_outside_the_scope_do_not_exist() {
    let world = World::made(800);
    let scope = ReadScope { accounts: Allow::All, categories: Allow::only(["auth"]) };
    let analyzer = world.analyzer(OPTIONS);
    let found = analyzer.aggregate(&scope, &request("", &["category"], &["count"])).unwrap();
    assert_eq!(found.groups, 1);
    let table = analyzer.sql(&scope, "SELECT DISTINCT category FROM events").unwrap();
    assert_eq!(serde_json::to_string(&table.items).unwrap(), r#"[["auth"]]"#);
    let counted = analyzer.sql(&scope, "SELECT count(*) FROM events").unwrap();
    assert_eq!(serde_json::to_value(&counted.items[0][0]).unwrap(), found.rows);
}
