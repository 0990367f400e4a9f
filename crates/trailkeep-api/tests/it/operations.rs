//! What an operator looks at: figures, the document, backups.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trailkeep_api::openapi_json;

use crate::store_server::{Call, GET, OPERATOR, event, json, served};
use crate::support::{body, problem, status};

#[test]
fn the_store_s_figures_are_on_the_metrics_page() {
    served(async |server| {
        let one = event("acme", r#""source_id":"s""#);
        server.send(OPERATOR, &format!("{one}\n{one}\n{{}}\n{}", event("other", ""))).await;
        let page = async || server.call(Call { path: "/metrics", ..GET }).await;
        let tail = page().await;
        server.seal().await;
        let sealed = page().await;
        let cases = [
            (&tail, "events_accepted_total 2"),
            (&tail, "events_duplicate_total 1"),
            (&tail, "events_rejected_total 1"),
            (&tail, "group_commits_total 1"),
            (&tail, "tail_rows 2"),
            (&tail, "segments 0"),
            (&tail, "accounts 2"),
            (&tail, "disk_state 0"),
            (&tail, "stopped 0"),
            (&sealed, "tail_rows 0"),
            (&sealed, "sealed_rows 2"),
            (&sealed, "section_mismatches_total 0"),
            (&sealed, "failures_total 0"),
        ];
        for (page, figure) in cases {
            let line = format!("trailkeep_{figure}");
            assert!(page.lines().any(|found| found == line), "{line} in {page}");
        }
        // No name comes from what was sent.
        assert!(!sealed.contains("acme"));
    });
}

/// R111, as far as there are operations: what is served is what is committed.
#[test]
#[expect(clippy::disallowed_methods, reason = "a file for people that can be made again")]
fn the_committed_document_is_the_one_that_is_served() {
    let document = openapi_json().unwrap();
    let committed = include_str!("../../../../openapi.json");
    if document != committed {
        let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/openapi.json");
        std::fs::write(path, &document).unwrap();
        panic!("openapi.json is out of date; if the change is meant: cp {path} openapi.json");
    }
    served(async |server| {
        let answer = server.call(Call { path: "/api/openapi.json", ..GET }).await;
        let served: Value = serde_json::from_str(body(&answer)).unwrap();
        assert_eq!(served, serde_json::from_str::<Value>(&document).unwrap());
    });
}

/// Names that programs are generated from are there, and once.
#[test]
fn operations_have_names_of_their_own() {
    let document: Value = serde_json::from_str(&openapi_json().unwrap()).unwrap();
    let items = document["paths"].as_object().unwrap().values();
    let operations: Vec<&Value> =
        items.flat_map(|item| item.as_object().unwrap().values()).collect();
    let names: BTreeSet<&str> =
        operations.iter().map(|one| one["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), operations.len());
    for operation in operations {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let content = response["content"].as_object();
            let problem =
                content.is_some_and(|content| content.contains_key("application/problem+json"));
            assert_eq!(problem, status.as_str() >= "400", "{operation}");
        }
    }
}

#[test]
fn a_backup_goes_where_an_operator_says() {
    served(async |server| {
        let back_up = async |body: &str| {
            let body = body.as_bytes();
            server.call(Call { method: "POST", path: "/api/v1/backup", body, ..GET }).await
        };
        let made = json(&back_up(r#"{"directory":"/backups/1"}"#).await);
        assert_eq!(made, json!({ "directory": "/backups/1" }));
        for body in ["", "{}", r#"{"directory":"here"}"#, r#"{"directory":"/a","x":1}"#] {
            let answer = back_up(body).await;
            assert_eq!(status(&answer), 400, "{body}");
            assert_eq!(problem(&answer)["code"], "invalid_body");
        }
    });
}
