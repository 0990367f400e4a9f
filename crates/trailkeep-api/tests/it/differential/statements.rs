//! Statements of SQL that both understand.

use serde_json::{Value, json};

use super::World;
use super::clauses::Maker;
use super::oracle::{lit, long_time};
use super::questions::{Compared, alike};
use crate::store_server::OPERATOR;

/// What the two write differently: a mark, ours, and theirs.
const WRITTEN: &[(&str, &str, &str)] = &[
    ("{hour}", "date_trunc('hour', occurred_at)", "(substr(occurred_at, 1, 13) || ':00:00.000Z')"),
    ("{day}", "date_trunc('day', occurred_at)", "(substr(occurred_at, 1, 10) || 'T00:00:00.000Z')"),
    (
        "{sdk}",
        "metadata['sdk']",
        "(SELECT w.text FROM whole w WHERE w.row = events.row AND w.field = 'metadata' AND w.path = 'sdk')",
    ),
    (
        "{b}",
        "member(metadata, 'a.b')",
        "(SELECT w.text FROM whole w WHERE w.row = events.row AND w.field = 'metadata' AND w.path = 'a.b')",
    ),
    (
        "{z}",
        "metadata['deep']['x']",
        "(SELECT w.text FROM whole w WHERE w.row = events.row AND w.field = 'metadata' AND w.path = 'deep.x')",
    ),
    (
        "{strange}",
        "metadata['strange key']",
        "(SELECT w.text FROM whole w WHERE w.row = events.row AND w.field = 'metadata' AND w.path = 'strange key')",
    ),
    (
        "{seats}",
        "CAST(metadata['seats'] AS DOUBLE)",
        "(SELECT w.num FROM whole w WHERE w.row = events.row AND w.field = 'metadata' AND w.path = 'seats')",
    ),
];
/// Statements: how many columns they have, and their text, where `{if}` is a condition. Columns are
/// `c0` and on.
const SHAPES: &[(usize, &str)] = &[
    (
        4,
        "SELECT {of} AS c0, count(*) AS c1, sum(coalesce(sample_rate, 1)) AS c2, count(DISTINCT {of}) AS c3 FROM events WHERE {if} GROUP BY c0 ORDER BY c1 DESC, c0 NULLS LAST LIMIT 25",
    ),
    (
        5,
        "SELECT seq AS c0, account_id AS c1, status AS c2, lower(method) AS c3, substr(route, 1, 8) AS c4 FROM events WHERE {if} ORDER BY occurred_at DESC, account_id, seq LIMIT 60",
    ),
    (
        3,
        "SELECT account_id AS c0, min(seq) AS c1, max(coalesce(status, 0) / 100) AS c2 FROM events WHERE {if} OR {if} GROUP BY account_id ORDER BY c0",
    ),
    (
        4,
        "WITH per AS (SELECT account_id, count(*) AS n, sum(CASE WHEN outcome = 'failure' THEN 1 ELSE 0 END) AS f FROM events WHERE {if} GROUP BY account_id) SELECT account_id AS c0, n AS c1, f AS c2, f * 100.0 / n AS c3 FROM per WHERE n > 2 ORDER BY c2 DESC, c0",
    ),
    (
        3,
        "SELECT c0, c1, c2 FROM (SELECT account_id AS c0, seq AS c1, row_number() OVER (PARTITION BY account_id ORDER BY occurred_at, seq) AS c2 FROM events WHERE {if}) AS numbered WHERE c2 <= 4 ORDER BY c0, c1",
    ),
    (
        3,
        "SELECT account_id AS c0, seq AS c1, sum(coalesce(duration_us, 0)) OVER (PARTITION BY account_id ORDER BY seq) AS c2 FROM events WHERE {if} ORDER BY c0, c1 LIMIT 80",
    ),
    (
        3,
        "SELECT account_id AS c0, seq AS c1, lag(outcome) OVER (PARTITION BY account_id ORDER BY seq) AS c2 FROM events WHERE {if} ORDER BY c1 DESC, c0 LIMIT 50",
    ),
    (
        1,
        "SELECT route AS c0 FROM events WHERE {if} EXCEPT SELECT route FROM events WHERE {if} ORDER BY c0 NULLS LAST",
    ),
    (
        1,
        "SELECT actor_id AS c0 FROM events WHERE {if} INTERSECT SELECT actor_id FROM events WHERE {if} ORDER BY c0 NULLS LAST",
    ),
    (
        2,
        "SELECT method AS c0, country AS c1 FROM events WHERE {if} UNION SELECT auth_type, city FROM events WHERE {if} ORDER BY c0 NULLS LAST, c1 NULLS LAST",
    ),
    (
        2,
        "SELECT actor_id AS c0, count(*) AS c1 FROM events WHERE actor_id IN (SELECT actor_id FROM events WHERE {if}) GROUP BY actor_id ORDER BY c1 DESC, c0 LIMIT 20",
    ),
    (
        2,
        "SELECT a.account_id AS c0, count(*) AS c1 FROM events AS a JOIN events AS b ON a.account_id = b.account_id AND a.seq = b.seq - 1 WHERE a.outcome = 'failure' AND b.outcome = 'success' GROUP BY a.account_id ORDER BY c0",
    ),
    (
        5,
        "SELECT {hour} AS c0, count(*) AS c1, min(duration_us) AS c2, max(duration_us) AS c3, avg(duration_us) AS c4 FROM events WHERE {if} GROUP BY c0 ORDER BY c0",
    ),
    (
        3,
        "SELECT {day} AS c0, account_id AS c1, count(DISTINCT actor_id) AS c2 FROM events WHERE {if} GROUP BY c0, c1 ORDER BY c0, c1",
    ),
    (
        3,
        "SELECT {sdk} AS c0, sum({seats}) AS c1, count({b}) AS c2 FROM events WHERE {if} GROUP BY c0 ORDER BY c0 NULLS LAST",
    ),
    (
        3,
        "SELECT {z} AS c0, {strange} AS c1, count(*) AS c2 FROM events GROUP BY c0, c1 ORDER BY c2 DESC, c0 NULLS LAST, c1 NULLS LAST",
    ),
    (
        2,
        "SELECT CASE WHEN status >= 500 THEN 'server' WHEN status >= 400 THEN 'client' WHEN status IS NOT NULL THEN 'fine' END AS c0, count(*) AS c1 FROM events WHERE {if} GROUP BY c0 ORDER BY c0 NULLS LAST",
    ),
    (
        2,
        "SELECT country AS c0, avg(request_bytes) AS c1 FROM events WHERE {if} GROUP BY country HAVING count(*) >= 5 ORDER BY c0 NULLS LAST",
    ),
    (
        2,
        "SELECT account_id AS c0, seq AS c1 FROM events WHERE status = 500 AND EXISTS (SELECT 1 FROM events AS other WHERE other.account_id = events.account_id AND other.route = events.route AND other.status = 503) ORDER BY c0, c1 LIMIT 100",
    ),
    (
        3,
        "SELECT count(*) AS c0, count(error_code) AS c1, count(DISTINCT ip) AS c2 FROM events WHERE {if} AND {if}",
    ),
    (
        2,
        "SELECT upper(method) AS c0, abs(coalesce(nullif(status, 200), -1)) AS c1 FROM events WHERE {if} GROUP BY c0, c1 ORDER BY c0 NULLS LAST, c1",
    ),
];
const OF: &[&str] = &[
    "account_id",
    "method",
    "route",
    "country",
    "error_code",
    "status",
    "city",
    "actor_type",
    "{sdk}",
];

