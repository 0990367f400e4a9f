//! Lists, facets, charts and aggregates: asked over HTTP, and answered by SQL.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use trailkeep_event::Micros;

use super::World;
use super::clauses::{Clause, Maker};
use super::events::{ACCOUNTS, DAY_MICROS};
use super::oracle::lit;
use crate::store_server::{Call, GET, OPERATOR, READABLE, READER, json as parsed, query};

const HOUR: i64 = DAY_MICROS / 24;
const SECOND: i64 = HOUR / 3600;
/// The steps that there are.
const STEPS: [(&str, i64); 15] = [
    ("1s", SECOND),
    ("5s", 5 * SECOND),
    ("10s", 10 * SECOND),
    ("30s", 30 * SECOND),
    ("1m", 60 * SECOND),
    ("5m", 300 * SECOND),
    ("10m", 600 * SECOND),
    ("30m", 1800 * SECOND),
    ("1h", HOUR),
    ("3h", 3 * HOUR),
    ("6h", 6 * HOUR),
    ("12h", 12 * HOUR),
    ("1d", DAY_MICROS),
    ("7d", 7 * DAY_MICROS),
    ("30d", 30 * DAY_MICROS),
];
/// From this step on a chart of all events has few enough buckets to be made.
const STEP_FIRST: usize = 7;
const BUCKETS_MAX: i64 = 200;
/// The fourth day of 1970 was the last before a Monday.
const MONDAY: i64 = 4 * DAY_MICROS;
const EVERYTHING: usize = 10_000;

/// What stands in a column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Plain,
    Truth,
    Time,
}

/// Something to look at: by its name, and in SQL.
#[derive(Clone, Debug)]
pub(super) struct Looked {
    pub(super) name: String,
    sql: String,
    kind: Kind,
}

/// How a difference is told: the question, and both answers.
pub(super) type Difference = String;

/// Whether an answer has something in it, or how two answers differ.
pub(super) type Compared = Result<bool, Difference>;

const FIELDS: &[&str] = &[
    "account_id",
    "action",
    "category",
    "outcome",
    "severity",
    "method",
    "route",
    "country",
    "city",
    "error_code",
    "error_message",
    "actor_type",
    "application_id",
    "environment_id",
    "ip",
    "user_agent",
    "resource_type",
    "api_version",
    "block_reason",
    "status",
    "sample_rate",
    "error_retry_count",
    "intent",
    "customer_visible",
];
const OTHER_NAMES: &[(&str, &str)] = &[
    ("workspace", "environment_id"),
    ("app", "application_id"),
    ("error.code", "error_code"),
    ("block", "block_reason"),
    ("license", "subject_key"),
];
const MEMBERS: &[(&str, &str, &str)] = &[
    ("metadata.sdk", "metadata", "sdk"),
    ("metadata.seats", "metadata", "seats"),
    ("metadata.plan", "metadata", "plan"),
    ("metadata.flag", "metadata", "flag"),
    ("metadata.tags", "metadata", "tags"),
    ("metadata.a.b", "metadata", "a.b"),
    ("metadata.deep", "metadata", "deep"),
    ("metadata.\"strange key\"", "metadata", "strange key"),
    ("before.v", "before", "v"),
    ("after.v", "after", "v"),
    ("request_body.user.name", "request_body", "user.name"),
];
const NUMBERS: &[&str] = &[
    "duration_ms",
    "duration_us",
    "status",
    "request_bytes",
    "response_bytes",
    "error.retry_count",
    "block_threat_score",
    "metadata.seats",
    "metadata.cost",
    "after.v",
];

fn member_sql(field: &str, path: &str, column: &str) -> String {
    let (field, path) = (lit(field), lit(path));
    format!(
        "(SELECT w.{column} FROM whole w WHERE w.row = e.row AND w.field = {field} \
         AND w.path = {path})"
    )
}

/// Returns the start of the bucket that a time lies in.
fn bucket(at: &str, step: i64) -> String {
    let first = if step == 7 * DAY_MICROS { MONDAY } else { 0 };
    format!("(({at} - {first}) / {step} * {step} + {first})")
}

