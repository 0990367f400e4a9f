//! SQL: what it answers, and what it refuses.

use serde_json::Value;
use trailkeep_analyze::{Error, Table};
use trailkeep_scope::ReadScope;

use crate::naive;
use crate::world::{OPTIONS, World, ordered, request};

fn run(world: &World, text: &str) -> Result<Table, Error> {
    world.analyzer(OPTIONS).sql(&ReadScope::everything(), text)
}

fn lines(table: &Table) -> Vec<String> {
    table.items.iter().map(|row| serde_json::to_string(row).unwrap()).collect()
}

#[test]
fn statements_and_aggregates_agree() {
    let world = World::made(3000);
    let cases = [
        (
            "SELECT outcome, count(*), sum(coalesce(sample_rate, 1)), count(error_code), \
             count(DISTINCT actor_id) FROM events GROUP BY outcome ORDER BY 1",
            "",
            &["outcome"][..],
            &["count", "estimated", "count error_code", "count_distinct actor_id"][..],
        ),
        (
            "SELECT route, status, sum(duration_us), avg(duration_us), min(duration_us), \
             max(duration_us), median(duration_us) FROM events WHERE category = 'api' \
             GROUP BY route, status ORDER BY 1, 2",
            "category:api",
            &["route", "status"],
            &[
                "sum duration_us",
                "avg duration_us",
                "min duration_us",
                "max duration_us",
                "p50 duration_us",
            ],
        ),
        (
            "SELECT metadata['sdk'], sum(CAST(member(metadata, 'seats') AS BIGINT)) FROM events \
             GROUP BY 1 ORDER BY 1",
            "",
            &["metadata.sdk"],
            &["sum metadata.seats"],
        ),
        (
            "SELECT date_trunc('hour', occurred_at) AS hour, count(*) FROM events \
             WHERE account_id IN ('account-0', 'account-3') GROUP BY hour ORDER BY hour",
            "account:(account-0 OR account-3)",
            &["occurred_at:1h"],
            &["count"],
        ),
        (
            "SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_us) FROM events \
             WHERE occurred_at < '2026-01-02T00:00:00Z' AND account_id = 'account-1'",
            "account:account-1 occurred:<2026-01-02",
            &[],
            &["p95 duration_us"],
        ),
    ];
    for (text, q, group_by, metrics) in cases {
        let table = run(&world, text).unwrap();
        let request = ordered(request(q, group_by, metrics), group_by);
        let aggregate =
            world.analyzer(OPTIONS).aggregate(&ReadScope::everything(), &request).unwrap();
        assert!(!table.items.is_empty(), "{text}");
        assert_eq!(table.items.len(), aggregate.table.items.len(), "{text}");
        for (row, expected) in table.items.iter().zip(&aggregate.table.items) {
            // The engine's percentiles of integers are rounded.
            let alike = row.iter().zip(expected).all(|(cell, expected)| {
                let (cell, expected) =
                    (serde_json::to_value(cell).unwrap(), serde_json::to_value(expected).unwrap());
                match (cell.as_f64(), expected.as_f64()) {
                    (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * b.abs(),
                    _ => cell == expected,
                }
            });
            assert!(alike, "{text} {row:?} {expected:?}");
        }
    }
}

#[test]
fn every_field_is_a_column_and_every_entry_a_row() {
    let world = World::made(200);
    let table = run(&world, "SELECT * FROM events").unwrap();
    assert_eq!(table.items.len(), 200);
    let mut found: Vec<Vec<Value>> = table
        .items
        .iter()
        .map(|row| row.iter().map(|cell| serde_json::to_value(cell).unwrap()).collect())
        .collect();
    let mut expected: Vec<Vec<Value>> = world
        .entries
        .iter()
        .map(|entry| {
            let value = |column: &trailkeep_analyze::Column| naive::value(entry, &column.name);
            table.columns.iter().map(value).collect()
        })
        .collect();
    found.sort_by_key(|row| naive::key(row));
    expected.sort_by_key(|row| naive::key(row));
    assert_eq!(found, expected);
}

#[test]
fn rows_have_one_order_and_are_bounded() {
    let world = World::made(500);
    let sorted = run(&world, "SELECT resource_id, action FROM events").unwrap();
    assert!(lines(&sorted).iter().all(|line| !line.is_empty()));
    assert!(
        sorted.items.is_sorted_by(|a, b| a[0].compare(&b[0]).then(a[1].compare(&b[1])).is_le())
    );
    let first = run(&world, "SELECT resource_id, action FROM events LIMIT 7 OFFSET 3").unwrap();
    assert_eq!(lines(&first), lines(&sorted)[3..10]);
    let text =
        "SELECT resource_id FROM events ORDER BY status DESC NULLS LAST, occurred_at LIMIT 5";
    assert_eq!(run(&world, text).unwrap().items.len(), 5);
    let inner = "SELECT count(*) FROM (SELECT action FROM events LIMIT 3) AS few";
    assert_eq!(lines(&run(&world, inner).unwrap()), ["[3]"]);
    let mut options = OPTIONS;
    options.rows_max = 10;
    let cut = world.analyzer(options).sql(&ReadScope::everything(), "SELECT action FROM events");
    let cut = cut.unwrap();
    assert_eq!((cut.items.len(), cut.truncated), (10, true));
    assert_eq!(lines(&run(&World::new(), "SELECT count(*) FROM events").unwrap()), ["[0]"]);
}

#[test]
fn joins_common_tables_windows_and_the_clock_work() {
    let world = World::made(300);
    let cases = [
        (
            "WITH failed AS (SELECT account_id, count(*) AS n FROM events WHERE outcome = 'failure' \
             GROUP BY 1) SELECT count(*) FROM failed JOIN events USING (account_id)",
            None,
        ),
        (
            "SELECT account_id, rank() OVER (ORDER BY count(*) DESC, account_id) FROM events \
             GROUP BY account_id",
            None,
        ),
        (
            "SELECT count(*) > 0 FROM events WHERE occurred_at > now() - interval '365 days'",
            Some("[true]"),
        ),
        ("SELECT now() AS at", Some(r#"["2027-01-01T00:00:00.000Z"]"#)),
        (
            "SELECT 1.5 * 2, 'x', NULL, DATE '2026-01-31'",
            Some(r#"[3,"x",null,"2026-01-31T00:00:00.000Z"]"#),
        ),
        ("SELECT action FROM events WHERE 1 = 0 UNION ALL SELECT 'x'", Some(r#"["x"]"#)),
        (
            "SELECT count(*) FROM events WHERE path LIKE '/api/%' AND regexp_like(path, '^/api/v[0-9]')",
            None,
        ),
        (
            "SELECT extract(hour FROM occurred_at), substring(action, 1, 3) FROM events LIMIT 1",
            None,
        ),
    ];
    for (text, expected) in cases {
        let found = run(&world, text).unwrap_or_else(|error| panic!("{text}: {error}"));
        if let Some(expected) = expected {
            assert_eq!(lines(&found), [expected], "{text}");
        }
        assert!(!found.items.is_empty(), "{text}");
    }
}

#[test]
fn what_is_not_allowed_is_named() {
    let world = World::made(10);
    let cases = [
        ("", "an empty statement"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("INSERT INTO events VALUES (1)", "any statement but a SELECT"),
        ("DELETE FROM events", "any statement but a SELECT"),
        ("UPDATE events SET action = 'x'", "any statement but a SELECT"),
        ("DROP TABLE events", "any statement but a SELECT"),
        ("CREATE TABLE t AS SELECT * FROM events", "any statement but a SELECT"),
        ("CREATE VIEW v AS SELECT 1", "any statement but a SELECT"),
        (
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
            "any statement but a SELECT",
        ),
        ("COPY events TO '/tmp/x'", "any statement but a SELECT"),
        ("COPY (SELECT 1) TO 'x.parquet'", "any statement but a SELECT"),
        ("SET datafusion.execution.batch_size = 1", "any statement but a SELECT"),
        ("SHOW TABLES", "any statement but a SELECT"),
        ("SHOW ALL", "any statement but a SELECT"),
        ("EXPLAIN SELECT 1", "any statement but a SELECT"),
        ("EXPLAIN ANALYZE SELECT * FROM events", "any statement but a SELECT"),
        ("DESCRIBE events", "any statement but a SELECT"),
        ("PREPARE p AS SELECT 1", "any statement but a SELECT"),
        ("BEGIN", "any statement but a SELECT"),
        ("VALUES (1)", "VALUES"),
        ("SELECT * INTO t FROM events", "INTO"),
        ("SELECT * FROM events FOR UPDATE", "FOR"),
        (
            "WITH RECURSIVE n AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT * FROM n",
            "WITH RECURSIVE",
        ),
        ("SELECT * FROM information_schema.tables", "the table `information_schema.tables`"),
        ("SELECT * FROM '/etc/passwd'", "the table `/etc/passwd`"),
        ("SELECT * FROM \"x.parquet\"", "the table `x.parquet`"),
        ("SELECT * FROM pg_catalog.pg_class", "the table `pg_catalog.pg_class`"),
        ("SELECT * FROM other.events", "the table `other.events`"),
        ("SELECT * FROM events WHERE action IN (SELECT a FROM secrets)", "the table `secrets`"),
        ("SELECT * FROM generate_series(1, 1000000000)", "the table function `generate_series`"),
        ("SELECT * FROM read_csv('/etc/passwd')", "the table function `read_csv`"),
        ("SELECT * FROM UNNEST([1, 2])", "a table function"),
        ("SELECT version()", "the function `version`"),
        ("SELECT random()", "the function `random`"),
        ("SELECT repeat('x', 1000000000)", "the function `repeat`"),
        ("SELECT concat(action, action) FROM events", "the function `concat`"),
        ("SELECT action || action FROM events", "the operator `||`"),
        ("SELECT array_agg(action) FROM events", "the function `array_agg`"),
        ("SELECT input_file_name() FROM events", "the function `input_file_name`"),
        ("SELECT arrow_typeof(action) FROM events", "the function `arrow_typeof`"),
    ];
    for (text, what) in cases {
        let error = run(&world, text).unwrap_err();
        assert!(matches!(error, Error::NotAllowed { .. }), "{text}: {error:?}");
        assert_eq!(error.to_string(), format!("{what} is not allowed here"), "{text}");
        assert!(error.hint().is_some());
    }
    let long = format!("SELECT {}", "1 + ".repeat(10_000));
    assert!(matches!(run(&world, &long).unwrap_err(), Error::NotAllowed { .. }));
}

#[test]
fn what_is_not_understood_is_said() {
    let world = World::made(10);
    let cases = [
        "SELEC 1",
        "SELECT nothing FROM events",
        "SELECT CAST(action AS BIGINT) FROM events",
        "SELECT 1 / 0 FROM events",
        "SELECT [1, 2]",
        "SELECT member(metadata, action) FROM events",
        "SELECT member(metadata, '..') FROM events",
        "SELECT sum(action) FROM events",
        "SELECT $1",
    ];
    for text in cases {
        let error = run(&world, text).unwrap_err();
        assert!(matches!(error, Error::Statement { .. }), "{text}: {error:?}");
        assert!(!error.to_string().contains("datafusion"), "{error}");
    }
    // As deep and as long as it may be: an answer or an error, and no overflow.
    let deep = format!("SELECT {}1{}", "(".repeat(900), ")".repeat(900));
    assert!(run(&world, &deep).is_err());
    for wide in [
        format!("SELECT 1{}", " + 1".repeat(990)),
        format!("SELECT status{} FROM events", " + status".repeat(990)),
        format!("SELECT 1 WHERE 1 = 1{}", " OR 1 = 2".repeat(490)),
        format!("SELECT count(*) FROM events WHERE status = 1{}", " OR seq = 2".repeat(490)),
        format!("SELECT {}1", "- ".repeat(1900)),
    ] {
        let found = run(&world, &wide);
        assert!(matches!(found, Ok(_) | Err(Error::Statement { .. })), "{wide}: {found:?}");
    }
    let long = format!("SELECT 1{}", " + 1".repeat(1000));
    assert!(matches!(run(&world, &long).unwrap_err(), Error::NotAllowed { .. }));
}
