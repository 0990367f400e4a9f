//! Figures of a data set, asked of a server as an aggregate and as SQL.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use trailkeep_client::Client;

use crate::server::{Server, write};

/// More groups than any figure has.
const GROUPS_MAX: usize = 10_000;
const TIMEOUT: Duration = Duration::from_mins(1);

/// A server over imported data.
pub(crate) struct Figures {
    client: Client,
    _server: Server,
}

/// A list of values and their counts, and where it is found.
pub(crate) struct Top<'a> {
    /// The field as aggregates name it, and as SQL does.
    pub(crate) field: &'a str,
    pub(crate) column: &'a str,
    /// Which entries count, as a filter and as SQL.
    pub(crate) q: &'a str,
    pub(crate) condition: &'a str,
}

/// What all entries have in a field.
pub(crate) const ALL: Top<'static> = Top { field: "", column: "", q: "", condition: "true" };

type Pair = (Value, u64);

impl Figures {
    /// Serves what lies in `<folder>/d`.
    pub(crate) fn of(folder: &Path) -> Self {
        write(&folder.join("sql.toml"), "[analyze]\nsql = true\n");
        let server = Server::start_with(folder, &["--data", "d", "--config", "sql.toml"]);
        Self { client: server.client(), _server: server }
    }

    fn ask(&self, path: &str, body: &Value) -> Vec<Vec<Value>> {
        let answer = self.client.post(path, body.to_string().as_bytes(), TIMEOUT);
        let answer = answer.unwrap_or_else(|error| panic!("{error}: {body}"));
        let mut answer: Value = serde_json::from_slice(&answer).unwrap();
        serde_json::from_value(answer["items"].take()).unwrap()
    }

    fn sql(&self, text: &str) -> Vec<Vec<Value>> {
        self.ask("/api/v1/sql", &json!({ "sql": text }))
    }

    fn aggregate(
        &self,
        q: &str,
        group_by: &[&str],
        metric: &Value,
        limit: usize,
    ) -> Vec<Vec<Value>> {
        let body = json!({
            "filter": { "account_id": "a", "q": q },
            "group_by": group_by,
            "metrics": [metric],
            "limit": limit,
        });
        self.ask("/api/v1/events/aggregate", &body)
    }

    /// Checks a single figure: of a metric over what a filter finds, and of a statement.
    #[track_caller]
    pub(crate) fn one(&self, q: &str, metric: &Value, sql: &str, truth: &Value) {
        let found = self.aggregate(q, &[], metric, 1);
        assert_eq!(found, [[truth.clone()]], "{q} {metric}");
        let text = format!("SELECT {sql} AS figure FROM events WHERE account_id = 'a'");
        assert_eq!(self.sql(&text), [[truth.clone()]], "{text}");
    }

    /// Checks how many entries there are of a kind.
    #[track_caller]
    pub(crate) fn counts(&self, q: &str, condition: &str, truth: &Value) {
        let sql = format!("sum(CASE WHEN {condition} THEN 1 ELSE 0 END)");
        self.one(q, &json!({ "fn": "count" }), &sql, truth);
    }

    /// Checks a list of the most frequent values: at its end any of those that are as frequent.
    #[track_caller]
    pub(crate) fn top(&self, top: &Top<'_>, truth: &Value) {
        let truth: Vec<Pair> = serde_json::from_value(truth.clone()).unwrap();
        self.pairs(top, &truth);
    }

    /// The same, for values that are written differently here than there.
    #[track_caller]
    pub(crate) fn top_as(&self, top: &Top<'_>, truth: &Value, written: impl Fn(&str) -> String) {
        let truth: Vec<(String, u64)> = serde_json::from_value(truth.clone()).unwrap();
        let truth: Vec<Pair> =
            truth.iter().map(|(value, count)| (json!(written(value)), *count)).collect();
        self.pairs(top, &truth);
    }

    /// Checks how many entries there are in each hour or day, in the order of time; `start` is how
    /// answers write what the list writes.
    #[track_caller]
    pub(crate) fn times(
        &self,
        (step, unit): (&str, &str),
        truth: &Value,
        start: fn(&str) -> String,
    ) {
        let truth: Vec<(String, u64)> = serde_json::from_value(truth.clone()).unwrap();
        let expected: Vec<Pair> =
            truth.iter().map(|(time, count)| (json!(start(time)), *count)).collect();
        let count = json!({ "fn": "count" });
        let group = format!("occurred_at:{step}");
        let found = self.aggregate("", &[&group], &count, GROUPS_MAX);
        assert_eq!(pairs(&found), expected);
        let text = format!(
            "SELECT date_trunc('{unit}', occurred_at) AS v, count(*) AS n FROM events \
             WHERE account_id = 'a' GROUP BY v ORDER BY v"
        );
        assert_eq!(pairs(&self.sql(&text)), expected);
    }

    /// Checks how many entries the fullest second has.
    #[track_caller]
    pub(crate) fn busiest_second(&self, truth: &Value) {
        let count = json!({ "fn": "count" });
        let found = self.aggregate("", &["occurred_at:1s"], &count, GROUPS_MAX);
        assert_eq!(pairs(&found).iter().map(|pair| pair.1).max(), truth.as_u64());
        let busiest = "SELECT max(n) AS v FROM (SELECT count(*) AS n FROM events \
            WHERE account_id = 'a' GROUP BY date_trunc('second', occurred_at)) AS seconds";
        assert_eq!(self.sql(busiest), [[truth.clone()]]);
    }

    #[track_caller]
    fn pairs(&self, top: &Top<'_>, truth: &[Pair]) {
        let Top { field, column, q, condition } = top;
        assert!(!truth.is_empty());
        let count = json!({ "fn": "count" });
        let aggregated = |limit| pairs(&self.aggregate(q, &[field], &count, limit));
        check(field, truth, &aggregated(truth.len()), &aggregated(GROUPS_MAX));
        let selected = |limit: usize| {
            pairs(&self.sql(&format!(
                "SELECT {column} AS v, count(*) AS n FROM events WHERE account_id = 'a' \
                 AND {condition} GROUP BY v ORDER BY n DESC, v LIMIT {limit}"
            )))
        };
        check(column, truth, &selected(truth.len()), &selected(GROUPS_MAX));
    }
}

/// Reads groups with their counts. Absent values are what the lists write as `null` or as nothing.
fn pairs(rows: &[Vec<Value>]) -> Vec<Pair> {
    rows.iter().map(|row| (row[0].clone(), row[1].as_u64().unwrap())).collect()
}

/// Compares as sets of value and count.
#[track_caller]
fn check(what: &str, truth: &[Pair], top: &[Pair], all: &[Pair]) {
    let key = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let all: BTreeMap<String, u64> = all.iter().map(|(value, n)| (key(value), *n)).collect();
    let counts = |pairs: &[Pair]| pairs.iter().map(|pair| pair.1).collect::<Vec<_>>();
    assert_eq!(counts(top), counts(truth), "{what}");
    let last = truth.last().map_or(0, |pair| pair.1);
    let sure = |pairs: &[Pair]| -> BTreeSet<(String, u64)> {
        let sure = pairs.iter().filter(|pair| pair.1 > last);
        sure.map(|(value, n)| (key(value), *n)).collect()
    };
    assert_eq!(sure(top), sure(truth), "{what}");
    for (value, n) in truth.iter().chain(top) {
        assert_eq!(all.get(&key(value)), Some(n), "{what}: {value}");
    }
}
