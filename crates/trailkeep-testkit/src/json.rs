//! Strategies for free JSON.

#![expect(clippy::expect_used, reason = "test code")]

use proptest::collection::{btree_map, vec};
use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
use proptest::prelude::*;
use serde_json::Value;
use trailkeep_event::{EventLimits, canonical_json};

/// 2^53 - 1, the largest integer token of an event.
const INT_MAX: i64 = 9_007_199_254_740_991;

/// Makes any JSON value that an event may hold: at most 4 levels and 24 values.
pub fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-INT_MAX..=INT_MAX).prop_map(Value::from),
        prop_oneof![Just(0), Just(-1), Just(INT_MAX), Just(-INT_MAX)].prop_map(Value::from),
        any_double().prop_map(Value::from),
        any_text().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::Array),
            any_object_of(inner).prop_map(Value::Object),
        ]
    })
}

/// Makes the canonical text of any JSON value.
pub fn any_canonical_json() -> impl Strategy<Value = String> {
    any_json().prop_map(|value| canonical(&value))
}

/// Makes any JSON object.
pub(crate) fn any_object() -> impl Strategy<Value = Value> {
    any_object_of(any_json()).prop_map(Value::Object)
}

/// Makes any list of header pairs; names may repeat.
pub(crate) fn any_headers() -> impl Strategy<Value = Value> {
    let name = prop_oneof![Just("Accept".to_owned()), Just("accept".to_owned()), any_text()];
    vec((name, any_text()), 0..6).prop_map(|pairs| {
        Value::Array(
            pairs.into_iter().map(|(name, value)| Value::from(vec![name, value])).collect(),
        )
    })
}

/// Makes texts of every sort: empty, plain, escaped, beyond the basic plane.
pub(crate) fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just(String::new()),
        3 => "[a-z0-9_.:/-]{1,24}",
        2 => ".{0,12}",
        1 => "[\u{0}-\u{1f}\"\\\\/\u{7f}-\u{9f}]{1,6}",
        1 => "[\u{e000}-\u{ffff}\u{10000}-\u{10ffff}]{1,4}",
    ]
}

/// Returns the canonical text of a value.
pub(crate) fn canonical(value: &Value) -> String {
    canonical_json(value.to_string().as_bytes(), &EventLimits::STANDARD)
        .expect("strategies keep the limits")
}

fn any_object_of(
    value: impl Strategy<Value = Value>,
) -> impl Strategy<Value = serde_json::Map<String, Value>> {
    let key = prop_oneof![3 => "[a-zA-Z_.]{1,8}", 1 => any_text()];
    btree_map(key, value, 0..5).prop_map(|members| members.into_iter().collect())
}

/// Makes doubles, except whole ones from 2^53 to 1e21: their canonical text is an integer token
/// that the reader refuses to read again.
fn any_double() -> impl Strategy<Value = f64> {
    let whole = 9_007_199_254_740_992.0..1e21;
    (POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO)
        .prop_map(move |double| if whole.contains(&double.abs()) { 0.5 } else { double })
}
