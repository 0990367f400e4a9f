//! The same entries in `SQLite`, laid out by what the reference pages say of them: nothing here
//! uses the product's own filters, segments or indexes.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use trailkeep_event::Micros;

/// Fields of text, by the names that they have in filters.
const TEXTS: [&str; 38] = [
    "account_id",
    "action",
    "category",
    "outcome",
    "severity",
    "application_id",
    "application_label",
    "environment_id",
    "method",
    "route",
    "path",
    "auth_type",
    "api_version",
    "error_code",
    "error_category",
    "error_message",
    "error_stack",
    "block_reason",
    "actor_id",
    "actor_type",
    "actor_label",
    "identity_id",
    "session_id",
    "resource_type",
    "resource_id",
    "resource_label",
    "subject_key",
    "ip",
    "country",
    "city",
    "user_agent",
    "source_id",
    "correlation_id",
    "trace_id",
    "instance",
    "reason",
    "environment_label",
    "fingerprint",
];
const INTS: [&str; 9] = [
    "status",
    "duration_us",
    "request_bytes",
    "response_bytes",
    "sample_rate",
    "error_retry_count",
    "block_threat_score",
    "asn",
    "instance_seq",
];
const BOOLS: [&str; 2] = ["intent", "customer_visible"];
const JSONS: [&str; 8] = [
    "metadata",
    "request_body",
    "on_behalf_of",
    "before",
    "after",
    "query_params",
    "error_validation_errors",
    "block_score_parts",
];
/// What a value is looked for in in any case; these have a column `low_...`.
pub(super) const LOOSE: [&str; 4] = ["error_message", "error_stack", "reason", "user_agent"];
/// What words and phrases without a field are looked for in, but for `metadata`.
const SEARCHED: [&str; 21] = [
    "path",
    "action",
    "actor_id",
    "actor_label",
    "resource_id",
    "resource_label",
    "ip",
    "error_code",
    "error_message",
    "account_id",
    "application_id",
    "application_label",
    "environment_id",
    "environment_label",
    "identity_id",
    "session_id",
    "subject_key",
    "source_id",
    "correlation_id",
    "trace_id",
    "fingerprint",
];
/// How far a clock may be ahead.
const AHEAD_MICROS: i64 = 10 * 60 * 1_000_000;
const ROWS_PER_INSERT: usize = 50;

/// An event with what the server added.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) event: Value,
    pub(super) id: String,
    pub(super) seq: u64,
    pub(super) created_us: i64,
}

impl Stored {
    /// Returns a field, those of `error` and `block` too; null is nothing.
    pub(super) fn field(&self, name: &str) -> Option<&Value> {
        let group = name.split_once('_').filter(|(group, _)| ["error", "block"].contains(group));
        let found = match group {
            Some((group, member)) => self.event.get(group)?.get(member)?,
            None => self.event.get(name)?,
        };
        Some(found).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match (name, self.field(name)) {
            ("category", None) => Some("api"),
            ("outcome", None) => Some("unknown"),
            (_, found) => found?.as_str(),
        }
    }

    pub(super) fn int(&self, name: &str) -> Option<i64> {
        if name == "duration_us"
            && let Some(millis) = self.field("duration_ms")
        {
            return format!("{:.0}", millis.as_f64().unwrap() * 1000.0).parse().ok();
        }
        self.field(name)?.as_i64()
    }

    pub(super) fn occurred_us(&self) -> i64 {
        Micros::parse(self.text("occurred_at").unwrap()).unwrap().0
    }

    /// The time that lists sort by.
    pub(super) fn sort_us(&self) -> i64 {
        let occurred = self.occurred_us();
        if occurred > self.created_us + AHEAD_MICROS { self.created_us } else { occurred }
    }

    /// Returns all that stands somewhere in a JSON field.
    pub(super) fn leaves(&self, name: &str) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        if let Some(value) = self.field(name) {
            flatten(value, "", &mut leaves);
        }
        leaves
    }

    /// Returns the texts that words are looked for in.
    pub(super) fn searched(&self) -> Vec<String> {
        let mut texts: Vec<String> =
            SEARCHED.iter().filter_map(|name| self.text(name)).map(str::to_owned).collect();
        if let Some(metadata) = self.field("metadata") {
            words(metadata, &mut texts);
        }
        texts
    }

    /// Returns the name and value of each header.
    pub(super) fn headers(&self) -> Vec<(&str, &str)> {
        let pairs = self.field("headers").and_then(Value::as_array);
        pairs
            .into_iter()
            .flatten()
            .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
            .collect()
    }
}