fn floor(at: i64, step: i64) -> i64 {
    let first = if step == 7 * DAY_MICROS { MONDAY } else { 0 };
    (at - first).div_euclid(step) * step + first
}

/// Returns a time as answers write it.
fn shown(micros: &str) -> String {
    format!(
        "strftime('%Y-%m-%dT%H:%M:%S', {micros} / 1000000, 'unixepoch') || CASE \
         WHEN {micros} % 1000 = 0 THEN printf('.%03dZ', {micros} / 1000 % 1000) \
         ELSE printf('.%06dZ', {micros} % 1000000) END"
    )
}

impl Kind {
    fn shown(self, column: &str) -> String {
        match self {
            Self::Plain => column.to_owned(),
            Self::Truth => {
                format!("json(CASE {column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)")
            }
            Self::Time => shown(column),
        }
    }
}

impl Looked {
    fn plain(name: &str, sql: &str) -> Self {
        Self { name: name.to_owned(), sql: sql.to_owned(), kind: Kind::Plain }
    }

    /// Finds a name of the lists above, or a time with its step.
    pub(super) fn named(name: &str) -> Self {
        if let Some((time, step)) = name.split_once(':') {
            let step = STEPS.iter().find(|(name, _)| *name == step).unwrap().1;
            let column = time.replace("_at", "_us");
            return Self { name: name.to_owned(), sql: bucket(&column, step), kind: Kind::Time };
        }
        if let Some((_, field, path)) = MEMBERS.iter().find(|member| member.0 == name) {
            return Self::plain(name, &member_sql(field, path, "text"));
        }
        if let Some((_, column)) = OTHER_NAMES.iter().find(|other| other.0 == name) {
            return Self::plain(name, column);
        }
        let kind =
            if ["intent", "customer_visible"].contains(&name) { Kind::Truth } else { Kind::Plain };
        Self { kind, ..Self::plain(name, name) }
    }

    /// Finds a number.
    fn number(name: &str) -> Self {
        let member = |field: &str, path: &str| Self::plain(name, &member_sql(field, path, "num"));
        match name {
            "duration_ms" => Self::plain(name, "(duration_us / 1000.0)"),
            "error.retry_count" => Self::plain(name, "error_retry_count"),
            "metadata.seats" => member("metadata", "seats"),
            "metadata.cost" => member("metadata", "cost"),
            "after.v" => member("after", "v"),
            other => Self::plain(other, other),
        }
    }

    fn time(name: &str) -> Self {
        let sql = name.replace("_at", "_us");
        Self { name: name.to_owned(), sql, kind: Kind::Time }
    }
}

/// Which entries a question is about.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    clause: Clause,
    account: Option<&'static str>,
    from: Option<i64>,
    to: Option<i64>,
    token: &'static str,
}

impl Selection {
    pub(super) fn everything() -> Self {
        Self { clause: Clause::everything(), account: None, from: None, to: None, token: OPERATOR }
    }

    /// Selects by a filter whose SQL is given.
    pub(super) fn of(q: &str, sql: &str) -> Self {
        Self { clause: Clause::given(q, sql), ..Self::everything() }
    }

    fn condition(&self) -> String {
        let mut all = vec![self.clause.sql.clone()];
        all.extend(self.account.map(|account| format!("account_id = {}", lit(account))));
        all.extend(self.from.map(|from| format!("sort_us >= {from}")));
        all.extend(self.to.map(|to| format!("sort_us < {to}")));
        if self.token == READER {
            all.push(format!("account_id IN ({}, {})", lit(READABLE[0]), lit(READABLE[1])));
        }
        all.join(" AND ")
    }

    fn members(&self) -> Vec<(&'static str, String)> {
        let mut members = Vec::new();
        members.extend(self.account.map(|account| ("account_id", account.to_owned())));
        members.extend(self.from.map(|from| ("from", Micros(from).to_string())));
        members.extend(self.to.map(|to| ("to", Micros(to).to_string())));
        if !self.clause.q.is_empty() {
            members.push(("q", self.clause.q.clone()));
        }
        members
    }

