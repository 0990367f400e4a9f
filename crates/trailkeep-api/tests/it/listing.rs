//! `GET /api/v1/events` and `GET /api/v1/events/{id}`.

use std::cell::Cell;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use trailkeep_event::Micros;
use trailkeep_testkit::EventMaker;

use crate::store_server::{
    Call, GET, NOBODY, OPERATOR, Parameters, QUERIES_MAX, READABLE, READER, StoreServer, event,
    json, query, served,
};
use crate::support::{header, problem, status};

/// Events of two days, 45 minutes apart, over five accounts.
const N_EVENTS: usize = 64;
const STEP_MICROS: i64 = 45 * 60 * 1_000_000;
const FIRST_DAY: &str = "2026-04-18T00:00:00Z";

fn maker() -> EventMaker {
    let at = Micros::parse(FIRST_DAY).unwrap();
    EventMaker::new(3).starting_at(at).with_step(STEP_MICROS)
}

async fn refused(server: &StoreServer, query: &str) -> Value {
    let path = format!("/api/v1/events?{query}");
    let answer = server.call(Call { path: &path, ..GET }).await;
    assert_eq!(status(&answer), 400, "{query} {answer}");
    let problem = problem(&answer);
    assert_eq!(problem["code"], "invalid_parameter");
    problem
}

