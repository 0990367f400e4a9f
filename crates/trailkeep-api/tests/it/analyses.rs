//! Charts, aggregates and SQL: what the border adds to the analyzer.

use serde_json::{Value, json};
use trailkeep_api::SqlAccess;
use trailkeep_event::Micros;
use trailkeep_testkit::EventMaker;

use crate::store_server::{
    Call, GET, OPERATOR, Parameters, READABLE, READER, StoreServer, event, json, query, served,
    served_with,
};
use crate::support::{problem, status};

async fn histogram(server: &StoreServer, token: &str, parameters: Parameters<'_>) -> String {
    let path = format!("/api/v1/events/histogram?{}", query(parameters));
    server.call(Call { token, path: &path, ..GET }).await
}

async fn post(server: &StoreServer, token: &str, path: &str, body: &Value) -> String {
    let body = body.to_string();
    server.call(Call { token, method: "POST", path, body: body.as_bytes(), ..GET }).await
}

async fn aggregate(server: &StoreServer, token: &str, body: &Value) -> String {
    post(server, token, "/api/v1/events/aggregate", body).await
}

async fn sql(server: &StoreServer, token: &str, text: &str) -> String {
    post(server, token, "/api/v1/sql", &json!({ "sql": text })).await
}

async fn fill(server: &StoreServer) {
    let line =
        |hour: u32, members: &str| event("acme", members).replace("T11:", &format!("T{hour:02}:"));
    let lines = [
        line(8, r#""route":"/a","status":200,"duration_us":1000"#),
        line(8, r#""route":"/a","status":500,"duration_us":3000,"sample_rate":10"#),
        line(10, r#""route":"/b","status":200,"duration_us":5000"#),
    ];
    server.send(OPERATOR, &lines.join("\n")).await;
    server.seal().await;
    server.send(OPERATOR, &event("secret", r#""route":"/a","status":500"#)).await;
}

#[test]
fn a_chart_counts_over_time() {
    served(async |server| {
        fill(server).await;
        let parameters = [("q", "action:a"), ("step", "1h"), ("split", "route"), ("limit", "1")];
        let found = json(&histogram(server, READER, &parameters).await);
        let expected = json!({
            "step": "1h",
            "times": [
                "2026-04-20T08:00:00.000Z", "2026-04-20T09:00:00.000Z", "2026-04-20T10:00:00.000Z",
            ],
            "series": [
                { "value": "/a", "rows": [2, 0, 0], "estimated": [11, 0, 0] },
                { "other": true, "rows": [0, 0, 1], "estimated": [0, 0, 1] },
            ],
            "rows": 3,
            "estimated": 12,
        });
        assert_eq!(found, expected);
        for (parameters, field) in [
            (("step", "2h"), "step"),
            (("split", "rout"), "split"),
            (("limit", "51"), "limit"),
            (("q", "stauts:1"), "q"),
            (("cursor", "x"), "cursor"),
        ] {
            let answer = histogram(server, OPERATOR, &[parameters]).await;
            assert_eq!((status(&answer), &problem(&answer)["field"]), (400, &json!(field)));
        }
    });
}

async fn asked(server: &StoreServer, token: &str, path: &str, of: Parameters<'_>) -> String {
    let path = format!("{path}?{}", query(of));
    server.call(Call { token, path: &path, ..GET }).await
}

const FACETS: &str = "/api/v1/events/facets";
const COMPLETE: &str = "/api/v1/events/complete";

#[test]
fn values_are_counted_and_completed() {
    served(async |server| {
        fill(server).await;
        server.send(OPERATOR, &event("acme", r#""metadata":{"a,b":"x","sdk":"go"}"#)).await;
        let fields = r#"route,metadata."a,b""#;
        let parameters = [("q", "action:a"), ("fields", fields), ("limit", "1")];
        let found = json(&asked(server, READER, FACETS, &parameters).await);
        let expected = json!({ "total": 4, "facets": [
            {
                "field": "route", "values": [{ "value": "/a", "count": 2 }],
                "distinct": 2, "distinct_exact": true, "other": 1, "missing": 1,
            },
            {
                "field": r#"metadata."a,b""#, "values": [{ "value": "x", "count": 1 }],
                "distinct": 1, "distinct_exact": true, "other": 0, "missing": 3,
            },
        ]});
        assert_eq!(found, expected);
        let completed = async |token, parameters: Parameters<'_>| {
            json(&asked(server, token, COMPLETE, parameters).await)["items"].clone()
        };
        let values = completed(READER, &[("field", "account"), ("prefix", "ac")]).await;
        assert_eq!(values, json!([{ "value": "acme", "count": 4 }]));
        // What the key may not read is not completed.
        assert_eq!(completed(READER, &[("field", "account"), ("prefix", "se")]).await, json!([]));
        let values = completed(OPERATOR, &[("field", "account"), ("prefix", "se")]).await;
        assert_eq!(values, json!([{ "value": "secret", "count": 1 }]));
        let names = completed(READER, &[("prefix", "metadata.s")]).await;
        assert_eq!(names, json!([{ "value": "metadata.sdk" }]));
        let many = vec!["status"; 17].join(",");
        for (path, parameters, field) in [
            (FACETS, ("q", ""), "fields"),
            (FACETS, ("fields", "rout"), "fields"),
            (FACETS, ("fields", many.as_str()), "fields"),
            (FACETS, ("field", "status"), "field"),
            (COMPLETE, ("field", "rout"), "field"),
            (COMPLETE, ("limit", "101"), "limit"),
        ] {
            let answer = asked(server, OPERATOR, path, &[parameters]).await;
            assert_eq!((status(&answer), &problem(&answer)["field"]), (400, &json!(field)));
        }
    });
}

#[test]
fn an_aggregate_groups() {
    served(async |server| {
        fill(server).await;
        let body = json!({
            "filter": { "account_id": "acme", "from": "2026-04-20", "to": "2026-04-21" },
            "group_by": ["route"],
            "metrics": [{ "fn": "count" }, { "fn": "max", "field": "duration_ms" }],
            "order": ["-max(duration_ms)"],
            "limit": 1,
        });
        let found = json(&aggregate(server, OPERATOR, &body).await);
        assert_eq!(found["items"], json!([["/b", 1, 5]]));
        assert_eq!((&found["groups"], &found["truncated"]), (&json!(2), &json!(true)));
        assert_eq!((&found["rows"], &found["estimated"]), (&json!(3), &json!(12)));
        let count = json!([{ "fn": "count" }]);
        let wrong = [
            (json!({ "metrics": count, "group_by": ["route", "rout"] }), Some("/group_by/1")),
            (json!({ "metrics": [{ "fn": "median" }] }), Some("/metrics/0")),
            (json!({ "metrics": count, "filter": { "q": "(" } }), Some("/filter/q")),
            (json!({ "metrics": count, "filter": { "from": "soon" } }), Some("/filter/from")),
            (json!({ "metrics": count, "limit": 0 }), Some("/limit")),
            (json!({ "metrics": count, "order": ["x"] }), None),
            (json!({ "metrics": [] }), None),
            (json!({ "group_by": ["route"] }), None),
            (json!({ "metrics": count, "having": 1 }), None),
        ];
        for (body, pointer) in wrong {
            let answer = aggregate(server, OPERATOR, &body).await;
            assert_eq!(status(&answer), 400, "{body}");
            assert_eq!(problem(&answer)["pointer"].as_str(), pointer, "{body} {answer}");
        }
    });
}

#[test]
fn sql_is_one_select_by_an_operator() {
    served(async |server| {
        fill(server).await;
        let text = "SELECT route, count(*) AS n FROM events WHERE action = 'a' GROUP BY route";
        let found = json(&sql(server, OPERATOR, text).await);
        assert_eq!(found["items"], json!([["/a", 3], ["/b", 1]]));
        assert_eq!(found["columns"][1], json!({ "name": "n", "kind": "number", "exact": true }));
        for text in ["DELETE FROM events", "SELECT * FROM other", "SELEC", "SELECT 1; SELECT 2", ""]
        {
            let answer = sql(server, OPERATOR, text).await;
            assert_eq!(status(&answer), 400, "{text}");
            assert_eq!(problem(&answer)["pointer"], "/sql", "{text}");
        }
        assert_eq!(status(&sql(server, READER, text).await), 403);
    });
    served_with(SqlAccess::Off, async |server| {
        let answer = sql(server, OPERATOR, "SELECT 1").await;
        assert_eq!(status(&answer), 403);
        assert!(problem(&answer)["detail"].as_str().unwrap().contains("sql = true"));
    });
}

/// An answer takes only so much memory, and says so.
#[test]
fn an_answer_that_is_too_large_is_refused() {
    served(async |server| {
        let at = Micros::parse("2026-04-18T00:00:00Z").unwrap();
        let mut maker = EventMaker::new(5).starting_at(at);
        for _ in 0..8 {
            server.send(OPERATOR, &maker.ndjson(2000)).await;
        }
        let count = json!([{ "fn": "count" }]);
        let body = json!({ "group_by": ["id", "correlation_id", "path"], "metrics": count });
        let answer = aggregate(server, OPERATOR, &body).await;
        assert_eq!((status(&answer), &problem(&answer)["code"]), (422, &json!("answer_too_large")));
    });
}

/// Promise 8: what the scope does not cover changes no byte of an answer.
#[test]
fn analyses_are_made_of_what_the_key_may_read() {
    let questions = async |server: &StoreServer| {
        let count = json!([{ "fn": "count" }, { "fn": "count_distinct", "field": "action" }]);
        let body = json!({ "group_by": ["account_id", "outcome"], "metrics": count });
        let answers = [
            histogram(server, READER, &[("split", "account_id")]).await,
            aggregate(server, READER, &body).await,
        ];
        answers.map(|answer| answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    };
    let at = Micros::parse("2026-04-18T00:00:00Z").unwrap();
    let all: Vec<String> =
        EventMaker::new(5).starting_at(at).with_step(600_000_000).take(200).collect();
    let readable: Vec<String> = all
        .iter()
        .filter(|line| {
            let event: Value = serde_json::from_str(line).unwrap();
            READABLE.contains(&event["account_id"].as_str().unwrap())
        })
        .cloned()
        .collect();
    assert!(!readable.is_empty() && readable.len() < all.len());
    let mut answers = Vec::new();
    for lines in [&all, &readable] {
        served(async |server| {
            server.send(OPERATOR, &lines.join("\n")).await;
            server.seal().await;
            answers.push(questions(server).await);
        });
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0][0].contains(r#""value":"account-0""#), "{}", answers[0][0]);
}
