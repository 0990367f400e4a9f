//! Strategies for rows.

use proptest::prelude::*;
use trailkeep_event::{Field, FieldKind, Micros, Row, RowBuilder, ValueRef};

use crate::json::{any_canonical_json, any_headers, any_object, any_text, canonical};

/// One owned value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyValue {
    /// A text, an identifier or a word.
    Text(String),
    /// An integer.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// Canonical JSON.
    Json(String),
    /// A time.
    Time(Micros),
}

impl AnyValue {
    /// Borrows the value.
    pub fn view(&self) -> ValueRef<'_> {
        match self {
            Self::Text(text) => ValueRef::Text(text),
            Self::Int(int) => ValueRef::Int(*int),
            Self::Bool(truth) => ValueRef::Bool(*truth),
            Self::Json(text) => ValueRef::Json(text),
            Self::Time(at) => ValueRef::Time(*at),
        }
    }
}

/// Makes any row: the three required fields, and any of the others with any value that a row may
/// hold. Not every such row can be sent (`schema`, `subject_hash`, the category `system`); see
/// [`crate::any_event_json`] for those that can.
pub fn any_row() -> impl Strategy<Value = Row> {
    any_values().prop_map(|values| build(&values))
}

/// Makes any value that a row may hold for the field.
///
/// # Panics
/// Where the field is no part of a row.
pub fn any_value(field: Field) -> BoxedStrategy<AnyValue> {
    assert!(field.section().is_some(), "`{}` is no part of a row", field.name());
    match (field, field.kind()) {
        (Field::AccountId, _) => any_account_id().prop_map(AnyValue::Text).boxed(),
        (Field::Action, _) => any_action().prop_map(AnyValue::Text).boxed(),
        (_, FieldKind::Id | FieldKind::Text) => {
            any_bounded_text(field.bytes_max()).prop_map(AnyValue::Text).boxed()
        }
        (_, FieldKind::Enum(words)) => {
            prop::sample::select(words).prop_map(|word| AnyValue::Text(word.to_owned())).boxed()
        }
        (_, FieldKind::Int(min, max)) => {
            prop_oneof![3 => min..=max, 1 => Just(min), 1 => Just(max)]
                .prop_map(AnyValue::Int)
                .boxed()
        }
        (_, FieldKind::Bool) => any::<bool>().prop_map(AnyValue::Bool).boxed(),
        (_, FieldKind::Object) => {
            any_object().prop_map(|value| AnyValue::Json(canonical(&value))).boxed()
        }
        // A member that is null is absent; null further inside is kept.
        (_, FieldKind::Json) => any_canonical_json()
            .prop_map(|text| AnyValue::Json(if text == "null" { "0".to_owned() } else { text }))
            .boxed(),
        (_, FieldKind::Headers) => {
            any_headers().prop_map(|value| AnyValue::Json(canonical(&value))).boxed()
        }
        (_, FieldKind::Time) => any_time().prop_map(AnyValue::Time).boxed(),
    }
}

/// Makes account ids: often one of three, so that rows share accounts.
pub fn any_account_id() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(&["acme", "globex", "initech"][..]).prop_map(str::to_owned),
        1 => "[a-z0-9_-]{1,128}",
        1 => "[ -~\u{e9}\u{4e2d}\u{1f600}]{1,16}",
    ]
}

/// Makes what [`any_row`] is made of, in field order.
pub(crate) fn any_values() -> impl Strategy<Value = Vec<(Field, AnyValue)>> {
    let fields: Vec<_> = Field::in_row()
        .map(|field| {
            let value = any_value(field).prop_map(move |value| (field, value));
            if is_required(field) {
                value.prop_map(Some).boxed()
            } else {
                prop::option::weighted(0.35, value).boxed()
            }
        })
        .collect();
    fields.prop_map(|values| values.into_iter().flatten().collect())
}

/// Builds a row.
pub(crate) fn build(values: &[(Field, AnyValue)]) -> Row {
    let mut builder = RowBuilder::default();
    for (field, value) in values {
        builder.set(*field, value.view());
    }
    builder.finish()
}

fn is_required(field: Field) -> bool {
    matches!(field, Field::AccountId | Field::OccurredAt | Field::Action)
}

fn any_action() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z]{1,10}[._-][a-z]{1,10}",
        1 => "[A-Z_]{1,128}",
        1 => "[ -~\u{e9}\u{4e2d}\u{1f600}]{1,128}",
    ]
}

fn any_bounded_text(bytes_max: usize) -> impl Strategy<Value = String> {
    let longest = "x".repeat(bytes_max.min(2048));
    prop_oneof![
        30 => any_text().prop_map(move |text| if text.len() <= bytes_max { text } else { String::new() }),
        1 => Just(longest),
    ]
}

fn any_time() -> impl Strategy<Value = Micros> {
    const YEAR_2026: i64 = 1_767_225_600_000_000;
    prop_oneof![
        4 => (0_i64..31_536_000_000).prop_map(|millis| Micros(YEAR_2026 + millis * 1000)),
        1 => (Micros::MIN.0..=Micros::MAX.0).prop_map(Micros),
        1 => prop::sample::select(&[Micros::MIN, Micros::MAX, Micros(-1), Micros(0)][..]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailkeep_event::RowRef;

    proptest! {
        #[test]
        fn any_row_is_a_row(values in any_values()) {
            let row = build(&values);
            prop_assert_eq!(RowRef::parse(row.as_bytes()), Ok(row.view()));
            let mut seen = Vec::new();
            row.view().for_each(|field, value| seen.push((field, value)));
            let made: Vec<_> = values.iter().map(|(field, value)| (*field, value.view())).collect();
            prop_assert_eq!(seen, made);
        }
    }
}
