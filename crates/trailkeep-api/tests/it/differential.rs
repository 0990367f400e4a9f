//! The same questions to the server and to another database, over the same entries: some of them
//! in merged segments, some in segments as they were sealed, some not sealed yet.

mod aggregates;
mod charts;
mod clauses;
mod events;
mod lists;
mod looked;
mod oracle;
mod questions;
mod statements;
mod terms;

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use trailkeep_io::Clock;
use trailkeep_testkit::Random;

use self::aggregates::{Aggregate, Metric};
use self::clauses::Maker;
use self::looked::Looked;
use self::oracle::{Oracle, Stored};
use self::questions::{Compared, Selection};
use crate::store_server::{Call, OPERATOR, SEND, StoreServer, event, json, served, served_roomy};
use crate::support::until;

const SEED: u64 = 20_260_420;
const EVENTS_PER_BATCH: usize = 430;
/// What is sealed and merged, into a segment of several pages; what is only sealed; and what is not
/// sealed at first.
const MERGED_BATCHES: usize = 10;
const SEALED_BATCHES: usize = 2;
const TAIL_BATCHES: usize = 2;
/// A clock that stood still would give all entries one time.
const BATCH_INTERVAL: Duration = Duration::from_secs(47);
const QUESTIONS: usize = 500;
/// How many differences are shown.
const SHOWN_MAX: usize = 12;

/// A server, and what it holds in another database.
pub(super) struct World<'s> {
    server: &'s StoreServer,
    oracle: Oracle,
    random: Random,
    stored: Vec<Stored>,
    /// How many entries each account has.
    lengths: HashMap<String, u64>,
}

impl<'s> World<'s> {
    async fn new(server: &'s StoreServer, n_events_per_batch: usize) -> Self {
        let mut world = Self {
            server,
            oracle: Oracle::new().await,
            random: Random::new(SEED),
            stored: Vec::new(),
            lengths: HashMap::new(),
        };
        for _ in 0..MERGED_BATCHES {
            world.send(n_events_per_batch).await;
            server.seal().await;
        }
        until(|| server.store.stats().compactions.get() > 0).await;
        for _ in 0..SEALED_BATCHES {
            world.send(n_events_per_batch).await;
            server.seal().await;
        }
        for _ in 0..TAIL_BATCHES {
            world.send(n_events_per_batch).await;
        }
        let gauges = server.store.gauges();
        assert!(gauges.segments > 1 && gauges.sealed_rows > 0 && gauges.tail_rows > 0);
        world.oracle.add(&world.stored).await;
        world
    }

    async fn send(&mut self, n_events: usize) {
        let first = i64::try_from(self.stored.len()).unwrap();
        let last = first + i64::try_from(n_events).unwrap();
        let events: Vec<Value> =
            (first..last).map(|number| events::event(&mut self.random, number)).collect();
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        let body = lines.join("\n");
        let call = Call { path: "/api/v1/events?return=ids", body: body.as_bytes(), ..SEND };
        let answer = json(&self.server.call(call).await);
        assert_eq!(answer["accepted"], n_events, "{answer}");
        let created_us = self.server.clock.now_micros();
        for (event, id) in events.into_iter().zip(answer["ids"].as_array().unwrap()) {
            let account = event["account_id"].as_str().unwrap().to_owned();
            let length = self.lengths.entry(account).or_default();
            let id = id.as_str().unwrap().to_owned();
            self.stored.push(Stored { event, id, seq: *length, created_us });
            *length += 1;
        }
        self.server.clock.advance(BATCH_INTERVAL);
    }

    fn maker(&mut self) -> Maker<'_> {
        Maker { random: &mut self.random, stored: &self.stored }
    }

    async fn question(&mut self, number: usize) -> Compared {
        match number % 10 {
            0..3 => self.list().await,
            3 => self.facets().await,
            4 | 5 => self.histogram().await,
            6 | 7 => self.aggregate().await,
            _ => self.sql().await,
        }
    }
}

/// Lists in both orders with all their pages and totals, facets, charts, aggregates and SQL, with
/// filters of every kind, agree with what `SQLite` makes of the same entries.
#[test]
fn answers_agree_with_another_database() {
    served_roomy(async |server| {
        let mut world = World::new(server, EVENTS_PER_BATCH).await;
        let (mut n_filled, mut differences) = (0, Vec::new());
        for number in 0..QUESTIONS {
            if number == QUESTIONS / 2 {
                server.seal().await;
            }
            match Box::pin(world.question(number)).await {
                Ok(filled) => n_filled += usize::from(filled),
                Err(difference) => differences.push(format!("question {number}: {difference}")),
            }
        }
        let n_differences = differences.len();
        differences.truncate(SHOWN_MAX);
        let shown = differences.join("\n\n");
        assert!(n_differences == 0, "{n_differences} of {QUESTIONS} differ\n\n{shown}");
        assert!(n_filled * 2 >= QUESTIONS, "only {n_filled} had something to find");
    });
}