/// Something in JSON.
#[derive(Debug)]
pub(super) struct Leaf {
    /// The keys that lead to it, with dots between them; lists have none.
    pub(super) path: String,
    /// The text, number or truth value; an object or a list has none.
    pub(super) text: Option<String>,
    number: Option<f64>,
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Returns a value as filters and charts write it: `2.0` is `2`.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 => format!("{float:.0}"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

fn flatten(value: &Value, path: &str, leaves: &mut Vec<Leaf>) {
    let group = Leaf { path: path.to_owned(), text: None, number: None };
    match value {
        Value::Null => {}
        Value::Object(members) => {
            leaves.push(group);
            members.iter().for_each(|(key, value)| flatten(value, &below(path, key), leaves));
        }
        Value::Array(items) => {
            leaves.push(group);
            for item in items {
                flatten(item, path, leaves);
            }
        }
        scalar => {
            let text = written(scalar);
            let number = if scalar.is_boolean() { None } else { text.parse().ok() };
            leaves.push(Leaf { text: Some(text), number, ..group });
        }
    }
}

/// Collects the members of objects as what charts make of them: lists are not looked into.
fn wholes(value: &Value, path: &str, found: &mut Vec<Leaf>) {
    if !path.is_empty() && !value.is_null() {
        let text = written(value);
        let number = if value.is_boolean() { None } else { text.parse().ok() };
        found.push(Leaf { path: path.to_owned(), text: Some(text), number });
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        wholes(value, &below(path, key), found);
    }
}

/// Collects keys, texts, numbers and truth values at any depth.
fn words(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Object(members) => members.iter().for_each(|(key, value)| {
            found.push(key.clone());
            words(value, found);
        }),
        Value::Array(items) => items.iter().for_each(|item| words(item, found)),
        scalar => found.push(written(scalar)),
    }
}

/// Returns a text in lower case, letter by letter.
pub(super) fn low(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Returns an action as it is compared.
pub(super) fn action_key(text: &str) -> String {
    low(text).replace(['.', '_', '-', ' '], "")
}

/// Returns an address as a digit for its family and its hexadecimal digits.
pub(super) fn ip_hex(text: &str) -> Option<String> {
    match text.parse().ok()? {
        std::net::IpAddr::V4(ip) => Some(format!("4{:08x}", u32::from(ip))),
        std::net::IpAddr::V6(ip) => Some(format!("6{:032x}", u128::from(ip))),
    }
}

/// Returns a text as SQL writes it.
pub(super) fn lit(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn maybe<T>(value: Option<T>, write: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "NULL".to_owned(), write)
}

/// Returns a time with six digits, which sort as text.
pub(super) fn long_time(micros: i64) -> String {
    let text = Micros(micros).to_string();
    if text.len() == 24 { text.replace('Z', "000Z") } else { text }
}

/// A database in memory.
pub(super) struct Oracle {
    connection: SqliteConnection,
    n_rows: usize,
}

impl Oracle {
    pub(super) async fn new() -> Self {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let columns = |names: &[&str], kind: &str| {
            let columns: Vec<String> =
                names.iter().map(|name| format!(", {name} {kind}")).collect();
            columns.concat()
        };
        let lows: Vec<String> = LOOSE.iter().map(|name| format!("low_{name}")).collect();
        let lows: Vec<&str> = lows.iter().map(String::as_str).collect();
        let schema = format!(
            "PRAGMA case_sensitive_like = ON;
             CREATE TABLE events (row INTEGER PRIMARY KEY, id TEXT, seq INTEGER, occurred_at TEXT,
               occurred_us INTEGER, created_us INTEGER, sort_us INTEGER, clock_skew INTEGER, action_key TEXT,
               ip_hex TEXT{}{}{}{}{});
             CREATE TABLE members (row INTEGER, field TEXT, path TEXT, text TEXT, num REAL);
             CREATE TABLE whole (row INTEGER, field TEXT, path TEXT, text TEXT, num REAL);
             CREATE TABLE searched (row INTEGER, low TEXT);
             CREATE TABLE headers (row INTEGER, name TEXT, value TEXT);
             CREATE INDEX by_path ON members (field, path, row);
             CREATE INDEX by_row ON whole (row, field, path);",
            columns(&TEXTS, "TEXT"),
            columns(&lows, "TEXT"),
            columns(&INTS, "INTEGER"),
            columns(&BOOLS, "INTEGER"),
            columns(&JSONS, "TEXT"),
        );
        sqlx::raw_sql(AssertSqlSafe(schema)).execute(&mut connection).await.unwrap();
        Self { connection, n_rows: 0 }
    }

    pub(super) async fn add(&mut self, stored: &[Stored]) {
        for rows in stored.chunks(ROWS_PER_INSERT) {
            let mut tables = Tables::default();
            for row in rows {
                self.n_rows += 1;
                tables.add(self.n_rows, row);
            }
            let insert = AssertSqlSafe(tables.insert());
            sqlx::raw_sql(insert).execute(&mut self.connection).await.unwrap();
        }
    }

    /// Runs a query whose rows are one JSON text each.
    pub(super) async fn ask(&mut self, sql: &str) -> Vec<Value> {
        let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut self.connection).await;
        let rows = rows.unwrap_or_else(|error| panic!("{error} in {sql}"));
        rows.iter().map(|row| serde_json::from_str(row.get::<&str, _>(0)).unwrap()).collect()
    }

    /// Runs a query of one row.
    pub(super) async fn ask_one(&mut self, sql: &str) -> Value {
        self.ask(sql).await.remove(0)
    }
}

/// The rows of some entries, by table.
#[derive(Default)]
struct Tables {
    events: Vec<String>,
    members: Vec<String>,
    whole: Vec<String>,
    searched: Vec<String>,
    headers: Vec<String>,
}

impl Tables {
    fn add(&mut self, row: usize, stored: &Stored) {
        self.events.push(event_row(row, stored));
        let leaf = |field: &str, leaf: &Leaf| {
            let text = maybe(leaf.text.as_deref(), lit);
            let number = maybe(leaf.number, |number| number.to_string());
            format!("({row}, {}, {}, {text}, {number})", lit(field), lit(&leaf.path))
        };
        for field in JSONS {
            self.members.extend(stored.leaves(field).iter().map(|found| leaf(field, found)));
            let mut found = Vec::new();
            if let Some(value) = stored.field(field) {
                wholes(value, "", &mut found);
            }
            self.whole.extend(found.iter().map(|found| leaf(field, found)));
        }
        let searched = stored.searched();
        self.searched.extend(searched.iter().map(|text| format!("({row}, {})", lit(&low(text)))));
        let header =
            |(name, value): (&str, &str)| format!("({row}, {}, {})", lit(&low(name)), lit(value));
        self.headers.extend(stored.headers().into_iter().map(header));
    }

