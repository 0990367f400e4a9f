//! Decides whether a member of an event can hold a value, and whether it holds all of it.

use std::borrow::Cow;

use trailkeep_event::{AccountId, Field, FieldKind, Micros, SystemCategory};

use crate::json::Value;
use crate::target::Target;

/// A value in the form in which the event takes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fitted<'r> {
    Text(Cow<'r, str>),
    /// A number, `true` or `false`, written without quotes.
    Bare(Cow<'r, str>),
    Time(Micros),
    Json(&'r Value<'r>),
    Headers(Vec<(&'r str, &'r str)>),
}

/// A value that fits, and whether nothing of the original is lost in it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fit<'r> {
    pub(crate) value: Fitted<'r>,
    pub(crate) whole: bool,
}

/// The longest `YYYY-MM-DDTHH:MM:SS.ffffffZ`: more than that, or a zone, is not kept in a time.
const WHOLE_TIME_BYTES: usize = 27;
/// The digits before the point of a duration that cannot overflow.
const DURATION_DIGITS_MAX: usize = 12;

/// Fits a value of a record into a member.
pub(crate) fn fit<'r>(target: Target, value: &'r Value<'r>) -> Option<Fit<'r>> {
    if let Target::Field(field) = target {
        match field.kind() {
            FieldKind::Json => return Some(whole(Fitted::Json(value))),
            FieldKind::Object => {
                let object = matches!(value, Value::Object(_));
                return object.then(|| whole(Fitted::Json(value)));
            }
            FieldKind::Headers => return headers(value).map(Fitted::Headers).map(whole),
            FieldKind::Id
            | FieldKind::Text
            | FieldKind::Enum(_)
            | FieldKind::Int(..)
            | FieldKind::Bool
            | FieldKind::Time => {}
        }
    }
    fit_text(target, Cow::Borrowed(value.scalar()?))
}

