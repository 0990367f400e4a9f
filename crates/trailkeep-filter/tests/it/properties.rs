//! What holds for any text, any filter and any entry.

use proptest::prelude::*;
use trailkeep_event::{Entry, Field, Fields, Micros, ValueRef};
use trailkeep_filter::Filter;

use crate::rows::entry;

/// A condition as a test writes it: its text, and its meaning in the plainest words.
#[derive(Clone, Debug)]
pub(crate) enum Query {
    Exact(&'static str, Field, String),
    Stars(String),
    Status(i64, i64),
    Absent(Field),
    Day(u32),
    Member(&'static str, String),
    Above(i64),
    Phrase(String),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl Query {
    pub(crate) fn text(&self) -> String {
        let join = |nodes: &[Self], between: &str| {
            let nodes: Vec<String> = nodes.iter().map(Self::text).collect();
            format!("({})", nodes.join(between))
        };
        match self {
            Self::Exact(name, _, value) => format!("{name}:{}", quote(value)),
            Self::Stars(pattern) => format!("path:{pattern}*"),
            Self::Status(low, high) => format!("status:{low}..{high}"),
            Self::Absent(field) => format!("-{}:*", field.name()),
            Self::Day(day) => format!("occurred:2026-01-{day:02}"),
            Self::Member(key, value) => format!("metadata.{key}:{}", quote(value)),
            Self::Above(least) => format!("metadata.n:>{least}"),
            Self::Phrase(text) => quote(text),
            Self::Not(node) => format!("-{}", node.text()),
            Self::And(nodes) => join(nodes, " "),
            Self::Or(nodes) => join(nodes, " OR "),
        }
    }

    fn holds(&self, entry: &Entry) -> bool {
        let metadata = || -> serde_json::Value {
            match entry.get(Field::Metadata) {
                Some(ValueRef::Json(json)) => serde_json::from_str(json).unwrap(),
                _ => serde_json::Value::Null,
            }
        };
        match self {
            Self::Exact(_, field, value) => entry.text(*field) == Some(value),
            Self::Stars(pattern) => {
                entry.text(Field::Path).is_some_and(|path| stars(&format!("{pattern}*"), path))
            }
            Self::Status(low, high) => {
                let status = entry.get(Field::Status).and_then(ValueRef::as_int);
                status.is_some_and(|status| (*low..=*high).contains(&status))
            }
            Self::Absent(field) => entry.get(*field).is_none(),
            Self::Day(day) => {
                let at = entry.get(Field::OccurredAt).and_then(ValueRef::as_time).unwrap();
                at.date() == (2026, 1, i64::from(*day))
            }
            Self::Member(key, value) => {
                let pointer = format!("/{}", key.replace('.', "/"));
                let mut found = Vec::new();
                elements(metadata().pointer(&pointer), &mut found);
                found.contains(value)
            }
            Self::Above(least) => {
                let mut found = Vec::new();
                elements(metadata().get("n"), &mut found);
                found.iter().filter_map(|text| text.parse::<i64>().ok()).any(|n| n > *least)
            }
            Self::Phrase(text) => {
                let text = text.to_lowercase();
                let mut found = Vec::new();
                leaves(&metadata(), &mut found);
                for field in [Field::Path, Field::ActorId, Field::AccountId, Field::Action] {
                    found.extend(entry.text(field).map(str::to_owned));
                }
                found.iter().any(|found| found.to_lowercase().contains(&text))
            }
            Self::Not(node) => !node.holds(entry),
            Self::And(nodes) => nodes.iter().all(|node| node.holds(entry)),
            Self::Or(nodes) => nodes.iter().any(|node| node.holds(entry)),
        }
    }
}

fn stars(pattern: &str, text: &str) -> bool {
    let Some(p) = pattern.chars().next() else { return text.is_empty() };
    let rest = pattern.strip_prefix(p).unwrap();
    let tail = text.chars().next().and_then(|c| text.strip_prefix(c));
    match p {
        '*' => stars(rest, text) || tail.is_some_and(|tail| stars(pattern, tail)),
        _ => text.starts_with(p) && stars(rest, tail.unwrap()),
    }
}

/// Collects the texts of a value, and of the elements of lists.
fn elements(value: Option<&serde_json::Value>, out: &mut Vec<String>) {
    match value {
        Some(serde_json::Value::Array(items)) => {
            for item in items {
                elements(Some(item), out);
            }
        }
        Some(serde_json::Value::String(text)) => out.push(text.clone()),
        Some(value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_))) => {
            out.push(value.to_string());
        }
        _ => {}
    }
}

/// Collects every key and every text.
fn leaves(value: &serde_json::Value, out: &mut Vec<String>) {
    match value {
        serde_json::Value::Array(items) => {
            for item in items {
                leaves(item, out);
            }
        }
        serde_json::Value::Object(members) => {
            for (key, value) in members {
                out.push(key.clone());
                leaves(value, out);
            }
        }
        other => elements(Some(other), out),
    }
}

/// Few letters, so that values meet; some of them mean something to the language or to JSON.
const LETTERS: &str = "[aAb\" \\\\*:\u{e4}\n]{1,3}";

pub(crate) fn query() -> impl Strategy<Value = Query> {
    let fields = [
        ("method", Field::Method),
        ("actor_id", Field::ActorId),
        ("path", Field::Path),
        ("account", Field::AccountId),
    ];
    let leaf = prop_oneof![
        (prop::sample::select(fields.to_vec()), LETTERS)
            .prop_map(|((name, field), value)| Query::Exact(name, field, value)),
        "/[ab*]{0,3}".prop_map(Query::Stars),
        (0_i64..6, 0_i64..6).prop_map(|(a, b)| Query::Status(a.min(b), a.max(b))),
        prop::sample::select(vec![Field::Status, Field::Method, Field::Metadata])
            .prop_map(Query::Absent),
        (1_u32..4).prop_map(Query::Day),
        (prop::sample::select(vec!["a", "a.b", "l", "n"]), LETTERS)
            .prop_map(|(key, value)| Query::Member(key, value)),
        (0_i64..6).prop_map(Query::Above),
        LETTERS.prop_map(Query::Phrase),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|node| Query::Not(Box::new(node))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Query::And),
            prop::collection::vec(inner, 1..4).prop_map(Query::Or),
        ]
    })
}

