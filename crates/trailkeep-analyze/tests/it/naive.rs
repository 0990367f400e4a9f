//! The same answers, made slowly and plainly.

use std::collections::BTreeMap;

use serde_json::Value;
use trailkeep_analyze::{Cell, Step};
use trailkeep_event::{Entry, Field, Fields, Micros, ValueRef};

/// A value that can be a key: its JSON text.
pub(crate) type Key = String;

/// Returns what a name looks at: null where it is absent.
pub(crate) fn value(entry: &Entry, name: &str) -> Value {
    let (name, step) = match name.rsplit_once(':') {
        Some((name, step)) => (name, Some(Step::parse(step).unwrap())),
        None => (name, None),
    };
    let mut parts = name.split('.');
    let head = parts.next().unwrap();
    let field = Field::from_name(match head {
        "duration_ms" => "duration_us",
        other => other,
    });
    let found = entry.get(field.unwrap());
    let value = match found {
        None => Value::Null,
        Some(ValueRef::Text(text)) => text.into(),
        Some(ValueRef::Int(int)) => int.into(),
        Some(ValueRef::Bool(truth)) => truth.into(),
        Some(ValueRef::Id(id)) => id.to_string().into(),
        Some(ValueRef::Time(at)) => step.map_or(at, |step| step.floor(at)).to_string().into(),
        Some(ValueRef::Json(json)) => {
            let whole: Value = serde_json::from_str(json).unwrap();
            return member(&whole, &parts.collect::<Vec<_>>());
        }
    };
    if head == "duration_ms" && !value.is_null() {
        return (value.as_f64().unwrap() / 1000.0).into();
    }
    value
}

fn member(value: &Value, path: &[&str]) -> Value {
    match path.split_first() {
        None => match value {
            Value::Null | Value::String(_) => value.clone(),
            other => other.to_string().into(),
        },
        Some((key, rest)) => value.get(key).map_or(Value::Null, |value| member(value, rest)),
    }
}

/// Returns how many events an entry stands for.
pub(crate) fn weight(entry: &Entry) -> u64 {
    value(entry, "sample_rate").as_u64().unwrap_or(1)
}

/// Returns a metric of some entries.
pub(crate) fn metric(entries: &[&Entry], metric: &str) -> Value {
    let (function, name) = metric.split_once(' ').unwrap_or((metric, ""));
    if function == "estimated" {
        return entries.iter().map(|entry| weight(entry)).sum::<u64>().into();
    }
    if name.is_empty() {
        return entries.len().into();
    }
    let values: Vec<Value> =
        entries.iter().map(|entry| value(entry, name)).filter(|value| !value.is_null()).collect();
    match function {
        "count" => return values.len().into(),
        "count_distinct" => {
            let mut texts: Vec<String> = values.iter().map(Value::to_string).collect();
            texts.sort();
            texts.dedup();
            return texts.len().into();
        }
        _ => {}
    }
    if let Some(text) = values.first().and_then(Value::as_str)
        && Micros::parse(text).is_ok()
    {
        let texts = values.iter().filter_map(Value::as_str);
        let picked = if function == "min" { texts.min() } else { texts.max() };
        return picked.unwrap_or_default().into();
    }
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    let mut numbers: Vec<f64> = values.iter().filter_map(number).collect();
    if numbers.is_empty() {
        return Value::Null;
    }
    numbers.sort_unstable_by(f64::total_cmp);
    let n = numbers.len();
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "small numbers")]
    let count = n as f64;
    let sum: f64 = numbers.iter().sum();
    match function {
        "sum" => sum,
        "avg" => sum / count,
        "min" => numbers[0],
        "max" => numbers[n - 1],
        percentile => {
            let share: f64 = percentile.trim_start_matches('p').parse::<f64>().unwrap() / 100.0;
            let place = share * (count - 1.0);
            #[expect(
                clippy::as_conversions,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a small positive number"
            )]
            let below = place.floor() as usize;
            let above = numbers[(below + 1).min(n - 1)];
            numbers[below] + (above - numbers[below]) * (place - place.floor())
        }
    }
    .into()
}

/// Returns the groups with their metrics, in the order of the groups.
pub(crate) fn aggregate(
    entries: &[&Entry],
    group_by: &[&str],
    metrics: &[&str],
) -> BTreeMap<Key, Vec<Value>> {
    let mut groups: BTreeMap<Key, (Vec<Value>, Vec<&Entry>)> = BTreeMap::new();
    if group_by.is_empty() {
        groups.insert(key(&[]), (Vec::new(), Vec::new()));
    }
    for entry in entries {
        let values: Vec<Value> = group_by.iter().map(|name| value(entry, name)).collect();
        groups.entry(key(&values)).or_insert_with(|| (values, Vec::new())).1.push(entry);
    }
    groups
        .into_iter()
        .map(|(key, (mut row, entries))| {
            row.extend(metrics.iter().map(|name| metric(&entries, name)));
            (key, row)
        })
        .collect()
}

pub(crate) fn key(values: &[Value]) -> Key {
    serde_json::to_string(values).unwrap()
}

/// Tells whether a cell is a value: numbers to the digits that answers have.
pub(crate) fn is(cell: &Cell, value: &Value) -> bool {
    let cell = serde_json::to_value(cell).unwrap();
    match (cell.as_f64(), value.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1e-9),
        _ => cell == *value,
    }
}
