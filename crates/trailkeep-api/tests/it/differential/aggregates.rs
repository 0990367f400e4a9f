//! Aggregates: groups, and what there is to tell about each.

use serde_json::{Value, json};

use super::World;
use super::clauses::Maker;
use super::looked::{Kind, Looked};
use super::questions::{Compared, Selection, alike, check, within};

const EVERYTHING: usize = 10_000;
/// Percentiles of more values in a group are estimates.
const EXACT_VALUES_MAX: u64 = 4096;
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

    fn is_percentile(&self) -> bool {
        PERCENTILES.iter().any(|(name, _)| *name == self.function)
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
                let function = *self.random.pick(&["min", "max"]);
                Metric::of(function, Some(name))
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
        let exact = by_groups || metrics[0].is_whole();
        let limit = if exact { *self.random.pick(&[1, 5, 100, EVERYTHING]) } else { EVERYTHING };
        Aggregate { selection, groups, metrics, order, limit }
    }
}

impl Aggregate {
    fn column(&self, number: usize) -> String {
        if let Some(group) = self.groups.get(number) {
            return group.name.clone();
        }
        let metric = &self.metrics[number - self.groups.len()];
        match &metric.looked {
            Some(looked) => format!("{}({})", metric.function, looked.name),
            None => metric.function.to_owned(),
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

    /// Tells whether the groups are the same. Percentiles of many values are within 1 %.
    fn agree(&self, items: &Value, expected: &Value, n_rows: u64) -> bool {
        let same = |number: usize, a: &Value, b: &Value| {
            let metric = number.checked_sub(self.groups.len()).map(|number| &self.metrics[number]);
            let near = n_rows > EXACT_VALUES_MAX && metric.is_some_and(Metric::is_percentile);
            if near { within(0.01, a, b) } else { alike(a, b) }
        };
        let same_rows = |(a, b): (&Value, &Value)| {
            let cells = a.as_array().unwrap().iter().zip(b.as_array().unwrap());
            cells.enumerate().all(|(number, (a, b))| same(number, a, b))
        };
        let (items, expected) = (items.as_array().unwrap(), expected.as_array().unwrap());
        items.len() == expected.len() && items.iter().zip(expected).all(same_rows)
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
        let n_rows = totals[1].as_u64().unwrap();
        check(
            asked.agree(&items, &expected, n_rows),
            "aggregate",
            &body.to_string(),
            &items,
            &expected,
        )?;
        Ok(totals[1] != json!(0))
    }
}

fn sort(items: &mut Value, n_groups: usize) {
    let items = items.as_array_mut().unwrap();
    items.sort_by_cached_key(|row| json!(row.as_array().unwrap()[..n_groups]).to_string());
}