    fn body(&self) -> Value {
        let members = self.members().into_iter();
        Value::Object(members.map(|(name, text)| (name.to_owned(), json!(text))).collect())
    }
}

impl Maker<'_> {
    pub(super) fn selection(&mut self) -> Selection {
        let mut selection = Selection { clause: self.filter(), ..Selection::everything() };
        if self.chance(15) {
            selection.account = Some(*self.random.pick(&ACCOUNTS));
        }
        let (a, b) = (self.row().sort_us(), self.row().sort_us());
        if self.chance(25) {
            selection.from = Some(a.min(b));
        }
        if self.chance(25) {
            selection.to = Some(a.max(b) + 1);
        }
        if self.chance(15) {
            selection.token = READER;
        }
        selection
    }

    fn looked(&mut self) -> Looked {
        match self.random.below(10) {
            0..6 => Looked::named(*self.random.pick(FIELDS)),
            6 => Looked::named(self.random.pick(OTHER_NAMES).0),
            _ => Looked::named(self.random.pick(MEMBERS).0),
        }
    }

    fn group(&mut self) -> Looked {
        if self.chance(75) {
            return self.looked();
        }
        let names = [
            "occurred_at:1h",
            "occurred_at:30m",
            "occurred_at:6h",
            "occurred_at:1d",
            "created_at:1m",
            "occurred_at:7d",
            "occurred_at:30d",
        ];
        Looked::named(*self.random.pick(&names))
    }
}

/// Tells whether two answers are the same: numbers to the digits that answers have.
pub(super) fn alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-9 * b.abs().max(1e-3)
        }
        _ => a == b,
    }
}

fn check(
    so: bool,
    what: &str,
    asked: &dyn std::fmt::Debug,
    found: &Value,
    expected: &Value,
) -> Result<(), Difference> {
    if so {
        return Ok(());
    }
    let short = |value: &Value| value.to_string().chars().take(1500).collect::<String>();
    Err(format!(
        "{what}\n  asked: {asked:?}\n  found: {}\n  expected: {}",
        short(found),
        short(expected)
    ))
}