    fn insert(&self) -> String {
        let tables = [
            ("events", &self.events),
            ("members", &self.members),
            ("whole", &self.whole),
            ("searched", &self.searched),
            ("headers", &self.headers),
        ];
        let filled = tables.iter().filter(|(_, rows)| !rows.is_empty());
        let inserts =
            filled.map(|(table, rows)| format!("INSERT INTO {table} VALUES {};", rows.join(",")));
        inserts.collect::<Vec<_>>().concat()
    }
}

fn event_row(row: usize, stored: &Stored) -> String {
    let occurred = stored.occurred_us();
    let mut values = vec![
        row.to_string(),
        lit(&stored.id),
        stored.seq.to_string(),
        lit(&long_time(occurred)),
        occurred.to_string(),
        stored.created_us.to_string(),
        stored.sort_us().to_string(),
        u8::from(stored.sort_us() != occurred).to_string(),
        lit(&action_key(stored.text("action").unwrap())),
        maybe(stored.text("ip").and_then(ip_hex), |hex| lit(&hex)),
    ];
    values.extend(TEXTS.iter().map(|name| maybe(stored.text(name), lit)));
    values.extend(LOOSE.iter().map(|name| maybe(stored.text(name), |text| lit(&low(text)))));
    values.extend(INTS.iter().map(|name| maybe(stored.int(name), |int| int.to_string())));
    let truth = |name: &&str| maybe(stored.field(name), |truth| truth.to_string().to_uppercase());
    values.extend(BOOLS.iter().map(truth));
    values
        .extend(JSONS.iter().map(|name| maybe(stored.field(name), |json| lit(&json.to_string()))));
    format!("({})", values.join(","))
}
