//! `GET /api/v1/events/tail`: entries as they are acknowledged.

use serde_json::Value;
use tokio::time::timeout;

use crate::store_server::{
    Answering, Call, GET, OPERATOR, Parameters, READER, StoreServer, TAILS_MAX, event, json, query,
    served,
};
use crate::support::{LONG, TICK, header, problem, status};

async fn tail(server: &StoreServer, token: &str, parameters: Parameters<'_>) -> Answering {
    let path = format!("/api/v1/events/tail?{}", query(parameters));
    let mut tail = server.open(Call { token, path: &path, ..GET }).await;
    let head = tail.until(": tail\n\n").await;
    assert_eq!(status(head), 200);
    assert_eq!(header(head, "content-type"), Some("text/event-stream"));
    tail
}

/// Returns the events' paths, in the order they came.
fn paths(stream: &str) -> Vec<String> {
    let entries = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    let entries = entries.map(|text| serde_json::from_str::<Value>(text).unwrap());
    entries.map(|entry| entry["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn entries_come_after_they_are_acknowledged() {
    served(async |server| {
        server.send(OPERATOR, &event("acme", r#""path":"/before""#)).await;
        let mut tail = tail(server, OPERATOR, &[]).await;
        let answer = server.send(OPERATOR, &event("acme", r#""path":"/1""#)).await;
        assert_eq!(answer["accepted"], 1);
        tail.until("/1").await;
        server.send(OPERATOR, &event("other", r#""path":"/2""#)).await;
        let stream = tail.until("/2").await;
        // The identifier is the one under which the entry is found.
        let id = stream.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
        let path = format!("/api/v1/events/{id}");
        assert_eq!(status(&server.call(Call { path: &path, ..GET }).await), 200);
        // What was there before is not told.
        server.trigger.trigger();
        assert_eq!(paths(&tail.end().await), ["/1", "/2"]);
    });
}

/// Promise 8: the scope, then the filter.
#[test]
fn a_tail_shows_what_the_scope_and_the_filter_leave() {
    served(async |server| {
        let filtered = tail(server, OPERATOR, &[("q", "path:/api* -status:200")]).await;
        let account = tail(server, OPERATOR, &[("account_id", "other")]).await;
        let scoped = tail(server, READER, &[]).await;
        let both = tail(server, READER, &[("account_id", "other")]).await;
        let lines = [
            event("acme", r#""path":"/api/1","status":404"#),
            event("acme", r#""path":"/api/2","status":200"#),
            event("acme", r#""path":"/health","status":500"#),
            event("other", r#""path":"/api/3","status":500"#),
        ]
        .join("\n");
        assert_eq!(server.send(OPERATOR, &lines).await["accepted"], 4);
        let cases: [(Answering, &[&str]); 3] = [
            (filtered, &["/api/1", "/api/3"]),
            (account, &["/api/3"]),
            (scoped, &["/api/1", "/api/2", "/health"]),
        ];
        let mut streams = Vec::new();
        for (mut tail, expected) in cases {
            tail.until(expected.last().unwrap()).await;
            streams.push((tail, expected));
        }
        // A shutdown ends every tail as a whole answer, and nothing else had come.
        server.trigger.trigger();
        for (tail, expected) in streams {
            let stream = tail.end().await;
            assert!(stream.ends_with("0\r\n\r\n"), "{stream}");
            let mut found = paths(&stream);
            found.sort();
            assert_eq!(found, expected);
        }
        assert_eq!(paths(&both.end().await), [""; 0]);
    });
}

#[test]
fn a_wrong_filter_is_refused() {
    served(async |server| {
        let path = format!("/api/v1/events/tail?{}", query(&[("q", "path:/x stauts:1")]));
        let answer = server.call(Call { path: &path, ..GET }).await;
        assert_eq!(status(&answer), 400);
        assert_eq!(problem(&answer)["column"], 9);
    });
}

/// A revoked key sees nothing more, also where it looks on already.
#[test]
fn a_tail_ends_with_its_key() {
    served(async |server| {
        let new = r#"{"name":"n","read":{"accounts":"all","categories":"all"}}"#;
        let path = "/api/v1/keys";
        let made = Call { method: "POST", path, body: new.as_bytes(), ..GET };
        let made = json(&server.call(made).await);
        let mut tail = tail(server, made["token"].as_str().unwrap(), &[]).await;
        server.send(OPERATOR, &event("acme", r#""path":"/1""#)).await;
        tail.until("/1").await;
        let path = format!("/api/v1/keys/{}", made["key"]["key_id"].as_str().unwrap());
        server.call(Call { method: "DELETE", path: &path, ..GET }).await;
        server.send(OPERATOR, &event("acme", r#""path":"/2""#)).await;
        assert_eq!(paths(&tail.end().await), ["/1"]);
    });
}

#[test]
fn there_are_only_so_many_tails() {
    served(async |server| {
        let mut tails = Vec::new();
        for _ in 0..TAILS_MAX {
            tails.push(tail(server, OPERATOR, &[]).await);
        }
        let call = Call { path: "/api/v1/events/tail", ..GET };
        let answer = server.call(call).await;
        assert_eq!((status(&answer), header(&answer, "retry-after")), (503, Some("5")));
        assert_eq!(problem(&answer)["code"], "overloaded");
        // The place of one that hung up is given again.
        drop(tails.pop());
        let again = async {
            while status(server.open(call).await.until("\r\n\r\n").await) != 200 {
                tokio::time::sleep(TICK).await;
            }
        };
        timeout(LONG, again).await.unwrap();
    });
}