impl Maker<'_> {
    fn condition(&mut self) -> String {
        let at = self.row().occurred_us();
        let conditions = [
            "method = 'GET'".to_owned(),
            "status >= 400".to_owned(),
            "status BETWEEN 200 AND 299".to_owned(),
            "route LIKE '/api/%'".to_owned(),
            "path LIKE '%\\_%' ESCAPE '\\'".to_owned(),
            "path NOT LIKE '%a%'".to_owned(),
            "error_code IS NOT NULL".to_owned(),
            "country IN ('DE', 'FR')".to_owned(),
            "NOT (outcome = 'success')".to_owned(),
            "actor_label LIKE '%\u{fc}%'".to_owned(),
            "(sample_rate IS NULL OR sample_rate > 1)".to_owned(),
            "account_id = 'acme'".to_owned(),
            "account_id IN ('Acme', 'beta_1', 'g\u{e4}mma')".to_owned(),
            format!("occurred_at < {}", lit(&long_time(at))),
            format!("occurred_at >= {}", lit(&long_time(at))),
            "duration_us > status * 1000".to_owned(),
            "coalesce(error_retry_count, 0) > 0".to_owned(),
            "customer_visible".to_owned(),
            "intent IS NOT TRUE".to_owned(),
            "category <> 'api'".to_owned(),
            "{sdk} = 'rust'".to_owned(),
            "{seats} > 20".to_owned(),
        ];
        self.random.pick(&conditions).clone()
    }
}

impl World<'_> {
    /// A statement of SQL.
    pub(super) async fn sql(&mut self) -> Compared {
        let mut maker = self.maker();
        let (n_columns, shape) = *maker.random.pick(SHAPES);
        let of = *maker.random.pick(OF);
        let mut text = shape.replace("{of}", of);
        while text.contains("{if}") {
            text = text.replacen("{if}", &maker.condition(), 1);
        }
        self.compared(n_columns, &text).await
    }

    /// Runs one statement by both.
    pub(super) async fn compared(&mut self, n_columns: usize, text: &str) -> Compared {
        let (mut ours, mut theirs) = (text.to_owned(), text.to_owned());
        for (mark, our, their) in WRITTEN {
            (ours, theirs) = (ours.replace(mark, our), theirs.replace(mark, their));
        }
        let columns: Vec<String> = (0..n_columns).map(|number| format!("c{number}")).collect();
        let theirs = format!("SELECT json_array({}) FROM ({theirs})", columns.join(", "));
        let found = self.post(OPERATOR, "/api/v1/sql", &json!({ "sql": ours })).await?;
        let expected = Value::Array(self.oracle.ask(&theirs).await);
        if !alike(&found["items"], &expected) || found["truncated"] != false {
            return Err(format!("sql\n  asked: {ours}\n  found: {found}\n  expected: {expected}"));
        }
        Ok(expected.as_array().is_some_and(|rows| !rows.is_empty()))
    }
}