/// A text, number or list of a JSON field is one of its values, and an element is.
#[test]
fn values_of_json_fields_are_found_sealed_or_not() {
    let members = [
        r#""on_behalf_of":"usr_7""#,
        r#""on_behalf_of":["usr_7",7]"#,
        r#""error":{"validation_errors":["usr_7",7]}"#,
        r#""request_body":["usr_7",7]"#,
    ];
    let cases = [
        ("on_behalf_of:usr_7", 2),
        ("-on_behalf_of:usr_7", 2),
        ("on_behalf_of:7", 1),
        ("on_behalf_of:usr*", 2),
        ("error_validation_errors:usr_7", 1),
        ("request_body:usr_7", 1),
    ];
    served(async |server| {
        let lines = members.map(|members| event("acme", members));
        server.send(OPERATOR, &lines.join("\n")).await;
        for state in ["in the tail", "sealed"] {
            for (q, n_found) in cases {
                let found = server.listed(OPERATOR, &[("q", q)], "id").await;
                assert_eq!(found.len(), n_found, "{q} {state}");
            }
            server.seal().await;
        }
    });
}

/// A report: a filter, the same in SQL, groups, and functions.
type Report = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [(&'static str, Option<&'static str>)],
);

const COUNT: (&str, Option<&str>) = ("count", None);
const ESTIMATED: (&str, Option<&str>) = ("estimated", None);

#[test]
fn reports_about_use_agree() {
    let reports: &[Report] = &[
        // R256, R267: the most used endpoints
        ("category:api", "category = 'api'", &["route"], &[COUNT, ESTIMATED]),
        // R257: how many customers use a version
        (
            "api_version:*",
            "api_version IS NOT NULL",
            &["api_version"],
            &[("count_distinct", Some("account_id")), COUNT],
        ),
        // R258: versions of the SDK
        (
            "metadata.sdk:*",
            "metadata IS NOT NULL AND e.row IN (SELECT row FROM members WHERE path = 'sdk')",
            &["metadata.sdk"],
            &[COUNT],
        ),
        // R259: where calls come from
        ("", "1", &["country", "city"], &[ESTIMATED, COUNT]),
        // R260, R265: success and errors by endpoint
        ("", "1", &["route", "outcome"], &[COUNT, ESTIMATED]),
        // R261: a customer's calls of the last days
        (
            "account:acme occurred:>=2026-04-18",
            "account_id = 'acme' AND occurred_at >= '2026-04-18'",
            &["occurred_at:1h", "status"],
            &[COUNT],
        ),
        // R264: the slowest endpoints
        (
            "duration:>0",
            "duration_us > 0",
            &["route"],
            &[
                ("count", None),
                ("p50", Some("duration_ms")),
                ("p95", Some("duration_ms")),
                ("p99", Some("duration_ms")),
                ("max", Some("duration_ms")),
            ],
        ),
        // R266: repeated identical reads
        (
            "method:GET outcome:success",
            "method = 'GET' AND outcome = 'success'",
            &["path", "actor_id"],
            &[COUNT],
        ),
        // R268: usage, capacity, limits
        (
            "",
            "1",
            &["account_id", "occurred_at:1h"],
            &[ESTIMATED, ("sum", Some("response_bytes")), ("sum", Some("request_bytes"))],
        ),
    ];
    agree(reports);
}

#[test]
fn reports_about_failures_agree() {
    let reports: &[Report] = &[
        // R301, R324: failures by type and message
        ("error_code:*", "error_code IS NOT NULL", &["error.code", "error_message"], &[COUNT]),
        // R303: a window's calls and its share of failed logins
        (
            "category:auth occurred:2026-04-18..2026-04-19",
            "category = 'auth' AND occurred_at >= '2026-04-18' AND occurred_at < '2026-04-20'",
            &["outcome"],
            &[COUNT, ESTIMATED],
        ),
        // R304, R322: errors by message, and each by customer, address and user agent
        ("error_message:*", "error_message IS NOT NULL", &["error_message"], &[COUNT]),
        (
            "error_message:*",
            "error_message IS NOT NULL",
            &["error_message", "account_id"],
            &[COUNT],
        ),
        ("error_message:*", "error_message IS NOT NULL", &["error_message", "ip"], &[COUNT]),
        (
            "error_message:*",
            "error_message IS NOT NULL",
            &["error_message", "user_agent"],
            &[COUNT],
        ),
        // R323: errors by version
        ("category:api", "category = 'api'", &["api_version", "outcome"], &[COUNT]),
        // R325: errors over time
        ("outcome:failure", "outcome = 'failure'", &["occurred_at:30m"], &[COUNT, ESTIMATED]),
        // R326: what was promised to each customer
        (
            "",
            "1",
            &["occurred_at:1d", "account_id", "outcome"],
            &[COUNT, ("avg", Some("duration_ms"))],
        ),
    ];
    agree(reports);
}

/// Asks for each report, which finds something.
fn agree(reports: &[Report]) {
    served_roomy(async |server| {
        let mut world = World::new(server, EVENTS_PER_BATCH / 10).await;
        for (q, sql, groups, metrics) in reports {
            let asked = Aggregate {
                selection: Selection::of(q, sql),
                groups: groups.iter().map(|name| Looked::named(name)).collect(),
                metrics: metrics
                    .iter()
                    .map(|(function, name)| Metric::of(function, *name))
                    .collect(),
                order: None,
                limit: 10_000,
            };
            let filled = world.aggregated(&asked).await.unwrap_or_else(|found| panic!("{found}"));
            assert!(filled, "{q} {groups:?} has nothing to count");
        }
    });
}
