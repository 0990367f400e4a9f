//! Imports the shared data sets and compares with the counts in their `truth.json`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::PathBuf;

use serde_json::Value;
use trailkeep_event::{Field, Fields, Row, ValueRef};
use trailkeep_import::{Format, Mapping};

use crate::support::{Import, import};

/// Finds a file of the shared data; says so and skips the test where there is none.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn data(path: &str) -> Option<Vec<u8>> {
    let full = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    let bytes = fs::read(&full).ok();
    if bytes.is_none() {
        println!("skipped: no shared data at {}", full.display());
    }
    bytes
}

fn truth(set: &str) -> Option<Value> {
    data(&format!("{set}/truth.json")).map(|bytes| serde_json::from_slice(&bytes).unwrap())
}

type Counts = BTreeMap<String, u64>;

/// Reads `[[value, count], ...]`; null and "" both stand for an absent value.
fn expected(pairs: &Value) -> Counts {
    let pair = |pair: &Value| {
        let value = match &pair[0] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        (value, pair[1].as_u64().unwrap())
    };
    pairs.as_array().unwrap().iter().map(pair).collect()
}

fn counted(import: &Import, value: impl Fn(&Row) -> Option<String>) -> Counts {
    let mut counts = Counts::new();
    for row in &import.rows {
        *counts.entry(value(row).unwrap_or_default()).or_default() += 1;
    }
    counts
}

fn text(field: Field) -> impl Fn(&Row) -> Option<String> {
    move |row| row.text(field).map(str::to_owned)
}

fn metadata(row: &Row) -> Value {
    match row.get(Field::Metadata) {
        Some(ValueRef::Json(json)) => serde_json::from_str(json).unwrap(),
        _ => Value::Null,
    }
}

