//! Turns one record into one event.

use trailkeep_event::{AccountId, EventLimits, Field};

use crate::event_writer::EventWriter;
use crate::json::{self, Value};
use crate::mapping::{FieldRules, Rest};
use crate::rule::{Found, Rule};
use crate::target::Target;
use crate::unreadable::utf8;
use crate::{Layout, Mapping, MappingError, Unreadable, combined, native};

/// The deepest nesting of a record: it goes into `metadata`, one level down.
const RECORD_DEPTH_MAX: usize = EventLimits::STANDARD.depth_max.saturating_sub(1);

/// Turns records into events by one mapping.
#[derive(Clone, Debug)]
pub struct Converter {
    mapping: Mapping,
    account_id: Option<String>,
}

impl Converter {
    /// Makes a converter. Where `account_id` is given it is the account of every event, except
    /// that a native event which names its account keeps it.
    ///
    /// # Errors
    /// Where no account is known, or the one given cannot be one.
    pub fn new(mut mapping: Mapping, account_id: Option<&str>) -> Result<Self, MappingError> {
        let target = Target::Field(Field::AccountId);
        if let Some(account_id) = account_id {
            if AccountId::parse(account_id).is_err() {
                return Err(MappingError::Account(account_id.chars().take(128).collect()));
            }
            mapping.fields.retain(|rules| rules.target != target);
            let rules = vec![Rule::Const(account_id.to_owned())];
            mapping.fields.insert(0, FieldRules { target, rules });
        } else if mapping.layout != Layout::Native
            && !mapping.fields.iter().any(|rules| rules.target == target)
        {
            return Err(MappingError::NoAccount);
        }
        Ok(Self { mapping, account_id: account_id.map(str::to_owned) })
    }

    /// Appends one event to `out`, as JSON without a newline. Costs a few microseconds a
    /// kilobyte.
    ///
    /// # Errors
    /// Where the record cannot become an event; then nothing is appended.
    pub fn convert(&self, record: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
        let text = utf8(record)?;
        let start = out.len();
        let converted = match self.mapping.layout {
            Layout::Native => native::pass_on(text, self.account_id.as_deref(), out),
            Layout::Json => {
                json::parse(text, RECORD_DEPTH_MAX).and_then(|record| self.map(&record, out))
            }
            Layout::Combined => combined::parse(text).and_then(|record| self.map(&record, out)),
        };
        if converted.is_err() {
            out.truncate(start);
        }
        converted
    }

    fn map(&self, record: &Value<'_>, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        let Value::Object(members) = record else {
            return Err(Unreadable::new("the record is not a JSON object"));
        };
        let mut writer = EventWriter::new(out);
        let mut held: Vec<&str> = Vec::new();
        for field in &self.mapping.fields {
            match find(field, record) {
                Some(found) => {
                    writer.member(field.target, &found.value);
                    held.extend(found.member);
                }
                None if field.target.required() => return Err(missing(field)),
                None => {}
            }
        }
        let metadata = &self.mapping.metadata;
        let goes = |name: &str| {
            let rest = match metadata.rest {
                Rest::All => true,
                Rest::Unmapped => !held.contains(&name),
                Rest::None => false,
            };
            rest || metadata.keep.iter().any(|kept| kept == name)
        };
        writer.metadata(members.iter().filter(|(name, _)| goes(name)));
        writer.end();
        Ok(())
    }
}

fn find<'r>(field: &'r FieldRules, record: &'r Value<'r>) -> Option<Found<'r>> {
    field.rules.iter().find_map(|rule| rule.find(field.target, record))
}

