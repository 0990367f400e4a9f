//! Reads one event as a producer sent it.

mod duration;
mod rules;

use std::borrow::Cow;

use self::duration::micros_of_millis;
use self::rules::{check_id, check_word, cut, plainly_allowed};
use crate::field::Shape;
use crate::json::{Kind, Plain, Scanner, lossy, utf8};
use crate::number::integer;
use crate::position::Admission;
use crate::presence::Presence;
use crate::{
    EventLimits, Field, FieldKind, Micros, Rejection, RejectionCode as Code, Row, RowBuilder,
    SCHEMA_VERSION, ValueRef,
};

/// Reads one event and returns its row. `builder` only lends its memory.
///
/// Absent `category` and `outcome` become `api` and `unknown`; null members are absent; texts
/// beyond their field's limit are cut with a mark. Costs about 1 us for a usual event of 740 bytes.
///
/// # Errors
/// The first rule that the event breaks, with a pointer to where.
pub fn read_event(
    input: &[u8],
    limits: &EventLimits,
    builder: &mut RowBuilder,
) -> Result<Row, Rejection> {
    if input.len() > limits.input_bytes_max {
        let detail = format!(
            "the event has {} bytes, at most {} are read",
            input.len(),
            limits.input_bytes_max
        );
        return Err(Rejection::new(Code::EventTooLarge, detail));
    }
    builder.clear();
    let scanner = Scanner::new(utf8(input)?, limits);
    let mut reader = Reader {
        scanner,
        builder,
        seen: Presence::default(),
        groups: [false; 2],
        duration_ms: false,
    };
    reader.event()?;
    reader.scanner.end()?;
    complete(builder, limits)?;
    Ok(builder.finish())
}

/// Where a member stands: at the top, or in the `error` or `block` object.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Level {
    Top,
    Error,
    Block,
}

struct Reader<'r, 'a> {
    scanner: Scanner<'a>,
    builder: &'r mut RowBuilder,
    /// The fields that were sent, those with null included.
    seen: Presence,
    /// Which of the two objects were sent.
    groups: [bool; 2],
    /// Whether the duration came as `duration_ms`.
    duration_ms: bool,
}

