//! Hostile records: any of them is an event that a server reads, or has a reason.

use proptest::prelude::*;
use trailkeep_event::{
    EventLimits, Field, Fields, RejectionCode, RowBuilder, ValueRef, read_event,
};
use trailkeep_import::{Converter, Format, Mapping};

/// A mapping that sends hostile values to fields of every kind.
const GREEDY: &str = r#"
    version = 1
    [fields]
    account_id = [{ pointer = "/a" }, { const = "acme" }]
    occurred_at = [{ pointer = "/a", time = ["unix_ms", "rfc3339"] }, { const = "2026-01-01T00:00:00Z" }]
    action = [{ pointer = ["/a", "/b"] }, { const = "x" }]
    outcome = { pointer = "/a", other = "failure" }
    severity = { pointer = "/b" }
    status = { pointer = ["/a", "/b"] }
    intent = { pointer = "/b" }
    ip = { pointer = "/b" }
    path = { pointer = "/c" }
    duration_ms = { pointer = ["/a", "/b", "/c"] }
    headers = { pointer = ["/a", "/b", "/c"] }
    query_params = { pointer = ["/a", "/b"] }
    request_body = { pointer = "/c" }
    source_id = { template = "{/a}/{/b}" }
    error.code = { pointer = "/c" }
    error.retry_count = { pointer = "/a" }
    block.threat_score = { pointer = "/b" }
    [metadata]
    keep = ["/a"]
"#;

/// JSON text with numbers of any size, short names that repeat among objects, odd strings.
fn json(depth: u32) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just("\"2026-01-01T00:00:00+01:00\"".to_owned()),
    ];
    leaf.prop_recursive(depth, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            object(inner),
        ]
    })
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop::collection::btree_map("[a-f]", value, 0..5).prop_map(|members| {
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    })
}

proptest! {
    #[test]
    fn any_object_becomes_an_event_that_is_read(record in object(json(4))) {
        let converter = Converter::new(Mapping::parse_toml(GREEDY).unwrap(), None).unwrap();
        let mut event = Vec::new();
        converter.convert(record.as_bytes(), &mut event).unwrap();
        let row = read_event(&event, &EventLimits::STANDARD, &mut RowBuilder::default());
        prop_assert!(row.is_ok(), "{:?} {}", row, String::from_utf8_lossy(&event));
    }

    #[test]
    fn any_bytes_are_an_event_or_a_reason(record in prop::collection::vec(any::<u8>(), 0..200)) {
        for format in Format::ALL {
            let converter = Converter::new(Mapping::builtin(*format), Some("acme")).unwrap();
            let mut event = Vec::new();
            if converter.convert(&record, &mut event).is_err() {
                prop_assert!(event.is_empty());
            }
        }
    }

    #[test]
    fn any_log_line_becomes_an_event_that_is_read(
        user in "[a-z -]{0,9}",
        request in "[A-Z]{0,4} ?[ -~]{0,20}( HTTP/1.[01])?",
        status in "[0-9]{3}|-",
        bytes in "[0-9]{1,18}|-",
        rest in "[ -~]{0,30}",
    ) {
        let line = format!(
            "::1 - {user} [17/May/2015:10:05:03 +0000] \"{request}\" {status} {bytes} {rest}"
        );
        let converter = Converter::new(Mapping::builtin(Format::Combined), None).unwrap();
        let mut event = Vec::new();
        if converter.convert(line.as_bytes(), &mut event).is_ok() {
            let row = read_event(&event, &EventLimits::STANDARD, &mut RowBuilder::default());
            prop_assert!(row.is_ok(), "{:?} {}", row, String::from_utf8_lossy(&event));
        }
    }

    #[test]
    fn integers_are_kept_as_written(digits in "-?[1-9][0-9]{0,40}") {
        let record = format!(r#"{{"@timestamp":"2026-01-01T00:00:00Z","n":[{digits}]}}"#);
        let converter = Converter::new(Mapping::builtin(Format::Windows), None).unwrap();
        let mut event = Vec::new();
        converter.convert(record.as_bytes(), &mut event).unwrap();
        let row = read_event(&event, &EventLimits::STANDARD, &mut RowBuilder::default()).unwrap();
        let Some(ValueRef::Json(metadata)) = row.get(Field::Metadata) else { panic!("{row:?}") };
        let bare = format!("\"n\":[{digits}]");
        let quoted = format!("\"n\":[\"{digits}\"]");
        prop_assert!(metadata.contains(&bare) || metadata.contains(&quoted), "{}", metadata);
    }
}

/// The deepest record that is converted is one that a server still reads.
#[test]
fn depth_is_bounded_by_what_an_event_may_hold() {
    let converter = Converter::new(Mapping::builtin(Format::Windows), None).unwrap();
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"@timestamp":"2026-01-01T00:00:00Z","n":{open}{close}}}"#)
    };
    let mut event = Vec::new();
    converter.convert(nested(62).as_bytes(), &mut event).unwrap();
    let row = read_event(&event, &EventLimits::STANDARD, &mut RowBuilder::default());
    assert!(row.is_ok(), "{row:?}");
    assert_eq!(
        converter.convert(nested(63).as_bytes(), &mut event).unwrap_err().reason,
        "nested deeper than 63 levels"
    );
    assert!(converter.convert(nested(100_000).as_bytes(), &mut event).is_err());
}

/// What is too large for an event is left to the server, which names it.
#[test]
fn a_large_record_is_rejected_by_the_event_reader() {
    let converter = Converter::new(Mapping::builtin(Format::Windows), None).unwrap();
    let record = format!(r#"{{"@timestamp":"2026-01-01T00:00:00Z","n":"{}"}}"#, "x".repeat(70_000));
    let mut event = Vec::new();
    converter.convert(record.as_bytes(), &mut event).unwrap();
    let rejection = read_event(&event, &EventLimits::STANDARD, &mut RowBuilder::default());
    assert_eq!(rejection.unwrap_err().code, RejectionCode::EventTooLarge);
}
