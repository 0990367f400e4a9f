//! Who may call what: every route with every sort of caller, and the life of a key.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use trailkeep_api::{openapi, openapi_json};

use crate::store_server::{
    Call, GET, NOBODY, OPERATOR, READER, StoreServer, WRITER, event, json, served,
};
use crate::support::{header, problem, status};

/// The callers of [`TABLE`]'s columns.
const CALLERS: [&str; 5] = [NOBODY, "unknown", READER, WRITER, OPERATOR];

/// Every endpoint, with a body that reaches it, and what each caller is answered.
const TABLE: &[(&str, &str, &str, [u16; 5])] = &[
    ("POST", "/api/v1/events", "{}", [401, 401, 403, 200, 200]),
    ("GET", "/api/v1/events", "", [401, 401, 200, 403, 200]),
    ("GET", "/api/v1/events/tail", "", [401, 401, 200, 403, 200]),
    ("GET", "/api/v1/events/export", "", [401, 401, 400, 403, 400]),
    ("POST", "/api/v1/events/export", r#"{"format":"csv"}"#, [401, 401, 200, 403, 200]),
    ("GET", "/api/v1/events/facets?fields=status", "", [401, 401, 200, 403, 200]),
    ("GET", "/api/v1/events/complete", "", [401, 401, 200, 403, 200]),
    ("GET", "/api/v1/events/histogram", "", [401, 401, 200, 403, 200]),
    (
        "POST",
        "/api/v1/events/aggregate",
        r#"{"metrics":[{"fn":"count"}]}"#,
        [401, 401, 200, 403, 200],
    ),
    ("POST", "/api/v1/sql", r#"{"sql":"SELECT 1"}"#, [401, 401, 403, 403, 200]),
    ("GET", "/api/v1/events/{id}", "", [401, 401, 404, 403, 404]),
    ("POST", "/api/v1/keys", r#"{"name":"n"}"#, [401, 401, 403, 403, 201]),
    ("GET", "/api/v1/keys", "", [401, 401, 403, 403, 200]),
    ("DELETE", "/api/v1/keys/{key_id}", "", [401, 401, 403, 403, 404]),
    ("POST", "/api/v1/backup", r#"{"directory":"/b"}"#, [401, 401, 403, 403, 200]),
    ("GET", "/api/v1/stats", "", [401, 401, 403, 403, 200]),
    ("GET", "/livez", "", [200, 200, 200, 200, 200]),
    ("GET", "/readyz", "", [200, 200, 200, 200, 200]),
    ("GET", "/api/openapi.json", "", [200, 200, 200, 200, 200]),
    ("GET", "/api/docs", "", [200, 200, 200, 200, 200]),
    ("GET", "/api/docs/style.css", "", [200, 200, 200, 200, 200]),
];

/// An operation as the document has it.
fn covered(method: &str, path: &str) -> String {
    format!("{method} {}", path.split('?').next().unwrap())
}

/// The operations of the document, as `METHOD /path`.
fn documented() -> BTreeSet<String> {
    let document: Value = serde_json::from_str(&openapi_json().unwrap()).unwrap();
    let mut operations = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            operations.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    operations
}

/// Promise 8, for every endpoint
#[test]
fn every_endpoint_admits_whom_it_should() {
    served(async |server| {
        let document = serde_json::to_value(openapi()).unwrap();
        for (method, template, body, statuses) in TABLE {
            let path = template.replace("{id}", "x").replace("{key_id}", "key_x");
            for (token, expected) in CALLERS.into_iter().zip(statuses) {
                let call = Call { token, method, path: &path, body: body.as_bytes(), ..GET };
                let mut answering = server.open(call).await;
                let head = answering.until("\r\n\r\n").await;
                assert_eq!(status(head), *expected, "{method} {path} {token:?}");
                let challenged = header(head, "www-authenticate").is_some();
                assert_eq!(challenged, *expected == 401);
                let route = template.split('?').next().unwrap();
                let operation = &document["paths"][route][method.to_lowercase()];
                let documented = operation["responses"][expected.to_string()].is_object();
                assert!(documented || operation.is_null(), "{method} {path} {expected}");
            }
        }
    });
}

/// The list is checked in and is empty: a new endpoint needs its line in the table.
#[test]
fn no_endpoint_is_left_out_of_the_table() {
    let covered: BTreeSet<String> =
        TABLE.iter().map(|(method, path, ..)| covered(method, path)).collect();
    let documented = documented();
    let uncovered: Vec<&str> = documented.difference(&covered).map(String::as_str).collect();
    let checked_in: Vec<&str> = include_str!("../golden/uncovered-endpoints.txt").lines().collect();
    assert_eq!(uncovered, checked_in);
    // The document itself is not in the document.
    let undocumented: Vec<&String> =
        covered.difference(&documented).filter(|one| !one.contains("/api/")).collect();
    assert!(undocumented.is_empty(), "{undocumented:?}");
}

/// A route that the document does not know would not be asked for above.
#[test]
fn every_route_is_in_the_document() {
    let document = serde_json::to_value(openapi()).unwrap();
    let source = include_str!("../../src/app.rs");
    let routes: Vec<&str> =
        source.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(routes.len() >= 6);
    for route in routes {
        assert!(document["paths"][route].is_object(), "{route}");
    }
}

async fn make_key(server: &StoreServer, body: &Value) -> (String, Value) {
    let body = body.to_string();
    let call = Call { method: "POST", path: "/api/v1/keys", body: body.as_bytes(), ..GET };
    let answer = server.call(call).await;
    assert_eq!(status(&answer), 201, "{answer}");
    let made = json(&answer);
    (made["token"].as_str().unwrap().to_owned(), made["key"].clone())
}

async fn list_status(server: &StoreServer, token: &str) -> u16 {
    status(&server.list(token, &[]).await)
}

#[test]
fn a_key_is_good_from_its_making_to_its_end() {
    served(async |server| {
        let scope = json!({ "accounts": { "only": ["acme"] }, "categories": "all" });
        let new = json!({ "name": "Support", "read": scope, "expires_at": "2026-04-20T13:00:00Z" });
        let (token, key) = make_key(server, &new).await;
        assert_eq!(list_status(server, &token).await, 200);
        assert_eq!((&key["name"], &key["read"]), (&json!("Support"), &scope));
        assert_eq!((&key["write"], &key["operator"]), (&Value::Null, &json!(false)));
        assert_eq!(key["created_at"], "2026-04-20T12:00:00.000Z");
        assert_eq!(key["expires_at"], "2026-04-20T13:00:00.000Z");
        let (other, other_key) = make_key(server, &json!({ "name": "b", "read": scope })).await;

        // The list shows both, and no token.
        let answer = server.call(Call { path: "/api/v1/keys", ..GET }).await;
        assert!(!answer.contains(&token) && !answer.contains(&other), "{answer}");
        let keys = json(&answer);
        let keys = keys["items"].as_array().unwrap();
        assert_eq!(keys.len(), 6);
        let shown = keys.iter().find(|shown| shown["key_id"] == key["key_id"]).unwrap();
        assert_eq!(*shown, key);
        let masked = key["masked"].as_str().unwrap();
        assert!(token.starts_with(masked.split('.').next().unwrap()), "{masked}");

        // Revoked at once, once.
        let path = format!("/api/v1/keys/{}", other_key["key_id"].as_str().unwrap());
        let revoke = Call { method: "DELETE", path: &path, ..GET };
        assert_eq!(list_status(server, &other).await, 200);
        assert_eq!(status(&server.call(revoke).await), 204);
        assert_eq!(list_status(server, &other).await, 401);
        assert_eq!(status(&server.call(revoke).await), 404);

        // Good to the last moment.
        server.clock.advance(Duration::from_secs(3599));
        assert_eq!(list_status(server, &token).await, 200);
        server.clock.advance(Duration::from_secs(1));
        assert_eq!(list_status(server, &token).await, 401);
    });
}

/// Invariant 12: changes of settings are `system` entries.
#[test]
fn making_and_revoking_a_key_is_in_the_log() {
    served(async |server| {
        let (_token, key) = make_key(server, &json!({ "name": "n" })).await;
        let path = format!("/api/v1/keys/{}", key["key_id"].as_str().unwrap());
        server.call(Call { method: "DELETE", path: &path, ..GET }).await;
        let q = format!("category:system metadata.key_id:{}", key["key_id"].as_str().unwrap());
        let found = server.listed(OPERATOR, &[("q", &q), ("order", "asc")], "action").await;
        assert_eq!(found, ["key.created", "key.revoked"]);
        assert!(server.listed(READER, &[("q", &q)], "action").await.is_empty());
    });
}

#[test]
fn a_key_that_cannot_be_made_is_explained() {
    served(async |server| {
        let bodies = [
            "",
            "{}",
            r#"{"name":""}"#,
            r#"{"name":"a\u0007"}"#,
            r#"{"name":"a","expires_at":"soon"}"#,
            r#"{"name":"a","colour":"red"}"#,
            r#"{"name":"a","read":{"accounts":"some","categories":"all"}}"#,
        ];
        for body in bodies {
            let call = Call { method: "POST", path: "/api/v1/keys", body: body.as_bytes(), ..GET };
            let answer = server.call(call).await;
            assert_eq!(status(&answer), 400, "{body}");
            assert_eq!(problem(&answer)["code"], "invalid_body", "{body}");
        }
    });
}

/// What nobody may see is not counted, hinted at, or told apart from what is not there.
#[test]
fn an_account_out_of_scope_looks_like_none() {
    served(async |server| {
        server.send(OPERATOR, &event("secret", "")).await;
        let there = server.list(READER, &[("account_id", "secret"), ("include_total", "1")]).await;
        let none = server.list(READER, &[("account_id", "nobody"), ("include_total", "1")]).await;
        assert_eq!(json(&there), json(&none));
        assert_eq!(json(&there), json!({ "items": [], "next_cursor": null, "total": 0 }));
    });
}