impl<'a> Reader<'_, 'a> {
    fn event(&mut self) -> Admission<()> {
        if self.scanner.kind()? != Kind::Object {
            return Err(self.scanner.unexpected("an object (`{`)"));
        }
        self.object(Level::Top)
    }

    fn object(&mut self, level: Level) -> Admission<()> {
        self.scanner.expect(b'{')?;
        self.scanner.enter()?;
        if !self.scanner.accept(b'}') {
            loop {
                let key = self.scanner.key()?;
                self.member(level, &key).map_err(|error| error.inside(&lossy(&key)))?;
                if !self.scanner.accept(b',') {
                    break;
                }
            }
            self.scanner.expect(b'}')?;
        }
        self.scanner.leave();
        Ok(())
    }

    fn member(&mut self, level: Level, key: &[u8]) -> Admission<()> {
        let field = field_of(level, key).filter(|field| field.is_sent());
        let Some(field) = field else { return self.no_field(level, key) };
        if field == Field::DurationUs && self.duration_ms {
            return Err(both_durations());
        }
        if !self.seen.add(field) {
            return Err(stands_twice());
        }
        self.value(field)
    }

    /// Reads a member that is not one field.
    fn no_field(&mut self, level: Level, key: &[u8]) -> Admission<()> {
        match (level, key) {
            (Level::Top, b"duration_ms") => self.duration_ms(),
            (Level::Top, b"error") => self.group(Level::Error),
            (Level::Top, b"block") => self.group(Level::Block),
            _ if field_of(level, key).is_some() => Err(reserved(&lossy(key))),
            _ => Err(unknown(level, &lossy(key))),
        }
    }

    /// Reads the `error` or `block` object.
    fn group(&mut self, level: Level) -> Admission<()> {
        let [error, block] = &mut self.groups;
        let sent = if level == Level::Error { error } else { block };
        if std::mem::replace(sent, true) {
            return Err(stands_twice());
        }
        match self.scanner.kind()? {
            Kind::Null => self.scanner.null(),
            Kind::Object => self.object(level),
            other => Err(wrong_type("an object", other)),
        }
    }

    fn value(&mut self, field: Field) -> Admission<()> {
        // The most usual values first: the rest of this function would read them the same.
        self.scanner.skip_space();
        match field.shape() {
            Shape::Text | Shape::Word => {
                if let Some(plain) = self.scanner.plain_string() {
                    return self.plain_text(field, plain);
                }
            }
            Shape::Int => {
                if let Some(int) = self.scanner.short_integer() {
                    return self.int(field, int);
                }
            }
            Shape::Bool | Shape::Time | Shape::Json => {}
        }
        let kind = self.scanner.kind()?;
        if kind == Kind::Null {
            return self.scanner.null();
        }
        match field.kind() {
            FieldKind::Id | FieldKind::Text | FieldKind::Enum(_) => {
                let text = self.string(kind)?;
                self.text(field, &text)?;
            }
            FieldKind::Int(..) => {
                let int = self.integer(kind)?;
                self.int(field, int)?;
            }
            FieldKind::Bool => {
                if kind != Kind::Bool {
                    return Err(wrong_type("true or false", kind));
                }
                let truth = self.scanner.boolean()?;
                self.builder.set(field, ValueRef::Bool(truth));
            }
            FieldKind::Time => {
                let at = Micros::parse(&self.string(kind)?)
                    .map_err(|error| Rejection::new(Code::InvalidValue, error.to_string()))?;
                self.builder.set(field, ValueRef::Time(at));
            }
            FieldKind::Object if kind != Kind::Object => return Err(wrong_type("an object", kind)),
            FieldKind::Object | FieldKind::Json => self.canonical(field)?,
            FieldKind::Headers if kind != Kind::List => return Err(wrong_type(HEADERS, kind)),
            FieldKind::Headers => {
                self.canonical(field)?;
                check_headers(self.builder.json(field))?;
            }
        }
        Ok(())
    }

    /// Sets a field whose values are texts to one that has no escape.
    fn plain_text(&mut self, field: Field, plain: Plain<'a>) -> Admission<()> {
        if !plainly_allowed(field, plain.bytes()) {
            return self.text(field, &lossy(plain.bytes()));
        }
        self.builder.set_start(field, plain.from, plain.len);
        Ok(())
    }

    /// Sets a field whose values are texts.
    fn text(&mut self, field: Field, text: &str) -> Admission<()> {
        match field.kind() {
            FieldKind::Enum(words) => check_word(field, text, words)?,
            FieldKind::Text if text.len() > field.bytes_max() => {
                self.builder.set(field, ValueRef::Text(&cut(text, field.bytes_max())));
                return Ok(());
            }
            FieldKind::Text => {}
            _ => check_id(field, text)?,
        }
        self.builder.set(field, ValueRef::Text(text));
        Ok(())
    }

    /// Sets a field whose values are integers.
    fn int(&mut self, field: Field, int: i64) -> Admission<()> {
        if let FieldKind::Int(min, max) = field.kind()
            && !(min..=max).contains(&int)
        {
            let detail = format!("{int} is not between {min} and {max}");
            return Err(Rejection::new(Code::OutOfRange, detail));
        }
        self.builder.set(field, ValueRef::Int(int));
        Ok(())
    }

    fn string(&mut self, kind: Kind) -> Admission<Cow<'a, str>> {
        if kind == Kind::String { self.scanner.string() } else { Err(wrong_type("a string", kind)) }
    }

    fn integer(&mut self, kind: Kind) -> Admission<i64> {
        if kind != Kind::Number {
            return Err(wrong_type("an integer", kind));
        }
        let token = self.scanner.number()?;
        integer(token).unwrap_or_else(|| {
            let detail = "expected an integer, found a number with a fraction or exponent";
            Err(Rejection::new(Code::WrongType, detail))
        })
    }

    /// Reads `duration_ms`, which may have decimals, into `duration_us`.
    fn duration_ms(&mut self) -> Admission<()> {
        if self.duration_ms {
            return Err(stands_twice());
        }
        let kind = self.scanner.kind()?;
        if kind == Kind::Null {
            self.duration_ms = true;
            return self.scanner.null();
        }
        if self.seen.has(Field::DurationUs) {
            return Err(both_durations());
        }
        self.duration_ms = true;
        if kind != Kind::Number {
            return Err(wrong_type("a number of milliseconds", kind));
        }
        let micros = micros_of_millis(self.scanner.number()?)?;
        self.builder.set(Field::DurationUs, ValueRef::Int(micros));
        Ok(())
    }

    fn canonical(&mut self, field: Field) -> Admission<()> {
        let scanner = &mut self.scanner;
        self.builder.set_json(field, |out| scanner.canonical(out))
    }
}

/// What `headers` looks like, for messages.
const HEADERS: &str = "a list of [\"name\", \"value\"] pairs";

/// Checks the canonical text of a list: it has no spaces, so a second pass is cheap and simple.
fn check_headers(text: &str) -> Admission<()> {
    let limits = EventLimits::STANDARD;
    let mut scanner = Scanner::new(text, &limits);
    scanner.expect(b'[')?;
    let mut index = 0_usize;
    while !scanner.accept(b']') {
        header_pair(&mut scanner).map_err(|()| wrong_shape(HEADERS).inside(&index.to_string()))?;
        index = index.saturating_add(1);
        scanner.accept(b',');
    }
    Ok(())
}

