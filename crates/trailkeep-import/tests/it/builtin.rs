//! What each built-in mapping makes of a record of its kind, written by hand.

use serde_json::Value;
use trailkeep_import::{Format, Mapping};

use crate::support::import;

fn check(format: Format, record: &str, expected: &[&str]) {
    let import = import(record.as_bytes(), Mapping::builtin(format), None);
    assert_eq!(import.quarantined, []);
    let [event] = import.events.as_slice() else { panic!("one event: {:?}", import.events) };
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(json(event), json(&expected.concat()));
}

#[test]
fn native() {
    check(
        Format::Ndjson,
        r#"{"account_id":"a","action":"x","occurred_at":"2026-01-01T00:00:00Z","metadata":{"n":9007199254740992}}"#,
        &[
            r#"{"account_id":"a","action":"x","occurred_at":"2026-01-01T00:00:00Z","#,
            r#""metadata":{"n":"9007199254740992"}}"#,
        ],
    );
}

#[test]
fn cloudtrail_failed_sign_in() {
    check(
        Format::CloudTrail,
        r#"{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","accountId":"1","userName":"u"},"eventTime":"2026-01-01T00:00:00Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"r","sourceIPAddress":"cloudtrail.amazonaws.com","responseElements":{"ConsoleLogin":"Failure"},"requestParameters":null,"eventID":"id-1","readOnly":false}"#,
        &[
            r#"{"account_id":"1","action":"ConsoleLogin","actor_label":"u","actor_type":"IAMUser","#,
            r#""category":"auth","ip":"cloudtrail.amazonaws.com","#,
            r#""occurred_at":"2026-01-01T00:00:00.000Z","outcome":"failure","region":"r","#,
            r#""resource_type":"signin.amazonaws.com","response_body":{"ConsoleLogin":"Failure"},"#,
            r#""source_id":"id-1","metadata":{"eventVersion":"1.08","#,
            r#""userIdentity":{"type":"IAMUser","accountId":"1","userName":"u"},"#,
            r#""eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"r","#,
            r#""requestParameters":null,"readOnly":false}}"#,
        ],
    );
}

#[test]
fn combined_denied() {
    check(
        Format::Combined,
        r#"10.0.0.1 - bob [10/Oct/2000:13:55:36 -0700] "DELETE /a?b HTTP/1.1" 403 - "http://r/" "ua""#,
        &[
            r#"{"account_id":"combined","action":"http.delete","actor_id":"bob","ip":"10.0.0.1","#,
            r#""method":"DELETE","occurred_at":"2000-10-10T20:55:36.000Z","outcome":"denied","#,
            r#""path":"/a?b","status":403,"user_agent":"ua","#,
            r#""metadata":{"time_local":"10/Oct/2000:13:55:36 -0700","protocol":"HTTP/1.1","#,
            r#""referer":"http://r/"}}"#,
        ],
    );
}

#[test]
fn windows_without_a_zone() {
    check(
        Format::Windows,
        r#"{"TimeCreated":"2020-10-18 10:56:18.799","EventID":4625,"Keywords":-9218868437227405312,"Hostname":"h","RecordNumber":7,"SubjectUserName":"-","IpAddress":"-"}"#,
        &[
            r#"{"account_id":"windows","action":"windows.4625","category":"auth","#,
            r#""occurred_at":"2020-10-18T10:56:18.799Z","outcome":"failure","source_id":"h/7","#,
            r#""metadata":{"TimeCreated":"2020-10-18 10:56:18.799","EventID":4625,"#,
            r#""Keywords":"-9218868437227405312","Hostname":"h","RecordNumber":7,"#,
            r#""SubjectUserName":"-","IpAddress":"-"}}"#,
        ],
    );
}