fn in_metadata(name: &str) -> impl Fn(&Row) -> Option<String> {
    let name = name.to_owned();
    move |row| match metadata(row).get(&name)? {
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Checks a list of truth: every value it names has its count; a shorter list is a top-N.
fn check(what: &str, truth: &Value, counts: &Counts) {
    let expected = expected(truth);
    assert!(!expected.is_empty(), "{what}");
    for (value, count) in &expected {
        assert_eq!(counts.get(value), Some(count), "{what}: {value}");
    }
    let total: u64 = expected.values().sum();
    assert!(total <= counts.values().sum(), "{what}");
}

fn check_cloudtrail(set: &str) {
    let (Some(events), Some(truth)) = (data(&format!("{set}/events.ndjson")), truth(set)) else {
        return;
    };
    let import = import(&events, Mapping::builtin(Format::CloudTrail), Some("acme"));
    assert_eq!(import.quarantined, []);
    assert_eq!(u64::try_from(import.rows.len()).unwrap(), truth["records"].as_u64().unwrap());
    let unique = &truth["unique_only"];
    check("eventName", &unique["by_eventName"], &counted(&import, text(Field::Action)));
    check("actor", &unique["by_actor"], &counted(&import, text(Field::ActorId)));
    check("ip", &unique["by_ip"], &counted(&import, text(Field::Ip)));
    check("errorCode", &unique["by_errorCode"], &counted(&import, text(Field::ErrorCode)));
    check("region", &unique["by_region"], &counted(&import, text(Field::Region)));
    check("region", &unique["by_region"], &counted(&import, in_metadata("awsRegion")));
    check("eventSource", &unique["by_eventSource"], &counted(&import, in_metadata("eventSource")));
    let read_only = counted(&import, in_metadata("readOnly"));
    let expected_read_only: Counts = expected(&unique["readOnly"])
        .into_iter()
        .map(|(word, count)| (word.to_lowercase(), count))
        .collect();
    assert_eq!(read_only, expected_read_only);
    let hour = |row: &Row| match row.get(Field::OccurredAt) {
        Some(ValueRef::Time(at)) => at.to_string().get(..13).map(str::to_owned),
        _ => None,
    };
    assert_eq!(counted(&import, hour), expected(&unique["by_hour"]));
    let outcomes = counted(&import, text(Field::Outcome));
    assert_eq!(outcomes.get("failure").copied(), unique["failed(errorCode present)"].as_u64());
    let logins = counted(&import, text(Field::Action)).get("ConsoleLogin").copied();
    assert_eq!(logins, unique["console_login"].as_u64());
    let stratus = import
        .rows
        .iter()
        .filter(|row| row.text(Field::UserAgent).is_some_and(|agent| agent.contains("stratus")));
    assert_eq!(
        u64::try_from(stratus.count()).unwrap(),
        unique["stratus_user_agent"].as_u64().unwrap()
    );
    let ids = counted(&import, text(Field::SourceId));
    assert_eq!(u64::try_from(ids.len()).unwrap(), truth["unique_eventID"].as_u64().unwrap());
}

#[test]
fn cloudtrail_invictus() {
    check_cloudtrail("cloudtrail-invictus");
}

#[test]
fn cloudtrail_stratus() {
    check_cloudtrail("cloudtrail-stratus");
}

#[test]
fn cloudtrail_as_one_document() {
    let Some(lines) = data("cloudtrail-stratus/events.ndjson") else { return };
    let lines = String::from_utf8(lines).unwrap();
    let records: Vec<&str> = lines.lines().collect();
    let document = format!("{{\"Records\":[{}]}}", records.join(","));
    let mapping = Mapping::builtin(Format::CloudTrail);
    let from_lines = import(lines.as_bytes(), mapping.clone(), None);
    let from_document = import(document.as_bytes(), mapping, None);
    assert_eq!(from_document.rows, from_lines.rows);
    assert_eq!(from_document.rows.len(), records.len());
}

#[test]
fn apache_combined() {
    let (Some(log), Some(truth)) = (data("apache-combined/access.log"), truth("apache-combined"))
    else {
        return;
    };
    let import = import(&log, Mapping::builtin(Format::Combined), Some("web"));
    let lines: Vec<u64> = import.quarantined.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [8899]);
    assert_eq!(import.rows.len(), 9_999);
    let number = |field: Field| {
        move |row: &Row| row.get(field).and_then(ValueRef::as_int).map(|int| int.to_string())
    };
    assert_eq!(counted(&import, number(Field::Status)), expected(&truth["status"]));
    assert_eq!(counted(&import, text(Field::Method)), expected(&truth["methods"]));
    let ips = counted(&import, text(Field::Ip));
    assert_eq!(u64::try_from(ips.len()).unwrap(), truth["distinct_ips"].as_u64().unwrap());
    check("ip", &truth["top_ips"], &ips);
    let agents = counted(&import, text(Field::UserAgent));
    let n_agents = u64::try_from(agents.keys().filter(|agent| !agent.is_empty()).count()).unwrap();
    // The truth counts `-` as an agent.
    assert!(truth["user_agents"].as_u64().unwrap() - n_agents <= 1, "{n_agents}");
    let bytes: i64 = import
        .rows
        .iter()
        .filter_map(|row| row.get(Field::ResponseBytes).and_then(ValueRef::as_int))
        .sum();
    assert_eq!(bytes, truth["bytes_sum"].as_i64().unwrap());
    let day = |row: &Row| {
        let time = in_metadata("time_local")(row)?;
        time.split(':').next().map(str::to_owned)
    };
    assert_eq!(counted(&import, day), expected(&truth["by_day"]));
    let missing = |row: &Row| {
        let not_found = row.get(Field::Status) == Some(ValueRef::Int(404));
        if not_found { row.text(Field::Path).map(str::to_owned) } else { None }
    };
    check("404 paths", &truth["top_404_paths"], &counted(&import, missing));
    assert!(import.rows.iter().all(|row| row.text(Field::ActorId).is_none()));
}

#[test]
fn windows_security() {
    let set = "otrf-windows-security";
    let (Some(packed), Some(truth)) = (data(&format!("{set}/events-20000.ndjson.gz")), truth(set))
    else {
        return;
    };
    let mut lines = Vec::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut lines).unwrap();
    let import = import(&lines, Mapping::builtin(Format::Windows), None);
    assert_eq!(import.quarantined, []);
    assert_eq!(import.rows.len(), 20_000);
    for name in ["EventID", "Hostname", "SubjectUserName", "Channel"] {
        let (key, _) = truth
            .as_object()
            .unwrap()
            .iter()
            .find(|(key, _)| key.starts_with(&format!("by_{name}")))
            .unwrap();
        check(name, &truth[key], &counted(&import, in_metadata(name)));
    }
    let actions = counted(&import, text(Field::Action));
    assert_eq!(actions.get("windows.4658"), Some(&4578));
    let ids = import.rows.iter().filter(|row| row.text(Field::SourceId).is_some()).count();
    assert_eq!(ids, 13_564);
    let outcomes = counted(&import, text(Field::Outcome));
    let expected_outcomes = [("failure", 405), ("success", 17_977), ("unknown", 1618)];
    assert_eq!(outcomes, expected_outcomes.map(|(word, n)| (word.to_owned(), n)).into());
    let mut names: Vec<String> = Vec::new();
    let mut n_text_keywords = 0;
    for row in &import.rows {
        let metadata = metadata(row);
        names.extend(metadata.as_object().unwrap().keys().cloned());
        n_text_keywords +=
            usize::from(metadata["Keywords"].as_str().is_some_and(|word| word.starts_with('-')));
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(
        u64::try_from(names.len()).unwrap(),
        truth["distinct_top_level_keys"].as_u64().unwrap()
    );
    assert_eq!(n_text_keywords, 13_564);
}