/// "an entry is visible as soon as it was acknowledged"
#[test]
fn what_was_acknowledged_is_listed_at_once() {
    served(async |server| {
        for number in 0..40 {
            let number = number.to_string();
            let sent = event("acme", &format!(r#""correlation_id":"{number}""#));
            assert_eq!(server.send(OPERATOR, &sent).await["accepted"], 1);
            if number.ends_with('9') {
                server.seal().await;
            }
            let q = format!("correlation_id:{number}");
            let found = server.listed(OPERATOR, &[("q", &q)], "correlation_id").await;
            assert_eq!(found, [number]);
        }
    });
}

#[test]
fn parameters_are_checked_by_name() {
    served(async |server| {
        let cases = [
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=-1", "limit"),
            ("limit=ten", "limit"),
            ("limit=", "limit"),
            ("limit=5&limit=5", "limit"),
            ("order=newest", "order"),
            ("from=yesterday", "from"),
            ("to=2026-02-30", "to"),
            ("account_id=", "account_id"),
            ("account_id=a%00b", "account_id"),
            ("include_total=maybe", "include_total"),
            ("cursor=", "cursor"),
            ("cursor=00", "cursor"),
            ("cursor=%F0%9F%98%80", "cursor"),
            ("page=2", "page"),
            ("Limit=5", "Limit"),
            ("q=status%3Aabc", "q"),
            ("q=%ff", "q"),
            ("account_id=a&q=path%3A%C3", "q"),
            ("account_id=%80", "account_id"),
        ];
        for (query, field) in cases {
            let problem = refused(server, query).await;
            assert_eq!(problem["field"], field, "{query}");
        }
        // An error in a filter says where.
        for (q, column) in [("stauts:1", 1), ("path:/x stauts:1", 9), ("\u{e9}\u{e9} (a", 4)] {
            let problem = refused(server, &query(&[("q", q)])).await;
            assert_eq!((&problem["field"], &problem["column"]), (&json!("q"), &json!(column)));
            assert!(problem["detail"].as_str().unwrap().contains(&format!("column {column}")));
        }
        assert!(refused(server, "limit=0").await.get("column").is_none());
        for query in ["limit=1", "limit=1000", "from=2026-04-20", "from=2026-04-20T12:00:00+02:00"]
        {
            let path = format!("/api/v1/events?{query}");
            assert_eq!(status(&server.call(Call { path: &path, ..GET }).await), 200, "{query}");
        }
    });
}

#[test]
fn hostile_parameters_are_answered() {
    served(async |server| {
        server.send(OPERATOR, &event("acme", r#""path":"/x""#)).await;
        let deep = format!("q={}", "(".repeat(5000));
        let many = format!("q={}", "a%20OR%20".repeat(1000));
        let stars = format!("q=path:{}x", "*a".repeat(2000));
        let long = format!("cursor={}", "ab".repeat(4000));
        let account = format!("account_id={}", "x".repeat(129));
        let refused: [&str; 12] = [
            &deep,
            &many,
            &long,
            &account,
            "q=%22",
            "q=path:",
            "q=a%20OR",
            "q=metadata.:x",
            "from=0000-00-00",
            "limit=99999999999999999999",
            "=",
            "include_total=1&include_total=0",
        ];
        for query in refused {
            let path = format!("/api/v1/events?{query}");
            let answer = server.call(Call { path: &path, ..GET }).await;
            assert_eq!(status(&answer), 400, "{query}");
            assert!(problem(&answer)["detail"].as_str().unwrap().len() < 300, "{answer}");
        }
        let answered =
            [&stars, "", "&&", "q=", "q=%", "q=%zz", "%71=path:*", "limit=%31", "to=0001-01-01"];
        for query in answered {
            let path = format!("/api/v1/events?{query}");
            let answer = server.call(Call { path: &path, ..GET }).await;
            assert_eq!(status(&answer), 200, "{query} {answer}");
        }
    });
}

/// R45: `from` is part of the range, `to` is not; dates are their first moment in UTC.
#[test]
fn a_range_of_time_is_half_open() {
    served(async |server| {
        let events: Vec<String> = ["08:00:00Z", "09:00:00Z", "10:00:00.000001Z", "11:00:00Z"]
            .iter()
            .map(|time| event("acme", "").replace("11:00:00Z", time))
            .collect();
        server.send(OPERATOR, &events.join("\n")).await;
        let cases: [(Parameters<'_>, &[&str]); 6] = [
            (&[], &["08", "09", "10", "11"]),
            (&[("from", "2026-04-20T09:00:00Z")], &["09", "10", "11"]),
            (&[("to", "2026-04-20T09:00:00Z")], &["08"]),
            (
                &[("from", "2026-04-20T11:00:00+02:00"), ("to", "2026-04-20T10:00:00.000001Z")],
                &["09"],
            ),
            (&[("from", "2026-04-20"), ("to", "2026-04-21")], &["08", "09", "10", "11"]),
            (&[("to", "2026-04-20")], &[]),
        ];
        for sealed in [false, true] {
            for (parameters, hours) in cases {
                let mut parameters = parameters.to_vec();
                parameters.push(("order", "asc"));
                let mut found = server.listed(OPERATOR, &parameters, "occurred_at").await;
                let hour = |at: &Value| at.as_str().unwrap().get(11..13).unwrap().to_owned();
                let ascending: Vec<String> = found.iter().map(hour).collect();
                assert_eq!(ascending, hours, "{parameters:?} {sealed}");
                parameters.pop();
                found.reverse();
                let descending = server.listed(OPERATOR, &parameters, "occurred_at").await;
                assert_eq!(descending, found, "{parameters:?} {sealed}");
            }
            server.seal().await;
        }
    });
}

/// Promise 8: what the scope does not cover does not exist.
#[test]
fn a_key_reads_only_within_its_scope() {
    served(async |server| {
        let lines = maker().ndjson(N_EVENTS);
        server.send(OPERATOR, &lines).await;
        for sealed in [false, true] {
            let entries = server.walk(OPERATOR, &[]).await;
            let visible: Vec<Value> = entries
                .iter()
                .filter(|entry| READABLE.contains(&entry["account_id"].as_str().unwrap()))
                .cloned()
                .collect();
            assert!(!visible.is_empty() && visible.len() < entries.len());
            assert_eq!(server.walk(READER, &[("limit", "7")]).await, visible, "{sealed}");
            let page = json(&server.list(READER, &[("include_total", "true")]).await);
            assert_eq!(page["total"], visible.len());
            for entry in entries.iter().step_by(3) {
                let covered = visible.contains(entry);
                let id = entry["id"].as_str().unwrap();
                let path = format!("/api/v1/events/{id}");
                let answer = server.call(Call { token: READER, path: &path, ..GET }).await;
                assert_eq!(status(&answer), if covered { 200 } else { 404 });
                let account = entry["account_id"].as_str().unwrap();
                for parameters in [
                    [("q", format!("id:{id}"))].as_slice(),
                    &[("q", format!("(path:* OR -path:*) account:{account} id:{id}"))],
                    &[("account_id", account.to_owned()), ("q", format!("id:{id}"))],
                ] {
                    let parameters: Vec<(&str, &str)> =
                        parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
                    let found = server.listed(READER, &parameters, "id").await;
                    assert_eq!(found.len(), usize::from(covered), "{parameters:?}");
                }
            }
            server.seal().await;
        }
        // Another's cursor opens nothing more.
        let page = json(&server.list(OPERATOR, &[("limit", "5")]).await);
        let cursor = page["next_cursor"].as_str().unwrap();
        let others = [("cursor", cursor), ("limit", "999")];
        for account in server.listed(READER, &others, "account_id").await {
            assert!(READABLE.contains(&account.as_str().unwrap()));
        }
    });
}

/// R442: a pull by pages is complete and without repeats, whatever is written meanwhile.
#[test]
fn a_walk_meets_each_entry_once_while_others_write() {
    served(async |server| {
        let mut maker = maker();
        let n_events = 430;
        server.send(OPERATOR, &maker.ndjson(n_events / 2)).await;
        server.seal().await;
        server.send(OPERATOR, &maker.ndjson(n_events - n_events / 2)).await;
        // Some newer than all, some between the others.
        let mut between = EventMaker::new(9).starting_at(Micros::parse(FIRST_DAY).unwrap());
        for (limit, order) in [("20", "desc"), ("100", "asc"), ("100", "desc"), ("20", "asc")] {
            let expected = server.walk(OPERATOR, &[("limit", "1000"), ("order", order)]).await;
            let parameters = [("limit", limit), ("order", order)];
            let mut first = json(&server.list(OPERATOR, &parameters).await);
            let cursor = first["next_cursor"].as_str().map(str::to_owned);
            let walking = Cell::new(true);
            let walk = async {
                let rest = server.walk_on(OPERATOR, &parameters, cursor).await;
                walking.set(false);
                rest
            };
            let write = async {
                while walking.get() {
                    server.send(OPERATOR, &between.ndjson(3)).await;
                    server.send(OPERATOR, &maker.ndjson(2)).await;
                    server.seal().await;
                }
            };
            let (mut rest, ()) = tokio::join!(walk, write);
            let mut met = first["items"].as_array_mut().unwrap().split_off(0);
            met.append(&mut rest);
            assert!(met == expected, "{limit} {order}");
        }
        assert!(server.listed(OPERATOR, &[("limit", "1000")], "id").await.len() > n_events);
    });
}

#[test]
fn a_total_counts_what_matches() {
    served(async |server| {
        server.send(OPERATOR, &maker().ndjson(N_EVENTS)).await;
        let total = async |parameters: Parameters<'_>| {
            let mut parameters = parameters.to_vec();
            parameters.extend([("include_total", "true"), ("limit", "3")]);
            json(&server.list(OPERATOR, &parameters).await)
        };
        let filter = [("q", "method:POST"), ("from", "2026-04-19")];
        for n_events in [N_EVENTS, N_EVENTS + 1] {
            let page = total(&[]).await;
            assert_eq!(page["total"], n_events);
            assert_eq!(page["items"].as_array().unwrap().len(), 3);
            let matching = server.walk(OPERATOR, &filter).await.len();
            assert!((1..N_EVENTS).contains(&matching));
            assert_eq!(total(&filter).await["total"], matching);
            // A later page counts the first one's moment.
            server.send(OPERATOR, &event("acme", "")).await;
            let cursor = page["next_cursor"].as_str().unwrap();
            assert_eq!(total(&[("cursor", cursor)]).await["total"], n_events);
            server.seal().await;
        }
    });
}

#[test]
fn a_cursor_is_bound_to_its_query_and_cannot_be_made() {
    served(async |server| {
        server.send(OPERATOR, &maker().ndjson(N_EVENTS)).await;
        let first = [("limit", "10"), ("q", "path:*")];
        let page = json(&server.list(OPERATOR, &first).await);
        let cursor = page["next_cursor"].as_str().unwrap();
        // A page may have another size.
        let next = [("limit", "3"), ("q", "path:*"), ("cursor", cursor)];
        assert_eq!(server.listed(OPERATOR, &next, "id").await.len(), 3);
        for (name, value) in
            [("q", "path:/x"), ("order", "asc"), ("from", "2026-04-18"), ("account_id", "acme")]
        {
            let mut parameters = vec![("cursor", cursor), ("q", "path:*"), (name, value)];
            if name == "q" {
                parameters.remove(1);
            }
            assert_eq!(refused(server, &query(&parameters)).await["field"], "cursor");
        }
        for at in (0..cursor.len()).step_by(5) {
            let mut changed = cursor.as_bytes().to_vec();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            let parameters = [("cursor", changed.as_str()), ("q", "path:*")];
            assert_eq!(refused(server, &query(&parameters)).await["field"], "cursor");
        }
    });
}

#[test]
fn an_entry_is_found_by_its_identifier_alone() {
    served(async |server| {
        server.send(OPERATOR, &maker().ndjson(10)).await;
        server.seal().await;
        server.send(OPERATOR, &event("acme", "")).await;
        for entry in server.walk(OPERATOR, &[]).await {
            let path = format!("/api/v1/events/{}", entry["id"].as_str().unwrap());
            assert_eq!(json(&server.call(Call { path: &path, ..GET }).await), entry);
        }
        let id = server.listed(OPERATOR, &[("limit", "1")], "id").await;
        let id = id[0].as_str().unwrap();
        let tampered = if id.ends_with('0') { "1" } else { "0" };
        let tampered = format!("{}{tampered}", id.get(..35).unwrap());
        let never = "01980000-0000-7000-8000-000000000000";
        for id in [never, &tampered, "x", "%00", "01980000"] {
            let path = format!("/api/v1/events/{id}");
            let answer = server.call(Call { path: &path, ..GET }).await;
            assert_eq!(status(&answer), 404, "{id}");
            assert_eq!(problem(&answer)["field"], "id");
        }
        let path = format!("/api/v1/events/{id}");
        let answer = server.call(Call { token: NOBODY, path: &path, ..GET }).await;
        assert_eq!(status(&answer), 401);
    });
}

/// A key whose share of places is taken is refused, and only this key.
#[test]
fn one_key_s_questions_leave_places_to_others() {
    served(async |server| {
        let all = u32::try_from(QUERIES_MAX).unwrap();
        let held = server.queries.acquire_many(all).await.unwrap();
        let mut answers = JoinSet::new();
        for token in [OPERATOR, OPERATOR, OPERATOR, READER] {
            let mut answering = server.open(Call { token, path: "/api/v1/events", ..GET }).await;
            answers.spawn(async move {
                let head = answering.until("\r\n\r\n").await;
                (status(head), header(head, "retry-after").map(str::to_owned))
            });
        }
        // One of the operator's found its share taken: by two that wait for a place of all, as the
        // reader's does.
        let refused = answers.join_next().await.unwrap().unwrap();
        assert_eq!(refused, (429, Some("1".to_owned())));
        drop(held);
        assert_eq!(answers.join_all().await, vec![(200, None); 3]);
    });
}

/// A page of large entries ends early, and says so.
#[test]
fn a_page_has_room_for_so_many_bytes() {
    served(async |server| {
        let filler = format!(r#""request_body":"{}""#, "x".repeat(60 * 1024));
        let line = event("acme", &filler);
        for _ in 0..2 {
            let body = vec![line.as_str(); 100].join("\n");
            assert_eq!(server.send(OPERATOR, &body).await["accepted"], 100);
        }
        let page = json(&server.list(OPERATOR, &[("limit", "1000"), ("include_total", "1")]).await);
        let n_items = page["items"].as_array().unwrap().len();
        assert!((100..150).contains(&n_items), "{n_items}");
        assert!(page["next_cursor"].is_string());
        assert_eq!(page["total"], 200);
        assert_eq!(server.walk(OPERATOR, &[("limit", "1000")]).await.len(), 200);
    });
}
