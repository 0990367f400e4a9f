//! The reader against `serde_json` and the rules: however an event is spelled, both read the same.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use trailkeep_event::{
    EventLimits, Field, FieldKind, Fields, Micros, RowBuilder, RowRef, Section, SystemCategory,
    ValueRef, canonical_json, read_event, write_section,
};

/// Bytes that an event's text is damaged with.
const PIECES: [&str; 32] = [
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\n",
    "null",
    "true",
    "-",
    "0",
    "7",
    "1e5",
    ".5",
    "9007199254740993",
    "\\u0041",
    "\\ud800",
    "\\ud83d\\ude00",
    "\\n",
    "\u{1}",
    "\u{e9}",
    "\u{7f}",
    ",\"status\":200",
    ",\"ip\":null",
    ",\"error\":null",
    ",\"block\":{}",
    ",\"\\u0069p\":\"x\"",
    ",\"schema\":1",
    ",\"duration_us\":12",
];

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_.0-9-]{0,20}",
        "[ -~]{0,20}",
        ".{0,12}",
        "[\\u{0}-\\u{20}\"\\\\]{0,4}",
        "[a-z]{300,3000}"
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        ".{0,12}".prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::btree_map("[a-c\\u{e9}\\u{fb33}\\u{1f600}]{0,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_field_value(field: Field) -> BoxedStrategy<Value> {
    match field.kind() {
        FieldKind::Id if field == Field::AccountId || field == Field::Action => {
            "[!-~]{1,20}|[a-z\\u{e9}]{1,60}".prop_map(Value::String).boxed()
        }
        FieldKind::Id => {
            let fits = move |text: &String| text.len() <= field.bytes_max();
            any_text().prop_filter("fits", fits).prop_map(Value::String).boxed()
        }
        FieldKind::Text => any_text().prop_map(Value::String).boxed(),
        FieldKind::Enum(words) => proptest::sample::select(words)
            .prop_filter("not ours", |word| *word != SystemCategory::WORD)
            .prop_map(Value::from)
            .boxed(),
        FieldKind::Int(min, max) => (min..=max).prop_map(Value::from).boxed(),
        FieldKind::Bool => any::<bool>().prop_map(Value::from).boxed(),
        FieldKind::Time => (Micros::MIN.0..=Micros::MAX.0)
            .prop_map(|at| Value::from(Micros(at).to_string()))
            .boxed(),
        FieldKind::Object => proptest::collection::btree_map("[a-c]{0,3}", any_value(), 0..4)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
            .boxed(),
        FieldKind::Json => any_value().prop_filter("not absent", |value| !value.is_null()).boxed(),
        FieldKind::Headers => proptest::collection::vec((any_text(), any_text()), 0..3)
            .prop_map(|pairs| json!(pairs))
            .boxed(),
    }
}

/// Some fields with their values, the required ones among them, in any order.
fn any_event() -> impl Strategy<Value = Vec<(Field, Value)>> {
    let required = [Field::AccountId, Field::Action, Field::OccurredAt];
    let others: Vec<Field> =
        Field::in_row().filter(|field| field.is_sent() && !required.contains(field)).collect();
    proptest::sample::subsequence(others, 0..40)
        .prop_map(move |others| [&required[..], &others].concat())
        .prop_shuffle()
        .prop_flat_map(|fields| {
            let values: Vec<_> = fields.iter().map(|field| any_field_value(*field)).collect();
            values.prop_map(move |values| fields.iter().copied().zip(values).collect())
        })
}

/// Returns where a field is sent: in which object, and by which name.
fn place(field: Field) -> (Option<&'static str>, &'static str) {
    for group in ["error", "block"] {
        let rest = field.name().strip_prefix(group).and_then(|rest| rest.strip_prefix('_'));
        if let Some(name) = rest {
            return (Some(group), name);
        }
    }
    (None, field.name())
}

/// Writes JSON with white space and escapes as `style` says.
struct Speller<S> {
    out: String,
    style: S,
}

impl<S: Iterator<Item = u8>> Speller<S> {
    fn event(&mut self, event: &[(Field, Value)]) {
        self.token("{");
        let mut groups = Map::new();
        let mut first = true;
        for (field, value) in event {
            if let (Some(group), name) = place(*field) {
                let group = groups.entry(group).or_insert_with(|| json!({}));
                group[name] = value.clone();
                continue;
            }
            self.comma(&mut first);
            self.member(field.name(), value);
        }
        for (group, members) in &groups {
            self.comma(&mut first);
            self.member(group, members);
        }
        self.token("}");
    }

    fn comma(&mut self, first: &mut bool) {
        if !std::mem::replace(first, false) {
            self.token(",");
        }
    }

    fn member(&mut self, name: &str, value: &Value) {
        self.string(name);
        self.token(":");
        self.value(value);
    }

    fn value(&mut self, value: &Value) {
        let mut first = true;
        match value {
            Value::String(text) => self.string(text),
            Value::Array(items) => {
                self.token("[");
                for item in items {
                    self.comma(&mut first);
                    self.value(item);
                }
                self.token("]");
            }
            Value::Object(members) => {
                self.token("{");
                for (name, value) in members {
                    self.comma(&mut first);
                    self.member(name, value);
                }
                self.token("}");
            }
            other => self.token(&other.to_string()),
        }
    }