fn header_pair(scanner: &mut Scanner<'_>) -> Result<(), ()> {
    scanner.expect(b'[').map_err(drop)?;
    scanner.string().map_err(drop)?;
    scanner.expect(b',').map_err(drop)?;
    scanner.string().map_err(drop)?;
    scanner.expect(b']').map_err(drop)
}

fn field_of(level: Level, key: &[u8]) -> Option<Field> {
    match level {
        Level::Top => Field::from_bytes(key).filter(|field| !field.is_grouped()),
        Level::Error => match key {
            b"code" => Some(Field::ErrorCode),
            b"category" => Some(Field::ErrorCategory),
            b"priority" => Some(Field::ErrorPriority),
            b"retry_count" => Some(Field::ErrorRetryCount),
            b"message" => Some(Field::ErrorMessage),
            b"stack" => Some(Field::ErrorStack),
            b"validation_errors" => Some(Field::ErrorValidationErrors),
            _ => None,
        },
        Level::Block => match key {
            b"reason" => Some(Field::BlockReason),
            b"rule_id" => Some(Field::BlockRuleId),
            b"threat_score" => Some(Field::BlockThreatScore),
            b"score_parts" => Some(Field::BlockScoreParts),
            _ => None,
        },
    }
}

#[cold]
fn unknown(level: Level, key: &str) -> Rejection {
    let short: String = key.chars().take(64).collect();
    let hint = match level {
        Level::Top if key.starts_with("error_") => "; send it inside the object `error`".to_owned(),
        Level::Top if key.starts_with("block_") => "; send it inside the object `block`".to_owned(),
        Level::Top => "; free data goes in `metadata`".to_owned(),
        Level::Error => "; `error` has code, category, priority, retry_count, message, stack and \
             validation_errors"
            .to_owned(),
        Level::Block => "; `block` has reason, rule_id, threat_score and score_parts".to_owned(),
    };
    Rejection::new(Code::UnknownField, format!("`{short}` is not a field{hint}"))
}

#[cold]
fn reserved(key: &str) -> Rejection {
    Rejection::new(Code::ReservedField, format!("`{key}` is set by Trailkeep; leave it out"))
}

#[cold]
fn wrong_type(expected: &str, found: Kind) -> Rejection {
    Rejection::new(Code::WrongType, format!("expected {expected}, found {}", found.words()))
}

fn wrong_shape(expected: &str) -> Rejection {
    Rejection::new(Code::WrongType, format!("expected {expected}"))
}

#[cold]
fn stands_twice() -> Rejection {
    Rejection::new(Code::DuplicateKey, "the member stands twice")
}

fn both_durations() -> Rejection {
    Rejection::new(Code::ConflictingFields, "send either duration_us or duration_ms, not both")
}