pub(crate) fn any_entry() -> impl Strategy<Value = Entry> {
    let metadata = (LETTERS, prop::collection::vec(LETTERS, 0..3), 0_i64..6, LETTERS).prop_map(
        |(nested, list, n, key)| {
            serde_json::json!({"a": {"b": nested}, "l": list, "n": n, key: [null, true]})
        },
    );
    let optional = (
        prop::option::of(LETTERS),
        prop::option::of(LETTERS),
        prop::option::of("/[ab]{0,4}"),
        prop::option::of(0_i64..6),
        prop::option::of(metadata),
    );
    (optional, 1_u32..4).prop_map(|((method, actor, path, status, metadata), day)| {
        let event = serde_json::json!({
            "account_id": "a", "action": "b", "occurred_at": format!("2026-01-{day:02}T23:59:59.999999Z"),
            "method": method, "actor_id": actor, "path": path, "status": status, "metadata": metadata,
        });
        entry(&event.to_string())
    })
}

/// A text that is often a filter, or nearly one.
fn near_filter() -> impl Strategy<Value = String> {
    let pieces = vec![
        "status",
        "metadata",
        "error_message",
        "action",
        "ip",
        "id",
        "occurred",
        "duration",
        "headers",
        "category",
        "actor",
        "before",
        ":",
        ":",
        ":",
        ".",
        "..",
        "\"",
        "\"",
        "\\",
        "*",
        "(",
        ")",
        "-",
        " ",
        " ",
        " OR ",
        " AND ",
        "NOT ",
        ">",
        ">=",
        "<",
        "=",
        "5",
        "10.0.0.0/8",
        "2026-01-31",
        "2026-01-31T00:00:00Z",
        "ms",
        "a",
        "B",
        "x y",
        "\u{130}",
        "\n",
        "api",
        "01980000-0000-7abc-8def-0123456789ab",
        "1e300",
        "/",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..14).prop_map(|pieces| pieces.concat())
}

/// The canonical form reads back as the same filter, and is its own canonical form.
fn round_trip(text: &str) -> Result<(), TestCaseError> {
    match Filter::parse(text) {
        Ok(filter) => {
            let canonical = filter.canonical();
            let again = Filter::parse(&canonical);
            prop_assert_eq!(again.as_ref(), Ok(&filter), "{} -> {}", text, &canonical);
            prop_assert_eq!(again.map(|again| again.canonical()), Ok(canonical));
        }
        Err(error) => {
            prop_assert!(error.column >= 1 && error.column <= text.chars().count() + 1, "{error}");
        }
    }
    Ok(())
}

/// Hands out only the fields that a filter says it reads.
struct Only<'a>(&'a Entry, &'a [Field]);

impl Fields for Only<'_> {
    fn get(&self, field: Field) -> Option<ValueRef<'_>> {
        assert!(self.1.contains(&field), "{} is not among the fields", field.name());
        self.0.get(field)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,40}") {
        round_trip(&text)?;
    }

    #[test]
    fn nearly_filters_read_back(text in near_filter()) {
        round_trip(&text)?;
    }

    #[test]
    fn a_filter_means_what_its_parts_mean(query in query(), entry in any_entry()) {
        let text = query.text();
        let filter = Filter::parse(&text).unwrap();
        let expected = query.holds(&entry);
        prop_assert_eq!(filter.matches(&Only(&entry, filter.fields())), expected, "{}", &text);
        let canonical = Filter::parse(&filter.canonical()).unwrap();
        prop_assert_eq!(canonical.matches(&entry), expected, "{}", filter.canonical());
    }

    /// Pruning never loses a match.
    #[test]
    fn matches_keep_the_bounds(query in query(), entry in any_entry()) {
        let filter = Filter::parse(&query.text()).unwrap();
        if filter.matches(&entry) {
            let account = entry.text(Field::AccountId).unwrap();
            prop_assert!(filter.accounts().is_none_or(|accounts| accounts.contains(account)));
            prop_assert!(filter.times().contains(entry.row.view().occurred_at()));
            for (field, text) in filter.exact() {
                prop_assert_eq!(entry.text(field), Some(text));
            }
        }
    }

    #[test]
    fn between_is_from_inclusive_to_exclusive(at in 0_i64..9, from in 0_i64..9, to in 0_i64..9) {
        let filter = Filter::between(Some(Micros(from)), Some(Micros(to)));
        let entry = entry(&format!("{{\"occurred_at\":\"{}\"}}", Micros(at)));
        prop_assert_eq!(filter.matches(&entry), from <= at && at < to);
    }
}
