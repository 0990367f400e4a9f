//! `GET /api/v1/events/tail`: entries as they are acknowledged.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::time::timeout;
use tower::ServiceExt;
use trailkeep_event::{PARTITIONS, Partition};

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

async fn refused(server: &StoreServer, token: &str) -> (u16, String) {
    let answer = server.call(Call { token, path: "/api/v1/events/tail", ..GET }).await;
    assert_eq!(header(&answer, "retry-after"), Some("5"));
    (status(&answer), problem(&answer)["code"].as_str().unwrap().to_owned())
}

/// One key's tails leave places to others.
#[test]
fn there_are_only_so_many_tails() {
    served(async |server| {
        let new = br#"{"name":"n","read":{"accounts":"all","categories":"all"}}"#;
        let made = Call { method: "POST", path: "/api/v1/keys", body: new, ..GET };
        let made = json(&server.call(made).await);
        let third = made["token"].as_str().unwrap();
        let mut tails = Vec::new();
        for token in [OPERATOR, READER] {
            for _ in 0..TAILS_MAX / 2 {
                tails.push(tail(server, token, &[]).await);
            }
            assert_eq!(refused(server, token).await, (429, "rate_limited".to_owned()));
        }
        assert_eq!(refused(server, third).await, (503, "overloaded".to_owned()));
        // The place of one that hung up is given again.
        drop(tails.pop());
        let call = Call { token: third, path: "/api/v1/events/tail", ..GET };
        let again = async {
            while status(server.open(call).await.until("\r\n\r\n").await) != 200 {
                tokio::time::sleep(TICK).await;
            }
        };
        timeout(LONG, again).await.unwrap();
    });
}

/// Large batches are looked at on another thread.
#[test]
fn a_large_batch_is_told_whole() {
    served(async |server| {
        let mut tail = tail(server, OPERATOR, &[("q", "status:>=100")]).await;
        let line = |n: usize| event("acme", &format!(r#""path":"/{n}","status":{n}"#));
        let body = (0..200).map(line).collect::<Vec<_>>().join("\n");
        assert_eq!(server.send(OPERATOR, &body).await["accepted"], 200);
        let told = paths(tail.until("\"/199\"").await);
        assert_eq!(told, (100..200).map(|n| format!("/{n}")).collect::<Vec<_>>());
    });
}

/// A tail that is read only when a test says so.
struct Unread {
    body: Body,
    read: String,
}

impl Unread {
    async fn open(server: &StoreServer, parameters: Parameters<'_>) -> Self {
        let request = Request::get(format!("/api/v1/events/tail?{}", query(parameters)))
            .header("host", "x")
            .header("authorization", format!("Bearer {OPERATOR}"));
        let request = request.body(Body::empty()).unwrap();
        let answer = server.routes.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        Self { body: answer.into_body(), read: String::new() }
    }

    fn count(&self, event: &str) -> usize {
        self.read.matches(&format!("event: {event}\n")).count()
    }

    /// Reads until so many entries came, and returns their accounts and paths.
    async fn entries(&mut self, n_entries: usize) -> Vec<(String, String)> {
        while self.count("entry") < n_entries {
            let frame = timeout(LONG, self.body.frame()).await.expect("it never came");
            let bytes = frame.unwrap().unwrap().into_data().unwrap();
            self.read.push_str(std::str::from_utf8(&bytes).unwrap());
        }
        let lines = self.read.lines().filter_map(|line| line.strip_prefix("data: "));
        let entries = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
        let entries = entries.filter(|entry| entry["id"].is_string());
        let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
        entries.map(|entry| (text(&entry, "account_id"), text(&entry, "path"))).collect()
    }
}

/// An account of each partition.
fn accounts() -> Vec<String> {
    let mut found = BTreeMap::new();
    for n in 0.. {
        let account = format!("account-{n}");
        found.entry(Partition::of_account(&account)).or_insert(account);
        if found.len() == PARTITIONS {
            break;
        }
    }
    found.into_values().collect()
}

/// More batches than a tail may lag behind, half of them sealed before it reads on: it is told,
/// and then sees each entry once and in the order of its account's log.
#[test]
fn a_tail_that_falls_behind_is_told_and_reads_on() {
    const ROUNDS: usize = 40;
    served(async |server| {
        let accounts = accounts();
        let send = async |round: usize| {
            let line = |account: &String| event(account, &format!(r#""path":"/{round:02}""#));
            let body = accounts.iter().map(line).collect::<Vec<_>>().join("\n");
            assert_eq!(server.send(OPERATOR, &body).await["accepted"], PARTITIONS);
        };
        let mut whole = Unread::open(server, &[]).await;
        let one = &accounts[3];
        let mut filtered = Unread::open(server, &[("account_id", one), ("q", "-path:/01")]).await;
        for round in 0..ROUNDS {
            send(round).await;
            if round == ROUNDS / 2 {
                server.seal().await;
            }
        }
        let mut told = whole.entries(ROUNDS * PARTITIONS).await;
        assert!(whole.read.starts_with(": tail\n\nevent: behind\n"), "it is told first");
        assert_eq!((whole.count("behind"), whole.count("gap")), (1, 0));
        // Then it follows again, and so does one that was read from the store only in part.
        for round in ROUNDS..ROUNDS + 2 {
            send(round).await;
            told = whole.entries((round + 1) * PARTITIONS).await;
        }
        assert_eq!(told.len(), (ROUNDS + 2) * PARTITIONS);
        for account in &accounts {
            let rounds = told.iter().filter(|(of, _path)| of == account);
            let rounds: Vec<&str> = rounds.map(|(_of, path)| path.as_str()).collect();
            let expected: Vec<String> = (0..ROUNDS + 2).map(|n| format!("/{n:02}")).collect();
            assert_eq!(rounds, expected, "{account}");
        }
        let told = filtered.entries(ROUNDS + 1).await;
        let mut expected: Vec<String> = (0..ROUNDS + 2).map(|n| format!("/{n:02}")).collect();
        expected.remove(1);
        let expected: Vec<(String, String)> =
            expected.into_iter().map(|path| (one.clone(), path)).collect();
        assert_eq!(told, expected);
    });
}