/// Fits a text, or the text of a number or truth value, into a member.
pub(crate) fn fit_text(target: Target, text: Cow<'_, str>) -> Option<Fit<'_>> {
    let field = match target {
        Target::DurationMs => return duration(text),
        Target::Field(field) => field,
    };
    match field.kind() {
        FieldKind::Id => fits_id(field, &text).then(|| whole(Fitted::Text(text))),
        FieldKind::Text => {
            // The event reader cuts a longer text, with a mark.
            let whole = text.len() <= field.bytes_max();
            Some(Fit { value: Fitted::Text(text), whole })
        }
        FieldKind::Enum(words) => {
            let word = words.contains(&text.as_ref()) && text != SystemCategory::WORD;
            word.then(|| whole(Fitted::Text(text)))
        }
        FieldKind::Int(min, max) => {
            let int: i64 = text.parse().ok().filter(|int| (min..=max).contains(int))?;
            let digits = int.to_string();
            let whole = digits == text;
            Some(Fit { value: Fitted::Bare(Cow::Owned(digits)), whole })
        }
        FieldKind::Bool => {
            matches!(text.as_ref(), "true" | "false").then(|| whole(Fitted::Bare(text)))
        }
        FieldKind::Time => {
            let whole = text.ends_with('Z') && text.len() <= WHOLE_TIME_BYTES;
            Some(Fit { value: Fitted::Time(Micros::parse(&text).ok()?), whole })
        }
        FieldKind::Json => Some(whole(Fitted::Text(text))),
        FieldKind::Object | FieldKind::Headers => None,
    }
}

fn whole(value: Fitted<'_>) -> Fit<'_> {
    Fit { value, whole: true }
}

/// Repeats the event reader's rules for identifiers, so that one that breaks them stays in
/// `metadata` instead of costing the whole record.
fn fits_id(field: Field, text: &str) -> bool {
    let short = text.len() <= field.bytes_max();
    match field {
        Field::AccountId => AccountId::parse(text).is_ok(),
        Field::Action => {
            let fits = (1..=128).contains(&text.chars().count());
            short && fits && !text.chars().any(char::is_control)
        }
        _ => short,
    }
}

fn duration(text: Cow<'_, str>) -> Option<Fit<'_>> {
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if !digits(whole) || !digits(fraction) || whole.len() > DURATION_DIGITS_MAX || leading_zero {
        return None;
    }
    // Digits beyond the microsecond are dropped by the event reader.
    let whole = fraction.len() <= 3;
    Some(Fit { value: Fitted::Bare(text), whole })
}

/// Reads `[[name, value], ...]`, or an object of texts or of lists of texts.
fn headers<'r>(value: &'r Value<'r>) -> Option<Vec<(&'r str, &'r str)>> {
    let mut pairs = Vec::new();
    match value {
        Value::List(items) => {
            for item in items {
                let Value::List(pair) = item else { return None };
                let [Value::Text(name), Value::Text(text)] = pair.as_slice() else { return None };
                pairs.push((name.as_ref(), text.as_ref()));
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let texts = match member {
                    Value::List(items) => items.as_slice(),
                    one => std::slice::from_ref(one),
                };
                for text in texts {
                    let Value::Text(text) = text else { return None };
                    pairs.push((name.as_ref(), text.as_ref()));
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => return None,
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    /// The fitted value in short, with `~` before it where something is lost.
    fn shown(target: Target, json: &str) -> Option<String> {
        let value = parse(json, 9).unwrap();
        let fit = fit(target, &value)?;
        let shown = match fit.value {
            Fitted::Text(text) => format!("\"{text}\""),
            Fitted::Bare(text) => text.into_owned(),
            Fitted::Time(at) => at.to_string(),
            Fitted::Json(_) => "json".to_owned(),
            Fitted::Headers(pairs) => format!("{pairs:?}"),
        };
        Some(if fit.whole { shown } else { format!("~{shown}") })
    }

    #[test]
    fn values_fit_by_the_kind_of_the_field() {
        let long = format!("\"{}\"", "x".repeat(300));
        let cases = [
            (Field::ActorId, "\"a\"", Some("\"a\"")),
            (Field::ActorId, "12345678901234567890", Some("\"12345678901234567890\"")),
            (Field::ActorId, "true", Some("\"true\"")),
            (Field::ActorId, "[]", None),
            (Field::Ip, &long, None),
            (Field::Action, "\"\"", None),
            (Field::Action, "\"a\\nb\"", None),
            (Field::AccountId, "\"\"", None),
            (Field::Outcome, "\"denied\"", Some("\"denied\"")),
            (Field::Outcome, "\"Denied\"", None),
            (Field::Category, "\"system\"", None),
            (Field::Status, "404", Some("404")),
            (Field::Status, "\"404\"", Some("404")),
            (Field::Status, "\"+404\"", Some("~404")),
            (Field::Status, "4040", None),
            (Field::Status, "404.5", None),
            (Field::Intent, "true", Some("true")),
            (Field::Intent, "1", None),
            (Field::OccurredAt, "\"2026-01-01T00:00:00Z\"", Some("2026-01-01T00:00:00.000Z")),
            (Field::OccurredAt, "\"2026-01-01T01:00:00+01:00\"", Some("~2026-01-01T00:00:00.000Z")),
            (Field::OccurredAt, "\"2026-01-01\"", None),
            (Field::RequestBody, "7", Some("json")),
            (Field::QueryParams, "{}", Some("json")),
            (Field::QueryParams, "[]", None),
            (Field::Headers, "[[\"a\",\"b\"],[\"a\",\"c\"]]", Some(r#"[("a", "b"), ("a", "c")]"#)),
            (Field::Headers, "{\"a\":[\"b\",\"c\"]}", Some(r#"[("a", "b"), ("a", "c")]"#)),
            (Field::Headers, "[[\"a\"]]", None),
        ];
        for (field, json, expected) in cases {
            let shown = shown(Target::Field(field), json);
            assert_eq!(shown.as_deref(), expected, "{} {json}", field.name());
        }
    }

    #[test]
    fn durations() {
        let cases = [
            ("12", Some("12")),
            ("\"0.125\"", Some("0.125")),
            ("1.23456", Some("~1.23456")),
            ("-1", None),
            ("1e3", None),
            ("\"01\"", None),
            ("1234567890123", None),
        ];
        for (json, expected) in cases {
            assert_eq!(shown(Target::DurationMs, json).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn long_texts_are_not_whole() {
        let long = format!("\"{}\"", "x".repeat(9000));
        let shown = shown(Target::Field(Field::Path), &long).unwrap();
        assert!(shown.starts_with('~'));
    }
}