fn missing(field: &FieldRules) -> Unreadable {
    let pointers: Vec<String> =
        field.rules.iter().flat_map(Rule::pointers).map(ToString::to_string).collect();
    let name = field.target.path();
    Unreadable::new(format!("no usable `{name}` at {}", pointers.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    fn convert(mapping: &str, account: Option<&str>, record: &str) -> String {
        let mapping = Mapping::parse_toml(&format!("version = 1\n{mapping}")).unwrap();
        let mut out = b"before ".to_vec();
        let result = Converter::new(mapping, account).unwrap().convert(record.as_bytes(), &mut out);
        let out = String::from_utf8(out).unwrap();
        let appended = out.strip_prefix("before ").unwrap().to_owned();
        match result {
            Ok(()) => appended,
            Err(unreadable) => {
                assert_eq!(appended, "");
                unreadable.reason
            }
        }
    }

    const SMALL: &str = r#"
        [fields]
        account_id = { pointer = "/org" }
        occurred_at = { pointer = ["/at", "/ts"], time = ["rfc3339", "unix_s"] }
        action = { pointer = "/what" }
        actor_id = { pointer = ["/user/id", "/user/name"], absent = "-" }
        status = { pointer = "/status" }
        source_id = { template = "{/host}/{/n}" }
        outcome = [
            { pointer = "/status", lookup = { "403" = "denied", "2*" = "success", "3*" = "success" }, other = "failure" },
            { const = "unknown" },
        ]
        error.code = { pointer = "/error" }
    "#;

    #[test]
    fn records_become_events() {
        let cases = [
            (
                r#"{"org":"o","at":"2026-01-01T00:00:00Z","what":"w"}"#,
                r#"{"account_id":"o","occurred_at":"2026-01-01T00:00:00.000Z","action":"w","outcome":"unknown"}"#,
            ),
            (
                r#"{"org":7,"ts":1,"what":"w","user":{"id":"-","name":"u"},"status":"403","host":"h","n":3,"error":9007199254740993,"big":9007199254740993,"null":null}"#,
                concat!(
                    r#"{"account_id":"7","occurred_at":"1970-01-01T00:00:01.000Z","action":"w","#,
                    r#""actor_id":"u","status":403,"source_id":"h/3","outcome":"denied","#,
                    r#""error":{"code":"9007199254740993"},"#,
                    r#""metadata":{"ts":1,"user":{"id":"-","name":"u"},"host":"h","n":3,"#,
                    r#""big":"9007199254740993","null":null}}"#
                ),
            ),
            (
                r#"{"org":"o","at":"2026-01-01T00:00:00+01:00","what":"w","status":"999999"}"#,
                concat!(
                    r#"{"account_id":"o","occurred_at":"2025-12-31T23:00:00.000Z","action":"w","#,
                    r#""outcome":"failure","metadata":{"at":"2026-01-01T00:00:00+01:00","status":"999999"}}"#
                ),
            ),
            (r#"{"at":"2026-01-01T00:00:00Z","what":"w"}"#, "no usable `account_id` at /org"),
            (r#"{"org":"o","what":"w"}"#, "no usable `occurred_at` at /at or /ts"),
            (r#"{"org":"o","at":"2026-01-01T00:00:00Z","what":""}"#, "no usable `action` at /what"),
            ("[1]", "the record is not a JSON object"),
            ("{", "not JSON: expected a member name at byte 1, found the end"),
        ];
        for (record, expected) in cases {
            assert_eq!(convert(SMALL, None, record), expected, "{record}");
        }
    }

    #[test]
    fn metadata_as_the_mapping_says() {
        let fields = r#"
            [fields]
            account_id = { const = "o" }
            occurred_at = { pointer = "/at" }
            action = { pointer = "/what" }
            [metadata]
        "#;
        let record = r#"{"at":"2026-01-01T00:00:00Z","what":"w","x":1,"y":2}"#;
        let cases = [
            ("", Some(r#"{"x":1,"y":2}"#)),
            (r#"keep = ["/what"]"#, Some(r#"{"what":"w","x":1,"y":2}"#)),
            (r#"rest = "all""#, Some(record)),
            (r#"rest = "none""#, None),
            ("rest = \"none\"\nkeep = [\"/y\", \"/z\"]", Some(r#"{"y":2}"#)),
        ];
        for (lines, metadata) in cases {
            let event = convert(&format!("{fields}{lines}"), None, record);
            let expected = metadata.map_or(String::new(), |json| format!(",\"metadata\":{json}"));
            let head = r#"{"account_id":"o","occurred_at":"2026-01-01T00:00:00.000Z","action":"w""#;
            assert_eq!(event, format!("{head}{expected}}}"), "{lines}");
        }
    }

    #[test]
    fn the_callers_account_wins() {
        let record = r#"{"org":"o","at":"2026-01-01T00:00:00Z","what":"w"}"#;
        let event = convert(SMALL, Some("mine"), record);
        assert!(event.starts_with(r#"{"account_id":"mine","#), "{event}");
        // Nothing is lost: the record's own account is in the metadata.
        assert!(event.ends_with(r#""metadata":{"org":"o"}}"#), "{event}");
    }

    #[test]
    fn accounts_are_checked() {
        let mapping = Mapping::parse_toml(
            "version = 1\n[fields]\naction = { const = \"a\" }\noccurred_at = { pointer = \"/t\" }",
        );
        let mapping = mapping.unwrap();
        let error = Converter::new(mapping.clone(), None).unwrap_err();
        assert_eq!(error, MappingError::NoAccount);
        let error = Converter::new(mapping, Some("")).unwrap_err();
        assert_eq!(error, MappingError::Account(String::new()));
        assert!(Converter::new(Mapping::builtin(Format::Ndjson), None).is_ok());
    }

    #[test]
    fn bytes_that_are_not_text() {
        let converter = Converter::new(Mapping::builtin(Format::Windows), None).unwrap();
        let error = converter.convert(b"{\"a\":\"\xff\"}", &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "byte 6 is not UTF-8");
    }
}
