//! What is looked at: fields, members and times, by their names and in SQL.

use super::clauses::Maker;
use super::events::DAY_MICROS;
use super::oracle::lit;

const HOUR: i64 = DAY_MICROS / 24;
const SECOND: i64 = HOUR / 3600;
/// The steps that there are.
pub(super) const STEPS: [(&str, i64); 15] = [
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
/// The fourth day of 1970 was the last before a Monday.
const MONDAY: i64 = 4 * DAY_MICROS;

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
pub(super) const MEMBERS: &[(&str, &str, &str)] = &[
    ("metadata.sdk", "metadata", "sdk"),
    ("metadata.seats", "metadata", "seats"),
    ("metadata.plan", "metadata", "plan"),
    ("metadata.flag", "metadata", "flag"),
    ("metadata.tags", "metadata", "tags"),
    ("metadata.a.b", "metadata", "a.b"),
    ("metadata.deep", "metadata", "deep"),
    ("metadata.\"strange key\"", "metadata", "strange key"),
    ("query_params.page", "query_params", "page"),
    ("on_behalf_of.id", "on_behalf_of", "id"),
    ("before.v", "before", "v"),
    ("after.v", "after", "v"),
    ("request_body.user.name", "request_body", "user.name"),
];

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
    pub(super) sql: String,
    pub(super) kind: Kind,
}

impl Kind {
    pub(super) fn shown(self, column: &str) -> String {
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
    pub(super) fn number(name: &str) -> Self {
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

    pub(super) fn time(name: &str) -> Self {
        let sql = name.replace("_at", "_us");
        Self { name: name.to_owned(), sql, kind: Kind::Time }
    }
}

impl Maker<'_> {
    pub(super) fn looked(&mut self) -> Looked {
        match self.random.below(10) {
            0..6 => {
                let name = *self.random.pick(FIELDS);
                Looked::named(name)
            }
            6 => Looked::named(self.random.pick(OTHER_NAMES).0),
            _ => Looked::named(self.random.pick(MEMBERS).0),
        }
    }

    pub(super) fn group(&mut self) -> Looked {
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
        let name = *self.random.pick(&names);
        Looked::named(name)
    }
}

fn member_sql(field: &str, path: &str, column: &str) -> String {
    let (field, path) = (lit(field), lit(path));
    format!(
        "(SELECT w.{column} FROM whole w WHERE w.row = e.row AND w.field = {field} \
         AND w.path = {path})"
    )
}

/// Returns the start of the bucket that a time lies in.
pub(super) fn bucket(at: &str, step: i64) -> String {
    let first = if step == 7 * DAY_MICROS { MONDAY } else { 0 };
    format!("(({at} - {first}) / {step} * {step} + {first})")
}

/// Returns the start of the bucket that a time lies in.
pub(super) fn floor(at: i64, step: i64) -> i64 {
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
