//! What the five systems ask of lists and entries, on a few days of one platform.

use serde_json::{Value, json};

use crate::store_server::{
    Call, GET, OPERATOR, Parameters, READER, StoreServer, event, json, served,
};

const PLATFORM: &str = include_str!("fixtures/platform.ndjson");
const ACCOUNT: &str = "6885c7aa9debb6f321855c2d";
const WORKSPACE: &str = "68987795c090f4ae5e94abc2";

/// Runs the checks on entries that are not sealed, then on the same ones sealed.
fn on_the_platform(check: impl AsyncFn(&StoreServer) + Copy) {
    served(async |server| {
        assert_eq!(server.send(OPERATOR, PLATFORM).await["accepted"], 11);
        check(server).await;
        server.seal().await;
        check(server).await;
    });
}

async fn found(server: &StoreServer, parameters: Parameters<'_>) -> Vec<Value> {
    server.listed(OPERATOR, parameters, "source_id").await
}

async fn entry(server: &StoreServer, source_id: &str) -> Value {
    let q = format!("source_id:{source_id}");
    let id = server.listed(OPERATOR, &[("q", &q)], "id").await;
    let path = format!("/api/v1/events/{}", id[0].as_str().unwrap());
    json(&server.call(Call { path: &path, ..GET }).await)
}

fn check_members(entry: &Value, members: &[(&str, Value)]) {
    for (pointer, expected) in members {
        assert_eq!(entry.pointer(pointer), Some(expected), "{pointer} of {entry}");
    }
}