impl World<'_> {
    async fn get(
        &self,
        selection: &Selection,
        path: &str,
        more: &[(&'static str, String)],
    ) -> Result<Value, Difference> {
        let mut parameters = selection.members();
        parameters.extend_from_slice(more);
        let borrowed: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let path = format!("{path}?{}", query(&borrowed));
        let answer = self.server.call(Call { token: selection.token, path: &path, ..GET }).await;
        if crate::support::status(&answer) != 200 {
            return Err(format!("refused\n  asked: {parameters:?}\n  found: {answer}"));
        }
        Ok(parsed(&answer))
    }

    async fn count(&mut self, selection: &Selection) -> Value {
        let sql = format!(
            "SELECT json_array(count(*), coalesce(sum(coalesce(sample_rate, 1)), 0)) FROM events e WHERE {}",
            selection.condition()
        );
        self.oracle.ask_one(&sql).await
    }

    /// All pages of a list, in either order, with the total.
    pub(super) async fn list(&mut self) -> Compared {
        let selection = self.maker().selection();
        let order = *self.random.pick(&["desc", "asc"]);
        let sql = format!(
            "SELECT json_array(id) FROM events e WHERE {} ORDER BY sort_us {order}, \
             account_id {order}, seq {order}",
            selection.condition()
        );
        let expected = self.oracle.ask(&sql).await;
        let few: &[usize] =
            if expected.len() > 300 { &[1000, 250, 180] } else { &[1000, 90, 30, 7] };
        let limit = if expected.len() < 12 { 1 } else { *self.random.pick(few) };
        let mut found = Vec::new();
        let mut more = vec![
            ("order", order.to_owned()),
            ("limit", limit.to_string()),
            ("include_total", "true".to_owned()),
        ];
        loop {
            let page = self.get(&selection, "/api/v1/events", &more).await?;
            let total = json!(expected.len());
            check(page["total"] == total, "total", &(&selection, &more), &page["total"], &total)?;
            let items = page["items"].as_array().unwrap();
            found.extend(items.iter().map(|item| json!([item["id"]])));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            let whole = items.len() == limit;
            let n_items = json!(items.len());
            check(whole, "a page that is not full", &(&selection, &more), &n_items, &json!(limit))?;
            more.truncate(3);
            more.push(("cursor", cursor.to_owned()));
        }
        let (found, expected) = (json!(found), json!(expected));
        check(found == expected, "list", &(&selection, &more[..2]), &found, &expected)?;
        Ok(expected != json!([]))
    }

    /// The values of some fields.
    pub(super) async fn facets(&mut self) -> Compared {
        let mut maker = self.maker();
        let selection = maker.selection();
        let looked: Vec<Looked> = (0..=maker.random.below(3)).map(|_| maker.looked()).collect();
        let limit = *maker.random.pick(&[1, 3, 10, 100]);
        let names: Vec<&str> = looked.iter().map(|looked| looked.name.as_str()).collect();
        let more = [("fields", names.join(",")), ("limit", limit.to_string())];
        let found = self.get(&selection, "/api/v1/events/facets", &more).await?;
        let n_rows = self.count(&selection).await[0].clone();
        check(
            found["total"] == n_rows,
            "total of facets",
            &(&selection, &more),
            &found["total"],
            &n_rows,
        )?;
        for (looked, facet) in looked.iter().zip(found["facets"].as_array().unwrap()) {
            let (counts, n_missing) =
                self.facet(&selection, looked, n_rows.as_u64().unwrap()).await;
            let expected = json!([counts, n_missing]);
            check(
                is_facet(facet, &counts, n_missing, limit),
                "facet",
                &(&selection, looked, limit),
                facet,
                &expected,
            )?;
        }
        Ok(n_rows != json!(0))
    }

    /// Counts a field's values: those of a list in JSON each, but once an entry.
    async fn facet(
        &mut self,
        selection: &Selection,
        looked: &Looked,
        n_rows: u64,
    ) -> (BTreeMap<String, u64>, u64) {
        let rows = format!("SELECT e.row FROM events e WHERE {}", selection.condition());
        let (values, with) = match MEMBERS.iter().find(|member| member.0 == looked.name) {
            Some((_, field, path)) => {
                let of = format!(
                    "FROM members WHERE field = {} AND path = {} AND text IS NOT NULL AND row IN ({rows})",
                    lit(field),
                    lit(path)
                );
                (
                    format!("SELECT json_array(text, count(DISTINCT row)) {of} GROUP BY text"),
                    format!("SELECT json_array(count(DISTINCT row)) {of}"),
                )
            }
            None => {
                let text = match looked.kind {
                    Kind::Truth => {
                        format!("CASE {0} WHEN 1 THEN 'true' ELSE 'false' END", looked.sql)
                    }
                    _ => format!("CAST({} AS TEXT)", looked.sql),
                };
                let of =
                    format!("FROM events e WHERE {} IS NOT NULL AND e.row IN ({rows})", looked.sql);
                (
                    format!("SELECT json_array({text}, count(*)) {of} GROUP BY {text}"),
                    format!("SELECT json_array(count(*)) {of}"),
                )
            }
        };
        let counts = self.oracle.ask(&values).await;
        let counts = counts
            .iter()
            .map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].as_u64().unwrap()));
        let counts = counts.collect();
        let n_with = self.oracle.ask_one(&with).await[0].as_u64().unwrap();
        (counts, n_rows - n_with)
    }

    /// Counts over time.
    pub(super) async fn histogram(&mut self) -> Compared {
        let mut maker = self.maker();
        let selection = maker.selection();
        let split = maker.chance(60).then(|| maker.group());
        let step = maker.chance(60).then(|| *maker.random.pick(&STEPS[STEP_FIRST..]));
        let limit = *maker.random.pick(&[1, 2, 5, 50]);
        let mut more: Vec<(&'static str, String)> = Vec::new();
        more.extend(step.map(|(name, _)| ("step", name.to_owned())));
        if let Some(split) = &split {
            more.extend([("split", split.name.clone()), ("limit", limit.to_string())]);
        }
        let found = self.get(&selection, "/api/v1/events/histogram", &more).await?;
        let totals = self.count(&selection).await;
        let asked = (&selection, &more);
        check(
            json!([found["rows"], found["estimated"]]) == totals,
            "totals of a histogram",
            &asked,
            &found,
            &totals,
        )?;
        let ends = format!(
            "SELECT json_array(min(sort_us), max(sort_us)) FROM events e WHERE {}",
            selection.condition()
        );
        let ends = self.oracle.ask_one(&ends).await;
        let from = selection.from.or(ends[0].as_i64());
        let to = selection.to.map(|to| to - 1).or(ends[1].as_i64());
        let (Some(from), Some(to)) = (from, to) else { return Ok(false) };
        let reach = |step: i64| (floor(to, step) - floor(from, step)) / step + 1;
        let (name, step) = step.unwrap_or_else(|| {
            *STEPS.iter().find(|(_, step)| reach(*step) <= BUCKETS_MAX).unwrap()
        });
        check(found["step"] == name, "step", &asked, &found["step"], &json!(name))?;
        let starts: Vec<i64> = (0..reach(step)).map(|n| floor(from, step) + n * step).collect();
        let times: Vec<String> = starts.iter().map(|at| Micros(*at).to_string()).collect();
        check(found["times"] == json!(times), "times", &asked, &found["times"], &json!(times))?;
        let buckets = Buckets { step, starts };
        let series = self.series(&selection, split.as_ref(), &buckets, limit).await;
        check(found["series"] == series, "series", &asked, &found["series"], &series)?;
        Ok(totals[0] != json!(0))
    }

    async fn series(
        &mut self,
        selection: &Selection,
        split: Option<&Looked>,
        buckets: &Buckets,
        limit: usize,
    ) -> Value {
        let Buckets { step, starts } = buckets;
        let (value, kind) =
            split.map_or(("NULL", Kind::Plain), |split| (split.sql.as_str(), split.kind));
        let of = format!(
            "SELECT {value} AS v, {} AS at, coalesce(sample_rate, 1) AS w FROM events e WHERE {}",
            bucket("sort_us", *step),
            selection.condition()
        );
        let ranks = format!(
            "SELECT json_array({}) FROM ({of}) GROUP BY v ORDER BY count(*) DESC, v IS NULL, v",
            kind.shown("v")
        );
        let counts = format!(
            "SELECT json_array({}, at, count(*), sum(w)) FROM ({of}) GROUP BY v, at",
            kind.shown("v")
        );
        let ranks: Vec<Value> =
            self.oracle.ask(&ranks).await.iter().map(|row| row[0].clone()).collect();
        let counts = self.oracle.ask(&counts).await;
        let n_apart = if split.is_some() { limit.min(ranks.len()) } else { 1 };
        let mut series: Vec<[Vec<u64>; 2]> =
            vec![[vec![0; starts.len()], vec![0; starts.len()]]; n_apart + 1];
        let mut n_others = 0;
        for row in &counts {
            let rank = ranks.iter().position(|value| *value == row[0]).unwrap().min(n_apart);
            n_others += usize::from(rank == n_apart);
            let at = starts.binary_search(&row[1].as_i64().unwrap()).unwrap();
            series[rank][0][at] += row[2].as_u64().unwrap();
            series[rank][1][at] += row[3].as_u64().unwrap();
        }
        if n_others == 0 {
            series.truncate(n_apart);
        }
        let one = |(rank, [rows, estimated]): (usize, &[Vec<u64>; 2])| {
            let mut one = Map::new();
            match ranks.get(rank).filter(|_| rank < n_apart) {
                _ if split.is_none() => None,
                Some(value) => one.insert("value".to_owned(), value.clone()),
                None => one.insert("other".to_owned(), json!(true)),
            };
            one.insert("rows".to_owned(), json!(rows));
            one.insert("estimated".to_owned(), json!(estimated));
            Value::Object(one)
        };
        series.iter().enumerate().map(one).collect()
    }
}

