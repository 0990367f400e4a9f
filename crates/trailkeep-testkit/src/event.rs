//! Strategies for events as producers send them.

use proptest::prelude::*;
use trailkeep_event::{Field, Row, SCHEMA_VERSION, SystemCategory, ValueRef};

use crate::row::{AnyValue, any_values, build};

/// An event that the reader accepts, in two spellings.
#[derive(Clone, Debug)]
pub struct AnyEvent {
    /// The event.
    pub json: String,
    /// The same event: members in another order, spaces, null for what is absent.
    pub respelled: String,
    /// The row that both become.
    pub row: Row,
}

/// Makes any event that the reader accepts.
pub fn any_event_json() -> impl Strategy<Value = AnyEvent> {
    (any_values(), any::<u64>()).prop_map(|(values, turn)| {
        let row = build(&sendable(values));
        let json = event_json(&row);
        let respelled = respell(&row, turn);
        AnyEvent { json, respelled, row }
    })
}

/// Returns an event that, sent, becomes the row: what is ours alone is left out.
pub fn event_json(row: &Row) -> String {
    let Members { top, error, block } = Members::of(row);
    let mut members = top;
    if !error.is_empty() {
        members.push(format!("\"error\":{{{}}}", error.join(",")));
    }
    if !block.is_empty() {
        members.push(format!("\"block\":{{{}}}", block.join(",")));
    }
    format!("{{{}}}", members.join(","))
}

/// Turns any values into those that a row has after it was sent.
fn sendable(values: Vec<(Field, AnyValue)>) -> Vec<(Field, AnyValue)> {
    let system = AnyValue::Text(SystemCategory::WORD.to_owned());
    let mut sent: Vec<_> = values
        .into_iter()
        .filter(|(field, value)| field.is_sent() && (*field != Field::Category || *value != system))
        .collect();
    sent.push((Field::Schema, AnyValue::Int(SCHEMA_VERSION)));
    for (field, word) in [(Field::Category, "api"), (Field::Outcome, "unknown")] {
        if !sent.iter().any(|(sent_field, _value)| *sent_field == field) {
            sent.push((field, AnyValue::Text(word.to_owned())));
        }
    }
    sent
}

/// An event's members as JSON text, by the object that holds them.
#[derive(Default)]
struct Members {
    top: Vec<String>,
    error: Vec<String>,
    block: Vec<String>,
}

impl Members {
    fn of(row: &Row) -> Self {
        let mut members = Self::default();
        row.view().for_each(|field, value| {
            if !field.is_sent() {
                return;
            }
            let text = value_json(value);
            if let Some(name) = field.name().strip_prefix("error_") {
                members.error.push(format!("\"{name}\":{text}"));
            } else if let Some(name) = field.name().strip_prefix("block_") {
                members.block.push(format!("\"{name}\":{text}"));
            } else {
                members.top.push(format!("\"{}\":{text}", field.name()));
            }
        });
        members
    }
}

fn respell(row: &Row, turn: u64) -> String {
    let Members { mut top, error, block } = Members::of(row);
    for (name, members) in [("error", error), ("block", block)] {
        let members: Vec<_> = members.into_iter().rev().collect();
        // An empty object says as much as none.
        top.push(format!("\"{name}\" : {{ {} }}", members.join(" , ")));
    }
    let mut absent = Vec::new();
    for field in [Field::ActorId, Field::Status, Field::Metadata, Field::Before, Field::Intent] {
        if row.view().value(field).is_none() {
            absent.push(format!("\"{}\": null", field.name()));
        }
    }
    top.append(&mut absent);
    let n_members = u64::try_from(top.len()).unwrap_or(1);
    let middle = usize::try_from(turn.rem_euclid(n_members)).unwrap_or(0);
    top.rotate_left(middle);
    format!("\n{{\t{} }} ", top.join(" ,\r\n"))
}

fn value_json(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(text) => serde_json::Value::from(text).to_string(),
        ValueRef::Int(int) => int.to_string(),
        ValueRef::Bool(truth) => truth.to_string(),
        ValueRef::Json(text) => text.to_owned(),
        ValueRef::Time(at) => format!("\"{at}\""),
        ValueRef::Id(id) => format!("\"{id}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row_of;

    proptest! {
        #[test]
        fn both_spellings_become_the_row(event in any_event_json()) {
            prop_assert_eq!(row_of(&event.json), event.row.clone());
            prop_assert_eq!(row_of(&event.respelled), event.row);
        }
    }
}
