//! Reads one event as a producer sent it.

use std::borrow::Cow;

use crate::json::{Kind, Scanner, into_string, utf8};
use crate::number::integer;
use crate::position::Admission;
use crate::{
    AccountId, EventLimits, Field, FieldKind, Micros, Rejection, RejectionCode as Code, Row,
    RowBuilder, SCHEMA_VERSION, SYSTEM_ACCOUNT, SystemCategory, ValueRef,
};

/// Reads one event and returns its row. `builder` only lends its memory.
///
/// Absent `category` and `outcome` become `api` and `unknown`; null members are absent; texts
/// beyond their field's limit are cut with a mark.
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
    let mut scanner = Scanner::new(utf8(input)?, limits);
    let mut reader = Reader { scanner: &mut scanner, builder, nulls: 0, duration_ms: false };
    reader.event()?;
    scanner.end()?;
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
    scanner: &'r mut Scanner<'a>,
    builder: &'r mut RowBuilder,
    /// The fields that were sent as null, so that a second one is still a duplicate.
    nulls: u128,
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
                self.member(level, &key).map_err(|error| error.inside(&key))?;
                if !self.scanner.accept(b',') {
                    break;
                }
            }
            self.scanner.expect(b'}')?;
        }
        self.scanner.leave();
        Ok(())
    }

    fn member(&mut self, level: Level, key: &str) -> Admission<()> {
        if level == Level::Top {
            match key {
                "error" => return self.group(Level::Error, Field::ErrorCode),
                "block" => return self.group(Level::Block, Field::BlockReason),
                "duration_ms" => return self.duration_ms(),
                _ => {}
            }
        }
        let Some(field) = field_of(level, key) else {
            return Err(unknown(level, key));
        };
        if !field.is_sent() {
            let detail = format!("`{key}` is set by Trailkeep; leave it out");
            return Err(Rejection::new(Code::ReservedField, detail));
        }
        if field == Field::DurationUs && self.duration_ms {
            return Err(both_durations());
        }
        self.once(field)?;
        self.value(field)
    }

    /// Reads the `error` or `block` object. `first` is its first field, which stands for it in
    /// the duplicate check (no member of the group is ever set from outside it).
    fn group(&mut self, level: Level, first: Field) -> Admission<()> {
        // Bits above the row's fields mark that the group itself was seen.
        let mark = 1_u128 << (if first == Field::ErrorCode { 126 } else { 127 });
        if self.nulls & mark != 0 {
            return Err(Rejection::new(Code::DuplicateKey, "the member stands twice"));
        }
        self.nulls |= mark;
        match self.scanner.kind()? {
            Kind::Null => self.scanner.null(),
            Kind::Object => self.object(level),
            other => Err(wrong_type("an object", other)),
        }
    }

    fn once(&mut self, field: Field) -> Admission<()> {
        let mark = 1_u128 << u32::from(field.number());
        if self.builder.has(field) || self.nulls & mark != 0 {
            return Err(Rejection::new(Code::DuplicateKey, "the member stands twice"));
        }
        Ok(())
    }

    fn value(&mut self, field: Field) -> Admission<()> {
        let kind = self.scanner.kind()?;
        if kind == Kind::Null {
            self.nulls |= 1_u128 << u32::from(field.number());
            return self.scanner.null();
        }
        match field.kind() {
            FieldKind::Id => {
                let text = self.string(kind)?;
                check_id(field, &text)?;
                self.builder.set(field, ValueRef::Text(&text));
            }
            FieldKind::Text => {
                let text = cut(self.string(kind)?, field.bytes_max());
                self.builder.set(field, ValueRef::Text(&text));
            }
            FieldKind::Enum(words) => {
                let text = self.string(kind)?;
                check_word(field, &text, words)?;
                self.builder.set(field, ValueRef::Text(&text));
            }
            FieldKind::Int(min, max) => {
                let int = self.integer(kind, min, max)?;
                self.builder.set(field, ValueRef::Int(int));
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
            FieldKind::Object | FieldKind::Json => {
                let text = self.canonical()?;
                self.builder.set(field, ValueRef::Json(&text));
            }
            FieldKind::Headers => {
                let text = self.headers(kind)?;
                self.builder.set(field, ValueRef::Json(&text));
            }
        }
        Ok(())
    }

    fn string(&mut self, kind: Kind) -> Admission<Cow<'a, str>> {
        if kind == Kind::String { self.scanner.string() } else { Err(wrong_type("a string", kind)) }
    }

    fn integer(&mut self, kind: Kind, min: i64, max: i64) -> Admission<i64> {
        if kind != Kind::Number {
            return Err(wrong_type("an integer", kind));
        }
        let token = self.scanner.number()?;
        let Some(value) = integer(token) else {
            let detail = "expected an integer, found a number with a fraction or exponent";
            return Err(Rejection::new(Code::WrongType, detail));
        };
        let value = value?;
        if (min..=max).contains(&value) {
            Ok(value)
        } else {
            let detail = format!("{value} is not between {min} and {max}");
            Err(Rejection::new(Code::OutOfRange, detail))
        }
    }

    /// Reads `duration_ms`, which may have decimals, into `duration_us`.
    fn duration_ms(&mut self) -> Admission<()> {
        if self.duration_ms {
            return Err(Rejection::new(Code::DuplicateKey, "the member stands twice"));
        }
        let duration_us_mark = 1_u128 << u32::from(Field::DurationUs.number());
        let kind = self.scanner.kind()?;
        if kind == Kind::Null {
            self.duration_ms = true;
            return self.scanner.null();
        }
        if self.builder.has(Field::DurationUs) || self.nulls & duration_us_mark != 0 {
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

    fn canonical(&mut self) -> Admission<String> {
        let mut out = Vec::new();
        self.scanner.canonical(&mut out)?;
        into_string(out)
    }

    /// Reads `[["name","value"], ...]`.
    fn headers(&mut self, kind: Kind) -> Admission<String> {
        let shape = "a list of [\"name\", \"value\"] pairs";
        if kind != Kind::List {
            return Err(wrong_type(shape, kind));
        }
        let text = self.canonical()?;
        // The canonical text has no spaces, so a second pass over it is cheap and simple.
        let limits = EventLimits::STANDARD;
        let mut scanner = Scanner::new(&text, &limits);
        scanner.expect(b'[')?;
        let mut index = 0_usize;
        while !scanner.accept(b']') {
            header_pair(&mut scanner)
                .map_err(|()| wrong_shape(shape).inside(&index.to_string()))?;
            index = index.saturating_add(1);
            scanner.accept(b',');
        }
        Ok(text)
    }
}

fn header_pair(scanner: &mut Scanner<'_>) -> Result<(), ()> {
    scanner.expect(b'[').map_err(drop)?;
    scanner.string().map_err(drop)?;
    scanner.expect(b',').map_err(drop)?;
    scanner.string().map_err(drop)?;
    scanner.expect(b']').map_err(drop)
}

fn field_of(level: Level, key: &str) -> Option<Field> {
    match level {
        Level::Top => Field::from_name(key).filter(|field| {
            !field.name().starts_with("error_") && !field.name().starts_with("block_")
        }),
        Level::Error => match key {
            "code" => Some(Field::ErrorCode),
            "category" => Some(Field::ErrorCategory),
            "priority" => Some(Field::ErrorPriority),
            "retry_count" => Some(Field::ErrorRetryCount),
            "message" => Some(Field::ErrorMessage),
            "stack" => Some(Field::ErrorStack),
            "validation_errors" => Some(Field::ErrorValidationErrors),
            _ => None,
        },
        Level::Block => match key {
            "reason" => Some(Field::BlockReason),
            "rule_id" => Some(Field::BlockRuleId),
            "threat_score" => Some(Field::BlockThreatScore),
            "score_parts" => Some(Field::BlockScoreParts),
            _ => None,
        },
    }
}

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

fn wrong_type(expected: &str, found: Kind) -> Rejection {
    Rejection::new(Code::WrongType, format!("expected {expected}, found {}", found.words()))
}

fn wrong_shape(expected: &str) -> Rejection {
    Rejection::new(Code::WrongType, format!("expected {expected}"))
}

fn both_durations() -> Rejection {
    Rejection::new(Code::ConflictingFields, "send either duration_us or duration_ms, not both")
}

fn check_id(field: Field, text: &str) -> Admission<()> {
    if text.len() > field.bytes_max() {
        let detail = format!("{} bytes, at most {} are kept", text.len(), field.bytes_max());
        return Err(Rejection::new(Code::TooLong, detail));
    }
    match field {
        Field::AccountId if text == SYSTEM_ACCOUNT => {
            let detail = "this account holds Trailkeep's own entries";
            Err(Rejection::new(Code::ReservedField, detail))
        }
        Field::AccountId => AccountId::parse(text)
            .map(drop)
            .map_err(|error| Rejection::new(Code::InvalidValue, error.to_string())),
        Field::Action => {
            let n_chars = text.chars().count();
            if (1..=128).contains(&n_chars) && !text.chars().any(char::is_control) {
                Ok(())
            } else {
                let detail = "an action has 1 to 128 printable characters";
                Err(Rejection::new(Code::InvalidValue, detail))
            }
        }
        _ => Ok(()),
    }
}

fn check_word(field: Field, text: &str, words: &[&str]) -> Admission<()> {
    if field == Field::Category && text == SystemCategory::WORD {
        let detail = "the category `system` is written by Trailkeep alone";
        return Err(Rejection::new(Code::ReservedField, detail));
    }
    if words.contains(&text) {
        return Ok(());
    }
    let allowed: Vec<&str> =
        words.iter().copied().filter(|word| *word != SystemCategory::WORD).collect();
    let detail = format!("expected one of {}", allowed.join(", "));
    Err(Rejection::new(Code::InvalidValue, detail))
}

/// Cuts a text that is too long and says so in its last characters.
fn cut(text: Cow<'_, str>, bytes_max: usize) -> Cow<'_, str> {
    if text.len() <= bytes_max {
        return text;
    }
    let mark = format!("...[cut, {} bytes in all]", text.len());
    let mut keep = bytes_max.saturating_sub(mark.len());
    while !text.is_char_boundary(keep) {
        keep = keep.saturating_sub(1);
    }
    Cow::Owned(format!("{}{mark}", text.get(..keep).unwrap_or("")))
}

/// Turns a token like `12.345` into whole microseconds; what is finer is dropped.
fn micros_of_millis(token: &str) -> Admission<i64> {
    let out_of_range = || {
        let detail = format!("a duration is between 0 and {} us", crate::field::INT_MAX);
        Rejection::new(Code::OutOfRange, detail)
    };
    if token.starts_with('-') {
        return Err(out_of_range());
    }
    let (plain, exponent) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(i64::MAX);
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    // Decimal digits only: shift the point by the exponent and by the three places to
    // microseconds, so that 0.1 + 0.2 style surprises of doubles cannot happen.
    let digits: String = [whole, fraction].concat();
    let whole_len = i64::try_from(whole.len()).unwrap_or(i64::MAX);
    let point = whole_len.saturating_add(exponent).saturating_add(3);
    let significant = digits.trim_start_matches('0');
    let leading = digits.len().saturating_sub(significant.len());
    let n_kept = point.saturating_sub(i64::try_from(leading).unwrap_or(i64::MAX));
    if significant.is_empty() || n_kept <= 0 {
        return Ok(0);
    }
    let n_kept = usize::try_from(n_kept).ok().filter(|n| *n <= 16).ok_or_else(out_of_range)?;
    let kept: String = significant.chars().chain(std::iter::repeat('0')).take(n_kept).collect();
    let micros: i64 = kept.parse().map_err(|_error| out_of_range())?;
    if micros <= crate::field::INT_MAX { Ok(micros) } else { Err(out_of_range()) }
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
    let size: usize =
        Field::in_row().map(|field| builder.field_bytes(field)).fold(0, usize::saturating_add);
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