/// Tells whether a facet says what it should: of values that are as frequent any may be shown.
fn is_facet(facet: &Value, counts: &BTreeMap<String, u64>, n_missing: u64, limit: usize) -> bool {
    let values = facet["values"].as_array().unwrap();
    let mut frequent: Vec<u64> = counts.values().copied().collect();
    frequent.sort_unstable_by(|a, b| b.cmp(a));
    let n_other: u64 = frequent.iter().skip(limit).sum();
    frequent.truncate(limit);
    let shown: Vec<u64> = values.iter().map(|value| value["count"].as_u64().unwrap()).collect();
    let named: BTreeMap<&str, u64> = values
        .iter()
        .map(|value| value["value"].as_str().unwrap())
        .zip(shown.iter().copied())
        .collect();
    shown == frequent
        && named.len() == values.len()
        && named.iter().all(|(value, count)| counts.get(*value) == Some(count))
        && facet["distinct"] == counts.len()
        && facet["distinct_exact"] == true
        && facet["other"] == n_other
        && facet["missing"] == n_missing
}

/// The buckets of a chart.
struct Buckets {
    step: i64,
    starts: Vec<i64>,
}

/// A function of a group.
#[derive(Clone, Debug)]
pub(super) struct Metric {
    function: &'static str,
    looked: Option<Looked>,
}