    fn token(&mut self, token: &str) {
        self.space();
        self.out.push_str(token);
        self.space();
    }

    fn space(&mut self) {
        self.out.push_str(match self.style.next() {
            Some(200..=219) => " ",
            Some(220..=229) => "\r\n\t",
            _ => "",
        });
    }

    fn string(&mut self, text: &str) {
        self.space();
        if self.style.next() < Some(200) {
            self.out.push_str(&Value::from(text).to_string());
        } else {
            self.out.push('"');
            for unit in text.encode_utf16() {
                write!(self.out, "\\u{unit:04x}").expect("a string takes it");
            }
            self.out.push('"');
        }
        self.space();
    }
}

fn spell(event: &[(Field, Value)], style: &[u8]) -> String {
    let mut speller = Speller { out: String::new(), style: style.iter().copied().cycle() };
    speller.event(event);
    speller.out
}

/// Tells whether two values are the same where every number is a double.
fn alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let same = |(name, a): (&String, &Value)| b.get(name).is_some_and(|b| alike(a, b));
            a.len() == b.len() && a.iter().all(same)
        }
        _ => a == b,
    }
}

/// Tells whether the row holds what was sent.
fn holds(found: ValueRef<'_>, field: Field, sent: &Value) -> bool {
    match found {
        ValueRef::Text(text) => sent.as_str().is_some_and(|sent| {
            let cut = sent.len() > field.bytes_max() && text.ends_with(" bytes in all]");
            text == sent || (cut && text.len() <= field.bytes_max())
        }),
        ValueRef::Int(int) => alike(&Value::from(int), sent),
        ValueRef::Bool(truth) => sent.as_bool() == Some(truth),
        ValueRef::Time(at) => sent.as_str().is_some_and(|sent| Micros::parse(sent) == Ok(at)),
        ValueRef::Json(text) => {
            let canonical = canonical_json(text.as_bytes(), &EventLimits::STANDARD);
            // A double from 2^53 to 1e21 is written as an integer token (docs/format/event.md).
            canonical.is_ok_and(|canonical| canonical == text)
                && serde_json::from_str(text).is_ok_and(|read| alike(&read, sent))
        }
        ValueRef::Id(_) => false,
    }
}

/// Checks a row that was read against what `serde_json` reads of the same text.
fn check(text: &[u8], row: RowRef<'_>) -> Result<(), TestCaseError> {
    let sent: Value = serde_json::from_slice(text)
        .map_err(|error| TestCaseError::fail(format!("admitted, but no JSON: {error}")))?;
    for field in Field::in_row() {
        let (group, name) = place(field);
        let sent = group.map_or(Some(&sent), |group| sent.get(group)).and_then(|o| o.get(name));
        match (row.value(field), sent.filter(|sent| !sent.is_null())) {
            (None, None) => {}
            (Some(found), Some(sent)) => {
                prop_assert!(holds(found, field, sent), "{field:?}: {found:?}, sent {sent}");
            }
            (Some(found), None) => {
                let ours = [Field::Category, Field::Outcome, Field::Schema];
                prop_assert!(ours.contains(&field), "{field:?}: {found:?}, not sent");
            }
            (None, Some(sent)) => prop_assert!(false, "{field:?}: absent, sent {sent}"),
        }
    }
    prop_assert_eq!(RowRef::parse(row.as_bytes()), Ok(row));
    let unpacked = row.unpack();
    for field in Field::ALL {
        prop_assert_eq!(unpacked.get(*field), row.value(*field));
    }
    for section in Section::ALL {
        let (mut of_row, mut of_unpacked) = (Vec::new(), Vec::new());
        write_section(&row, section, &mut of_row);
        write_section(&unpacked, section, &mut of_unpacked);
        prop_assert_eq!(of_row, of_unpacked);
    }
    prop_assert!(row.equals(&unpacked));
    Ok(())
}

proptest! {
    #[test]
    fn a_sound_event_is_read_however_it_is_spelled(
        event in any_event(),
        style in proptest::collection::vec(any::<u8>(), 1..40),
    ) {
        let mut builder = RowBuilder::default();
        let text = spell(&event, &style);
        let row = read_event(text.as_bytes(), &EventLimits::STANDARD, &mut builder)
            .map_err(|error| TestCaseError::fail(format!("{error} in {text}")))?;
        check(text.as_bytes(), row.view())?;
        let plain = spell(&event, &[0]);
        let again = read_event(plain.as_bytes(), &EventLimits::STANDARD, &mut builder);
        prop_assert_eq!(again, Ok(row));
    }

    #[test]
    fn a_damaged_event_is_refused_or_read_as_what_it_says(
        event in any_event(),
        style in proptest::collection::vec(any::<u8>(), 1..40),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), 0..6_usize, 0..32_usize), 1..3),
    ) {
        let mut bytes = spell(&event, &style).into_bytes();
        for (at, n_lost, piece) in damage {
            let at = at.index(bytes.len());
            let end = bytes.len().min(at + n_lost);
            bytes.splice(at..end, PIECES[piece].bytes());
        }
        let read = read_event(&bytes, &EventLimits::STANDARD, &mut RowBuilder::default());
        if let Ok(row) = read {
            check(&bytes, row.view())?;
        }
    }
}