/// R413
#[test]
fn lists_are_filtered_as_people_ask() {
    on_the_platform(async |server| {
        let cases: &[(Parameters<'_>, &[&str])] = &[
            // R45, R196, R253, R449
            (&[("from", "2026-04-17"), ("to", "2026-04-19")], &["e1", "e3"]),
            (&[("q", "occurred:2026-04-14..2026-04-15")], &["e5", "e6"]),
            // R46
            (&[("q", "category:api outcome:failure"), ("from", "2026-04-19")], &["e9"]),
            (&[("q", "status:>=400 -status:429")], &["e9", "e1"]),
            // R134, R250
            (&[("q", "path:/api/v1/licenses/activate")], &["e1"]),
            (&[("q", "path:/api/v1/products status:200")], &["e10"]),
            // R135
            (&[("q", "path:/api/v1/pathways*")], &["e4"]),
            (&[("q", "path:*42/contain*")], &["e4"]),
            (&[("q", "/api/v1/pathways")], &["e4"]),
            // R136
            (&[("account_id", ACCOUNT), ("q", "outcome:denied")], &["e7"]),
            (&[("q", "account:6885c7aa9debb6f321855c2d outcome:failure")], &["e1"]),
            // R137
            (&[("q", "workspace:68987795c090f4ae5e94abc2")], &["e0", "e1", "e4"]),
            (&[("q", "environment_id:staging")], &["e10"]),
            // R138: one bar for all three
            (&[("q", "/pathways/42")], &["e4"]),
            (&[("q", "6885c7aa9debb6f321855c2d method:GET")], &["e7"]),
            (&[("q", WORKSPACE)], &["e0", "e1", "e4"]),
            // R197
            (&[("q", "user:ops@keymint.example")], &["e5"]),
            // R198: however the action is spelled
            (&[("q", "action:license.suspended")], &["e5"]),
            (&[("q", "action:LICENSE_SUSPENDED")], &["e5"]),
            // R251
            (&[("q", "status:504")], &["e9"]),
            (&[("q", "status:200..299 method:POST"), ("from", "2026-04-19")], &["e0"]),
            // R252, R450
            (&[("account_id", "acme")], &["e10", "e9", "e8"]),
            (&[("q", "license:AB12-CD34-EF56-7788")], &["e0", "e1", "e2"]),
            (&[("q", "ZZ99-YY88-XX77-6655")], &["e3"]),
            // R451
            (&[("q", "block.reason:RATE_LIMIT_EXCEEDED")], &["e7"]),
            (&[("q", "error:ERR_DB_TIMEOUT")], &["e9"]),
            (&[("q", "error.category:server")], &["e9"]),
            (&[("q", "error_message:\"payment failure\"")], &["e1"]),
            // R452
            (&[("q", "ip:198.51.100.77")], &["e8", "e7"]),
            (&[("q", "ip:192.0.2.0/24")], &["e5", "e6"]),
            // R24: whatever a producer adds can be asked for
            (&[("q", "metadata.limits.seats:7 metadata.beta:true")], &["e10"]),
            (&[("q", "metadata.plan:*")], &["e10"]),
            // R228
            (&[("q", "duration:>1s")], &["e9"]),
        ];
        for (parameters, expected) in cases {
            assert_eq!(found(server, parameters).await, *expected, "{parameters:?}");
        }
    });
}

/// R255: "all calls for license key K in the last 7 days"
#[test]
fn all_calls_for_a_license_key_in_the_last_7_days() {
    on_the_platform(async |server| {
        let from = "2026-04-13T12:00:00Z";
        let key = "AB12-CD34-EF56-7788";
        for q in [format!("category:api license:{key}"), format!("metadata.license:{key}")] {
            let page = json(&server.list(OPERATOR, &[("q", &q), ("from", from)]).await);
            let calls = page["items"].as_array().unwrap();
            assert_eq!(calls.len(), 2, "{q}");
            let time_operation_outcome_latency_ip = [
                ("/occurred_at", json!("2026-04-18T09:00:00.120Z")),
                ("/action", json!("license.activated")),
                ("/path", json!("/api/v1/licenses/activate")),
                ("/outcome", json!("failure")),
                ("/duration_us", json!(12_000)),
                ("/ip", json!("203.0.113.10")),
                ("/error/code", json!("ERR_LICENSE_SUSPENDED")),
                ("/error/message", json!("License suspended due to payment failure")),
            ];
            check_members(&calls[1], &time_operation_outcome_latency_ip);
            assert_eq!((&calls[0]["outcome"], calls[0].get("error")), (&json!("success"), None));
        }
    });
}

/// R224-R233, R254, R412: a call with all that is known of it; times are UTC with milliseconds.
#[test]
fn a_call_shows_its_request_and_response() {
    on_the_platform(async |server| {
        let call = entry(server, "e0").await;
        check_members(
            &call,
            &[
                ("/occurred_at", json!("2026-04-19T14:32:18.426Z")),
                ("/created_at", json!("2026-04-20T12:00:00.000Z")),
                ("/path", json!("/api/v1/licenses/validate")),
                ("/method", json!("POST")),
                ("/status", json!(200)),
                ("/duration_us", json!(45_500)),
                ("/ip", json!("203.0.113.9")),
                ("/actor_label", json!("km_live_abc...xyz")),
                ("/request_bytes", json!(312)),
                ("/response_bytes", json!(1840)),
                ("/user_agent", json!("KeyMint-Python/2.3.1")),
                ("/query_params", json!({ "verbose": "1" })),
                ("/request_body", json!({ "seats": 3 })),
                // null inside free JSON is kept.
                ("/response_body", json!({ "valid": true, "note": null })),
                // Every header, also where a name repeats, in its order.
                (
                    "/headers",
                    json!([["Accept", "application/json"], ["X-Tag", "a"], ["x-tag", "b"]]),
                ),
            ],
        );
        // An offset is applied: the answer is UTC.
        assert_eq!(entry(server, "e10").await["occurred_at"], "2026-04-19T16:00:00.000Z");
    });
}

/// R27, R28, R183-R190: what an administrator did
#[test]
fn a_dashboard_action_shows_who_did_what_to_what() {
    on_the_platform(async |server| {
        let action = entry(server, "e5").await;
        check_members(
            &action,
            &[
                ("/occurred_at", json!("2026-04-15T16:20:00.001Z")),
                ("/outcome", json!("success")),
                ("/actor_id", json!("ops@keymint.example")),
                ("/action", json!("LICENSE_SUSPENDED")),
                ("/resource_label", json!("License #12345")),
                ("/reason", json!("Payment failure")),
                ("/before", json!({ "state": "active" })),
                ("/after", json!({ "state": "suspended" })),
                ("/ip", json!("192.0.2.44")),
                ("/session_id", json!("sess_8f2k1")),
                ("/user_agent", json!("Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0")),
            ],
        );
        assert_eq!((action.get("error"), action.get("block")), (None, None));
        let blocked = entry(server, "e7").await;
        let block = json!({
            "reason": "RATE_LIMIT_EXCEEDED", "rule_id": "RULE_RATE_100RPM", "threat_score": 61,
            "score_parts": { "rate": 61 },
        });
        assert_eq!(blocked["block"], block);
        let error = json!({ "code": "ERR_BAD_TOKEN", "retry_count": 0 });
        assert_eq!(entry(server, "e8").await["error"], error);
    });
}

/// R442, R453: a pull gives exactly what matches, as it was sent.
#[test]
fn a_pull_gives_exactly_what_matches() {
    on_the_platform(async |server| {
        let all = server.walk(OPERATOR, &[("limit", "2"), ("order", "asc")]).await;
        assert_eq!(all.len(), 11);
        let times: Vec<&str> =
            all.iter().map(|entry| entry["occurred_at"].as_str().unwrap()).collect();
        assert!(times.is_sorted());
        let matching = server.walk(OPERATOR, &[("limit", "1"), ("q", "outcome:failure")]).await;
        let ids: Vec<&Value> = matching.iter().map(|entry| &entry["source_id"]).collect();
        assert_eq!(ids, ["e9", "e8", "e1"]);
        // Whoever may read one account pulls that account.
        assert_eq!(server.walk(READER, &[("limit", "1")]).await.len(), 3);
        for entry in &all {
            let source_id = entry["source_id"].as_str().unwrap();
            let sent = PLATFORM.lines().find(|line| line.contains(&format!("{source_id}\"")));
            let sent: Value = serde_json::from_str(sent.unwrap()).unwrap();
            for (name, value) in sent.as_object().unwrap() {
                if !["duration_ms", "occurred_at"].contains(&name.as_str()) {
                    assert_eq!(entry[name], *value, "{name} of {source_id}");
                }
            }
        }
    });
}

#[test]
fn what_was_not_sent_is_not_shown() {
    served(async |server| {
        server.send(OPERATOR, &event("acme", r#""ip":null,"path":"","error":{}"#)).await;
        for _sealed in [false, true] {
            let page = json(&server.list(OPERATOR, &[]).await);
            let mut entry = page["items"][0].clone();
            let id = entry.as_object_mut().unwrap().remove("id").unwrap();
            assert_eq!(id.as_str().unwrap().len(), 36);
            let expected = json!({
                "seq": 0, "created_at": "2026-04-20T12:00:00.000Z", "account_id": "acme",
                "occurred_at": "2026-04-20T11:00:00.000Z", "action": "a", "category": "api",
                "outcome": "unknown", "schema": 1, "path": "",
            });
            assert_eq!(entry, expected);
            server.seal().await;
        }
    });
}

/// "An event more than 10 minutes ahead of us is kept, flagged, and sorted at `created_at`"
#[test]
fn a_clock_that_runs_ahead_is_flagged() {
    served(async |server| {
        for (minutes, tag) in [("10", "fine"), ("11", "ahead")] {
            let members = format!(r#""correlation_id":"{tag}""#);
            let sent = event("acme", &members).replace("11:00:00", &format!("12:{minutes}:00"));
            server.send(OPERATOR, &sent).await;
        }
        for _sealed in [false, true] {
            // Newest first: the flagged one lies at 12:00, when it came.
            let found = server.listed(OPERATOR, &[], "correlation_id").await;
            assert_eq!(found, ["fine", "ahead"]);
            let flags = server.listed(OPERATOR, &[], "clock_skew").await;
            assert_eq!(flags, [Value::Null, json!(true)]);
            let times = server.listed(OPERATOR, &[], "occurred_at").await;
            assert_eq!(times[1], "2026-04-20T12:11:00.000Z");
            server.seal().await;
        }
    });
}