const PERCENTILES: [(&str, &str); 3] = [("p50", "0.5"), ("p95", "0.95"), ("p99", "0.99")];

impl Metric {
    /// Reads `count`, `p95 duration_ms` and the like.
    pub(super) fn of(function: &'static str, name: Option<&str>) -> Self {
        let is_time = name.is_some_and(|name| name.ends_with("_at"));
        let counts = function.starts_with("count");
        let looked = name.map(|name| match (is_time, counts) {
            (true, _) => Looked::time(name),
            (false, true) => Looked::named(name),
            (false, false) => Looked::number(name),
        });
        Self { function, looked }
    }

    fn body(&self) -> Value {
        match &self.looked {
            Some(looked) => json!({ "fn": self.function, "field": looked.name }),
            None => json!({ "fn": self.function }),
        }
    }

    /// Tells whether its values are integers, which have one order however they are summed.
    fn is_whole(&self) -> bool {
        ["count", "estimated", "count_distinct"].contains(&self.function)
    }

    fn kind(&self) -> Kind {
        let is_time = self.looked.as_ref().is_some_and(|looked| looked.kind == Kind::Time);
        if is_time && !self.function.starts_with("count") { Kind::Time } else { Kind::Plain }
    }

    /// Returns the function over `x<number>`, whose place among its group's is `i<number>`, of
    /// `n<number>`.
    fn sql(&self, number: usize) -> String {
        let x = format!("x{number}");
        if let Some((_, share)) = PERCENTILES.iter().find(|(name, _)| *name == self.function) {
            let place = format!("({share} * (max(n{number}) - 1))");
            let at = |place: &str| {
                format!("max(CASE WHEN {x} IS NOT NULL AND i{number} = {place} THEN {x} END)")
            };
            let (place, low) = (place, format!("CAST({share} * (n{number} - 1) AS INTEGER)"));
            let below = at(&low);
            let above = at(&format!("min(n{number} - 1, {low} + 1)"));
            return format!(
                "({below} + ({above} - {below}) * ({place} - CAST({place} AS INTEGER)))"
            );
        }
        match (self.function, &self.looked) {
            ("count", None) => "count(*)".to_owned(),
            ("estimated", _) => "coalesce(sum(w), 0)".to_owned(),
            ("count_distinct", _) => format!("count(DISTINCT {x})"),
            (function, _) => format!("{function}({x})"),
        }
    }
}

