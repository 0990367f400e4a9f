//! `POST /api/v1/events`: what is taken, what is answered, what is refused.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::store_server::{
    Call, EVENTS_MAX, GET, LIMITED, LIMITED_PER_SECOND, OPERATOR, READER, SEND, StoreServer,
    WRITER, event, json, served,
};
use crate::support::{header, problem, status};

const LINES: &str = "content-type: application/x-ndjson\r\n";

/// Sends a body that cannot be read as a whole and returns its problem.
async fn refused(server: &StoreServer, body: &[u8]) -> Value {
    let answer = server.call(Call { body, ..SEND }).await;
    assert_eq!(status(&answer), 400, "{answer}");
    problem(&answer)
}

/// Sends one event and returns how it was rejected.
async fn rejected(server: &StoreServer, token: &str, event: &str) -> (String, String) {
    let answer = server.send(token, event).await;
    assert_eq!((&answer["accepted"], &answer["position"]), (&json!(0), &Value::Null));
    let rejected = &answer["rejected"][0];
    assert_eq!(rejected["index"], 0, "{answer}");
    assert!(!rejected["detail"].as_str().unwrap().is_empty());
    let text = |member: &str| rejected[member].as_str().unwrap().to_owned();
    (text("code"), text("pointer"))
}

/// R241: one object, a list, lines, and each of them compressed
#[test]
fn every_shape_of_a_body_is_read() {
    served(async |server| {
        let one = event("acme", "");
        let list = format!("[{one},{one}]");
        let lines = format!("{one}\n\n{one}\r\n{one}\n");
        let pretty = one.replace(',', ",\r\n  ").replace('{', "{\n  ").replace('}', "\n}");
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(list.as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::bulk::compress(lines.as_bytes(), 3).unwrap();
        let zstd_lines = format!("{LINES}content-encoding: zstd\r\n");
        let cases: [(&str, &[u8], usize); 8] = [
            ("", one.as_bytes(), 1),
            ("content-type: application/json\r\n", one.as_bytes(), 1),
            ("", pretty.as_bytes(), 1),
            ("", list.as_bytes(), 2),
            ("", lines.as_bytes(), 3),
            (LINES, lines.as_bytes(), 3),
            ("content-encoding: gzip\r\n", &gzip, 2),
            (&zstd_lines, &zstd, 3),
        ];
        let mut total = 0;
        for (headers, body, n_events) in cases {
            let answer = json(&server.call(Call { headers, body, ..SEND }).await);
            assert_eq!(answer["accepted"], n_events, "{headers} {answer}");
            assert_eq!(answer["rejected"], json!([]));
            total += n_events;
        }
        assert_eq!(server.listed(OPERATOR, &[], "id").await.len(), total);
        let headers = "content-type: application/xml\r\n";
        assert_eq!(status(&server.call(Call { headers, ..SEND }).await), 415);
    });
}

/// A large list is read whole: limits of one event are not those of the body.
#[test]
fn many_events_are_one_request() {
    served(async |server| {
        let lines = trailkeep_testkit::EventMaker::new(1).ndjson(EVENTS_MAX);
        let list = format!("[{}]", lines.trim_end().replace('\n', ","));
        for body in [&lines, &list] {
            assert_eq!(server.send(OPERATOR, body).await["accepted"], EVENTS_MAX);
        }
        let one_more = lines + &event("acme", "");
        let answer = server.call(Call { body: one_more.as_bytes(), ..SEND }).await;
        assert_eq!(status(&answer), 413);
        assert_eq!(problem(&answer)["code"], "payload_too_large");
    });
}

/// Promise 2, and the answer's every member
#[test]
fn the_answer_says_what_became_of_each_event() {
    served(async |server| {
        let path = "/api/v1/events?return=ids";
        let send = async |body: String| {
            json(&server.call(Call { path, body: body.as_bytes(), ..SEND }).await)
        };
        let first = send(format!(
            "[{},{},{},{},{}]",
            event("acme", r#""source_id":"s1""#),
            event("other", ""),
            event("acme", r#""source_id":"s1""#),
            event("acme", r#""colour":"red""#),
            event("acme", ""),
        ))
        .await;
        assert_eq!(first["accepted"], 3);
        let ids = first["ids"].as_array().unwrap();
        assert_eq!(ids.len(), 5);
        assert_eq!((&ids[2], &ids[3]), (&ids[0], &Value::Null));
        assert_eq!(first["duplicates"], json!([{ "index": 2, "id": ids[0] }]));
        let rejected = &first["rejected"][0];
        assert_eq!((&rejected["index"], &rejected["code"]), (&json!(3), &json!("unknown_field")));
        assert_eq!(rejected["pointer"], "/colour");
        assert!(rejected["detail"].as_str().unwrap().contains("metadata"));
        assert!(!first["position"].as_str().unwrap().is_empty());
        let ranges = json!([
            { "account_id": "acme", "first_seq": 0, "last_seq": 1 },
            { "account_id": "other", "first_seq": 0, "last_seq": 0 },
        ]);
        assert_eq!(first["ranges"], ranges);
        for id in [&ids[0], &ids[1], &ids[4]] {
            let path = format!("/api/v1/events/{}", id.as_str().unwrap());
            assert_eq!(json(&server.call(Call { path: &path, ..GET }).await)["id"], *id);
        }

        // Again, also after sealing: the same source id is the same event or a conflict.
        server.seal().await;
        let again = send(event("acme", r#""source_id":"s1""#)).await;
        assert_eq!(again["duplicates"], json!([{ "index": 0, "id": ids[0] }]));
        assert_eq!((&again["accepted"], &again["position"]), (&json!(0), &Value::Null));
        assert_eq!(again["ids"], json!([ids[0]]));
        let other = event("acme", r#""source_id":"s1""#).replace("11:00", "11:01");
        assert_eq!(send(other).await["rejected"][0]["code"], "source_id_conflict");
        // Nobody asked for identifiers here.
        assert!(server.send(OPERATOR, &event("acme", "")).await.get("ids").is_none());
    });
}

/// Promise 3: a body of which nothing was admitted is still answered event by event.
#[test]
fn rejected_events_are_not_an_error() {
    served(async |server| {
        let body = format!("{}\nnope\n{{}}", event("acme", r#""status":"200""#));
        let call = Call { headers: LINES, body: body.as_bytes(), ..SEND };
        let answer = json(&server.call(call).await);
        assert_eq!((&answer["accepted"], &answer["ranges"]), (&json!(0), &json!([])));
        let codes: Vec<_> =
            answer["rejected"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
        assert_eq!(codes, ["wrong_type", "invalid_json", "missing_field"]);
        assert!(server.listed(OPERATOR, &[], "id").await.is_empty());
    });
}

#[test]
fn a_body_that_is_no_json_is_refused_whole() {
    served(async |server| {
        let deep = format!("{}{}", r#"{"a":"#.repeat(10_000), "1");
        let deep_list = "[".repeat(10_000);
        let good = event("acme", "");
        let bodies: [&[u8]; 12] = [
            b"",
            b" \r\n ",
            b"NaN",
            br#"{"a":NaN}"#,
            b"{\"a\":\"\xff\"}",
            b"[{\"a\":\"\xff\"}]",
            deep.as_bytes(),
            deep_list.as_bytes(),
            &good.as_bytes()[..good.len() - 1],
            br#"[{"a":1}"#,
            b"\xef\xbb\xbf{}",
            br#""text""#,
        ];
        for body in bodies {
            let problem = refused(server, body).await;
            assert_eq!(problem["code"], "invalid_body", "{problem}");
        }
        // The place in a list is named.
        let problem = refused(server, format!("[{good},{{\"a\":tru}}]").as_bytes()).await;
        assert!(problem["pointer"].as_str().unwrap().starts_with("/1"), "{problem}");
        assert!(server.listed(OPERATOR, &[], "id").await.is_empty());
    });
}

#[test]
fn hostile_events_are_rejected_by_their_index() {
    served(async |server| {
        let keys: Vec<String> = (0..10_000).map(|number| format!("\"k{number}\":1")).collect();
        let megabyte = "x".repeat(1_000_000);
        let cases = [
            (format!(r#""metadata":{{{}}}"#, keys.join(",")), "too_many_keys", "/metadata"),
            (format!(r#""metadata":{{"a":"{megabyte}"}}"#), "event_too_large", "/metadata"),
            (format!(r#""metadata":{{"a":"{megabyte}{megabyte}"}}"#), "event_too_large", ""),
            (format!(r#""actor_id":"{megabyte}""#), "too_long", "/actor_id"),
            (r#""metadata":{"n":9007199254740992}"#.into(), "number_too_large", "/metadata/n"),
            (r#""metadata":{"n":1e999}"#.into(), "number_too_large", "/metadata/n"),
            (r#""category":"system""#.into(), "reserved_field", "/category"),
            (r#""id":"x""#.into(), "reserved_field", "/id"),
            (r#""action":"b""#.into(), "duplicate_key", "/action"),
        ];
        for (members, code, pointer) in cases {
            let short: String = members.chars().take(60).collect();
            let (found, at) = rejected(server, OPERATOR, &event("acme", &members)).await;
            assert_eq!(found, code, "{short}");
            assert!(at.starts_with(pointer), "{short} {at}");
        }
        // A free text is cut, with a mark.
        let answer =
            server.send(OPERATOR, &event("acme", &format!(r#""path":"/{megabyte}""#))).await;
        assert_eq!(answer["accepted"], 1);
        let path = &server.listed(OPERATOR, &[], "path").await[0];
        assert!(path.as_str().unwrap().ends_with("...[cut, 1000001 bytes in all]"));
    });
}

/// Promise 8: nobody writes what is not theirs.
#[test]
fn a_key_writes_only_within_its_scope() {
    served(async |server| {
        let fine = r#""application_id":"web","category":"api""#;
        let unknown = rejected(server, WRITER, &event("acme", fine)).await;
        assert_eq!(unknown, ("unknown_account".into(), "/account_id".into()));
        assert_eq!(server.send(OPERATOR, &event("acme", "")).await["accepted"], 1);
        assert_eq!(server.send(WRITER, &event("acme", fine)).await["accepted"], 1);
        let rate = format!(r#"{fine},"sample_rate":"#);
        assert_eq!(
            server.send(WRITER, &event("acme", &(rate.clone() + "10"))).await["accepted"],
            1
        );
        let cases = [
            ("other", fine.to_owned(), "/account_id"),
            ("acme", r#""application_id":"app","category":"api""#.into(), "/application_id"),
            ("acme", r#""category":"api""#.into(), "/application_id"),
            ("acme", r#""application_id":"web","category":"auth""#.into(), "/category"),
            ("acme", rate + "11", "/sample_rate"),
        ];
        for (account, members, pointer) in cases {
            let found = rejected(server, WRITER, &event(account, &members)).await;
            assert_eq!(found, ("not_allowed".into(), pointer.into()), "{account} {members}");
        }
        assert_eq!(server.listed(OPERATOR, &[], "id").await.len(), 3);
        let answer = server.call(Call { token: READER, body: b"{}", ..SEND }).await;
        assert_eq!((status(&answer), &problem(&answer)["code"]), (403, &json!("not_allowed")));
    });
}

#[test]
fn a_key_that_sends_too_fast_is_told_when_to_come_back() {
    served(async |server| {
        let one = event("acme", "");
        let n_events = usize::try_from(3 * LIMITED_PER_SECOND).unwrap();
        let lines = [one.as_str()].repeat(n_events).join("\n");
        assert_eq!(server.send(LIMITED, &lines).await["accepted"], n_events);
        let call = Call { token: LIMITED, body: one.as_bytes(), ..SEND };
        let answer = server.call(call).await;
        assert_eq!((status(&answer), header(&answer, "retry-after")), (429, Some("2")));
        let problem = problem(&answer);
        assert_eq!(
            (&problem["code"], &problem["retry_after"]),
            (&json!("rate_limited"), &json!(2))
        );
        // Others are not held up, and after the wait it goes on.
        assert_eq!(server.send(OPERATOR, &one).await["accepted"], 1);
        server.clock.advance(Duration::from_millis(2001));
        assert_eq!(server.send(LIMITED, &one).await["accepted"], 1);
        assert_eq!(server.listed(OPERATOR, &[], "id").await.len(), n_events + 2);
    });
}

#[test]
fn parameters_of_a_send_are_checked() {
    served(async |server| {
        for (query, field) in
            [("return=all", "return"), ("x=1", "x"), ("return=ids&return=ids", "return")]
        {
            let path = format!("/api/v1/events?{query}");
            let answer = server.call(Call { path: &path, body: b"{}", ..SEND }).await;
            assert_eq!((status(&answer), &problem(&answer)["field"]), (400, &json!(field)));
        }
    });
}