/// Sets what is ours, checks what is required and how large it all is.
fn complete(builder: &mut RowBuilder, limits: &EventLimits) -> Admission<()> {
    for field in [Field::AccountId, Field::Action, Field::OccurredAt] {
        if !builder.has(field) {
            let detail = format!("`{}` is required", field.name());
            return Err(Rejection::at(Code::MissingField, field.name(), detail));
        }
    }
    if !builder.has(Field::Category) {
        builder.set(Field::Category, ValueRef::Text("api"));
    }
    if !builder.has(Field::Outcome) {
        builder.set(Field::Outcome, ValueRef::Text("unknown"));
    }
    builder.set(Field::Schema, ValueRef::Int(SCHEMA_VERSION));
    let size = builder.values_bytes();
    if size > limits.event_bytes_max {
        let largest = Field::in_row().max_by_key(|field| builder.field_bytes(*field));
        let name = largest.map_or("", Field::name);
        let detail = format!(
            "the event has {size} bytes, at most {} are kept; `{name}` is the largest part",
            limits.event_bytes_max
        );
        return Err(Rejection::at(Code::EventTooLarge, name, detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fields;

    const HEAD: &str = r#""account_id":"acme","action":"a","occurred_at":"2026-01-01T00:00:00Z""#;

    fn read(input: &str) -> Result<Row, Rejection> {
        read_event(input.as_bytes(), &EventLimits::STANDARD, &mut RowBuilder::default())
    }

    fn with(members: &str) -> Result<Row, Rejection> {
        read(&format!("{{{HEAD},{members}}}"))
    }

    #[test]
    fn a_small_event_is_read() {
        let row = with(r#""status":404,"metadata":{"b":1,"a":null},"error":{"code":"E"}"#).unwrap();
        assert_eq!(row.text(Field::AccountId), Some("acme"));
        assert_eq!(row.text(Field::Category), Some("api"));
        assert_eq!(row.text(Field::Outcome), Some("unknown"));
        assert_eq!(row.text(Field::ErrorCode), Some("E"));
        assert_eq!(row.get(Field::Schema), Some(ValueRef::Int(1)));
        assert_eq!(row.get(Field::Metadata), Some(ValueRef::Json(r#"{"a":null,"b":1}"#)));
    }

    #[test]
    fn rules_and_pointers() {
        let cases = [
            (r#""colour":"red""#, Code::UnknownField, "/colour"),
            (r#""error_code":"E""#, Code::UnknownField, "/error_code"),
            (r#""error":{"kode":"E"}"#, Code::UnknownField, "/error/kode"),
            (r#""schema":1"#, Code::ReservedField, "/schema"),
            (r#""id":"x""#, Code::ReservedField, "/id"),
            (r#""category":"system""#, Code::ReservedField, "/category"),
            (r#""category":"other""#, Code::InvalidValue, "/category"),
            (r#""status":"200""#, Code::WrongType, "/status"),
            (r#""status":200.5"#, Code::WrongType, "/status"),
            (r#""status":1000"#, Code::OutOfRange, "/status"),
            (r#""status":9007199254740993"#, Code::NumberTooLarge, "/status"),
            (r#""ip":7"#, Code::WrongType, "/ip"),
            (r#""metadata":[]"#, Code::WrongType, "/metadata"),
            (
                r#""metadata":{"a":{"b":[1,9007199254740993]}}"#,
                Code::NumberTooLarge,
                "/metadata/a/b/1",
            ),
            (r#""metadata":{"a":1,"a":2}"#, Code::DuplicateKey, "/metadata/a"),
            (r#""headers":[["a"]]"#, Code::WrongType, "/headers/0"),
            (r#""headers":[["a","b","c"]]"#, Code::WrongType, "/headers/0"),
            (r#""action":"b""#, Code::DuplicateKey, "/action"),
            (r#""ip":null,"ip":"x""#, Code::DuplicateKey, "/ip"),
            (r#""duration_ms":1,"duration_us":1"#, Code::ConflictingFields, "/duration_us"),
            (r#""duration_us":1,"duration_ms":1"#, Code::ConflictingFields, "/duration_ms"),
            (r#""duration_ms":-1"#, Code::OutOfRange, "/duration_ms"),
            (r#""a/b~c":1"#, Code::UnknownField, "/a~1b~0c"),
        ];
        for (members, code, pointer) in cases {
            let error = with(members).unwrap_err();
            assert_eq!((error.code, error.pointer.as_str()), (code, pointer), "{members}");
        }
    }

    #[test]
    fn required_fields() {
        let cases = [
            (r#"{"action":"a","occurred_at":"2026-01-01T00:00:00Z"}"#, "/account_id"),
            (r#"{"account_id":"x","occurred_at":"2026-01-01T00:00:00Z"}"#, "/action"),
            (r#"{"account_id":"x","action":"a","occurred_at":null}"#, "/occurred_at"),
        ];
        for (input, pointer) in cases {
            let error = read(input).unwrap_err();
            assert_eq!((error.code, error.pointer.as_str()), (Code::MissingField, pointer));
        }
    }

    #[test]
    fn durations_in_milliseconds_are_exact() {
        let cases = [
            ("0", 0),
            ("12", 12_000),
            ("0.1", 100),
            ("1.0005", 1000),
            ("12.3456789", 12_345),
            ("1e3", 1_000_000),
            ("25e-1", 2500),
            ("0.00001", 0),
            ("0e99", 0),
        ];
        for (token, micros) in cases {
            let row = with(&format!("\"duration_ms\":{token}")).unwrap();
            assert_eq!(row.get(Field::DurationUs), Some(ValueRef::Int(micros)), "{token}");
        }
        assert_eq!(with(r#""duration_ms":1e99"#).unwrap_err().code, Code::OutOfRange);
    }

    #[test]
    fn long_texts_are_cut_and_long_ids_refused() {
        let long = "\u{20ac}".repeat(400_000 / 3);
        let row = with(&format!(r#""error":{{"message":"{long}"}}"#)).unwrap();
        let message = row.text(Field::ErrorMessage).unwrap();
        assert!(message.len() <= Field::ErrorMessage.bytes_max());
        assert!(message.ends_with("...[cut, 399999 bytes in all]"), "{message}");
        let error = with(&format!(r#""actor_id":"{}""#, "x".repeat(2000))).unwrap_err();
        assert_eq!(error.code, Code::TooLong);
        let error = with(&format!(r#""metadata":{{"a":"{}"}}"#, "x".repeat(70_000))).unwrap_err();
        assert_eq!((error.code, error.pointer.as_str()), (Code::EventTooLarge, "/metadata"));
    }
}