/// What is asked of an aggregate.
#[derive(Clone, Debug)]
pub(super) struct Aggregate {
    pub(super) selection: Selection,
    pub(super) groups: Vec<Looked>,
    pub(super) metrics: Vec<Metric>,
    /// A column's number, and whether the largest is first.
    pub(super) order: Option<(&'static str, usize)>,
    pub(super) limit: usize,
}

impl Maker<'_> {
    fn metric(&mut self) -> Metric {
        match self.random.below(12) {
            0 | 1 => Metric::of("count", None),
            2 => Metric::of("estimated", None),
            3 => Metric { function: "count", looked: Some(self.looked()) },
            4 | 5 => Metric { function: "count_distinct", looked: Some(self.looked()) },
            6 => {
                let name = *self.random.pick(&["occurred_at", "created_at"]);
                Metric::of(*self.random.pick(&["min", "max"]), Some(name))
            }
            _ => {
                let function =
                    *self.random.pick(&["sum", "avg", "min", "max", "p50", "p95", "p99"]);
                Metric::of(function, Some(*self.random.pick(NUMBERS)))
            }
        }
    }

    fn aggregate(&mut self) -> Aggregate {
        let selection = self.selection();
        let n_groups = *self.random.pick(&[0, 1, 1, 1, 2, 2, 3]);
        let mut groups: Vec<Looked> = Vec::new();
        while groups.len() < n_groups {
            let group = self.group();
            if groups.iter().all(|other| other.name != group.name) {
                groups.push(group);
            }
        }
        let mut metrics: Vec<Metric> = Vec::new();
        for _ in 0..=self.random.below(4) {
            let metric = self.metric();
            let new = |other: &Metric| other.body() != metric.body();
            if metrics.iter().all(new) {
                metrics.push(metric);
            }
        }
        let order = match self.random.below(3) {
            0 if metrics[0].is_whole() => Some((*self.random.pick(&["", "-"]), n_groups)),
            1 if n_groups > 0 => Some((*self.random.pick(&["", "-"]), n_groups - 1)),
            _ => None,
        };
        let by_groups = order.is_some_and(|(_, column)| column < n_groups)
            || groups.first().is_some_and(|group| group.name.contains("_at:"));
        // Sums of fractions have no exact order: then all groups are looked at.
        let limit = match by_groups || metrics[0].is_whole() {
            true => *self.random.pick(&[1, 5, 100, EVERYTHING]),
            false => EVERYTHING,
        };
        Aggregate { selection, groups, metrics, order, limit }
    }
}

impl Aggregate {
    fn column(&self, number: usize) -> String {
        match self.groups.get(number) {
            Some(group) => group.name.clone(),
            None => {
                let metric = &self.metrics[number - self.groups.len()];
                match &metric.looked {
                    Some(looked) => format!("{}({})", metric.function, looked.name),
                    None => metric.function.to_owned(),
                }
            }
        }
    }

    fn body(&self) -> Value {
        let groups: Vec<&str> = self.groups.iter().map(|group| group.name.as_str()).collect();
        let metrics: Vec<Value> = self.metrics.iter().map(Metric::body).collect();
        let mut body = json!({ "filter": self.selection.body(), "group_by": groups, "metrics": metrics, "limit": self.limit });
        if let Some((sign, column)) = self.order {
            body["order"] = json!([format!("{sign}{}", self.column(column))]);
        }
        body
    }

    fn sql(&self) -> String {
        let numbered = |prefix: &str, n: usize| -> Vec<String> {
            (0..n).map(|number| format!("{prefix}{number}")).collect()
        };
        let groups = numbered("g", self.groups.len());
        let mut base = vec!["coalesce(sample_rate, 1) AS w".to_owned()];
        base.extend(
            self.groups.iter().zip(&groups).map(|(group, name)| format!("{} AS {name}", group.sql)),
        );
        let mut ranked = vec!["*".to_owned()];
        for (number, metric) in self.metrics.iter().enumerate() {
            let Some(looked) = &metric.looked else { continue };
            base.push(format!("{} AS x{number}", looked.sql));
            let mut apart = groups.clone();
            apart.push("1".to_owned());
            let apart = apart.join(", ");
            ranked.push(format!(
                "row_number() OVER (PARTITION BY {apart}, x{number} IS NULL ORDER BY x{number}) - 1 AS i{number}, \
                 count(x{number}) OVER (PARTITION BY {apart}) AS n{number}"
            ));
        }
        let mut columns = groups.clone();
        columns.extend(
            self.metrics
                .iter()
                .enumerate()
                .map(|(number, metric)| format!("{} AS m{number}", metric.sql(number))),
        );
        let mut shown: Vec<String> =
            self.groups.iter().zip(&groups).map(|(group, name)| group.kind.shown(name)).collect();
        shown.extend(
            self.metrics
                .iter()
                .enumerate()
                .map(|(number, metric)| metric.kind().shown(&format!("m{number}"))),
        );
        let by = if groups.is_empty() {
            String::new()
        } else {
            format!("GROUP BY {}", groups.join(", "))
        };
        format!(
            "WITH base AS (SELECT {} FROM events e WHERE {}), ranked AS (SELECT {} FROM base), \
             found AS (SELECT {} FROM ranked {by}) SELECT json_array({}) FROM found ORDER BY {}",
            base.join(", "),
            self.selection.condition(),
            ranked.join(", "),
            columns.join(", "),
            shown.join(", "),
            self.ordered(&groups)
        )
    }

    fn ordered(&self, groups: &[String]) -> String {
        let by_time = self.groups.first().is_some_and(|group| group.name.contains("_at:"));
        let first = match self.order {
            Some((sign, column)) => {
                let name = groups.get(column).cloned();
                let name = name.unwrap_or_else(|| format!("m{}", column - groups.len()));
                Some((name, if sign == "-" { "DESC" } else { "ASC" }))
            }
            None if by_time => None,
            None => Some(("m0".to_owned(), "DESC")),
        };
        let mut order: Vec<String> = Vec::new();
        order.extend(first.map(|(name, direction)| format!("{name} {direction} NULLS LAST")));
        order.extend(groups.iter().map(|name| format!("{name} NULLS LAST")));
        order.push("1".to_owned());
        order.join(", ")
    }
}

impl World<'_> {
    /// Groups with what there is to tell about each.
    pub(super) async fn aggregate(&mut self) -> Compared {
        let asked = self.maker().aggregate();
        self.aggregated(&asked).await
    }

    /// Asks for one aggregate.
    pub(super) async fn aggregated(&mut self, asked: &Aggregate) -> Compared {
        let body = asked.body();
        let found = self.post(asked.selection.token, "/api/v1/events/aggregate", &body).await?;
        let mut expected = self.oracle.ask(&asked.sql()).await;
        let totals = self.count(&asked.selection).await;
        let totals = json!([expected.len(), totals[0], totals[1], expected.len() > asked.limit]);
        let told = json!([found["groups"], found["rows"], found["estimated"], found["truncated"]]);
        check(told == totals, "totals of an aggregate", &body.to_string(), &told, &totals)?;
        expected.truncate(asked.limit);
        let exact =
            asked.order.is_some() || asked.metrics[0].is_whole() || asked.limit < EVERYTHING;
        let (mut items, mut expected) = (found["items"].clone(), json!(expected));
        if !exact {
            // The largest first, but what is nearly the same may be either way around.
            sort(&mut items, asked.groups.len());
            sort(&mut expected, asked.groups.len());
        }
        check(alike(&items, &expected), "aggregate", &body.to_string(), &items, &expected)?;
        Ok(totals[1] != json!(0))
    }

    pub(super) async fn post(
        &self,
        token: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, Difference> {
        let text = body.to_string();
        let call = Call { token, method: "POST", path, body: text.as_bytes(), ..GET };
        let answer = self.server.call(call).await;
        if crate::support::status(&answer) != 200 {
            return Err(format!("refused\n  asked: {body}\n  found: {answer}"));
        }
        Ok(parsed(&answer))
    }
}

fn sort(items: &mut Value, n_groups: usize) {
    let items = items.as_array_mut().unwrap();
    items.sort_by_cached_key(|row| json!(row.as_array().unwrap()[..n_groups]).to_string());
}
