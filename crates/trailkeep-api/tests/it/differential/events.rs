//! Events of every shape: absent fields, letters of other scripts, texts that mean something to
//! patterns, numbers as texts, times that are the same.

use serde_json::{Map, Value, json};
use trailkeep_event::Micros;
use trailkeep_testkit::Random;

use crate::store_server::NOW;

pub(super) const ACCOUNTS: [&str; 6] =
    ["acme", "account-0", "Acme", "beta_1", "beta%1", "g\u{e4}mma"];
pub(super) const DAY_MICROS: i64 = 24 * 60 * MINUTE_MICROS;
const MINUTE_MICROS: i64 = 60 * 1_000_000;

const ACTIONS: &[&str] = &[
    "license.activated",
    "LICENSE_ACTIVATED",
    "License-Activated",
    "login.failed",
    "Login Failed",
    "key.created",
    "cfg%set",
    "order_placed",
    "\u{d6}lwechsel.Done",
];
const ROUTES: &[&str] = &[
    "/api/v1/licenses/{id}",
    "/api/v1/licenses",
    "/API/v1/licenses",
    "/api/v2/pathways/{id}",
    "/health",
    "/files/100%_done",
];
const PATHS: &[&str] = &[
    "7",
    "a_b",
    "a%b",
    "[x]",
    "what?",
    "st*r",
    "\u{e4}\u{f6}\u{fc}",
    "x'y",
    "q\"q",
    "back\\slash",
];
const STATUSES: &[i64] = &[200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 409, 429, 500, 503];
const MESSAGES: &[&str] = &[
    "API key not found",
    "api KEY not found",
    "Limit reached.",
    "limit REACHED (100%)",
    "Stra\u{df}e nicht gefunden",
    "STRASSE NICHT GEFUNDEN",
    "\u{c4}rger mit \u{d6}l_1",
    "\u{3bf}\u{3b4}\u{3cc}\u{3c2} \u{39f}\u{394}\u{39f}\u{3a3}",
    "\u{130}zmir timeout after 5000 ms",
    "\u{65e5}\u{672c}\u{8a9e} error [x]",
    "it's \"quoted\" \\ * done?",
    "",
];
const AGENTS: &[&str] = &[
    "curl/8.5.0",
    "Curl/8.5.0",
    "python-requests/2.31.0",
    "Mozilla/5.0 (X11; Linux x86_64)",
    "\u{1f980} crab/1.0",
];
const ADDRESSES: &[&str] = &[
    "10.1.2.3",
    "10.1.200.7",
    "10.200.0.1",
    "192.168.0.10",
    "203.0.113.9",
    "2001:db8::1",
    "2001:DB8::1",
    "2001:db8:1::2",
    "fe80::1",
    "AWS Internal",
    "035.249.253.232",
];
const LABELS: &[&str] = &[
    "ops@keymint.example",
    "OPS@keymint.example",
    "J\u{fc}rgen M\u{fc}ller",
    "J\u{dc}RGEN",
    "100%",
    "a_b",
    "aXb",
    "",
];
const SDKS: &[&str] =
    &["python/3.11", "Python/3.12", "go-1.22", "go_1.22", "node%20", "rust", "4658"];
const TAGS: &[&str] = &["red", "Red", "blue", "b_ue", "gr\u{fc}n", "7"];
const PHRASES: &[&str] = &[
    "quota exceeded",
    "Quota Exceeded twice",
    "nothing to see",
    "line one\nline two",
    "\u{c4}pfel",
];

fn chance(random: &mut Random, percent: u64) -> bool {
    random.below(100) < percent
}

fn small(random: &mut Random, bound: u64) -> u32 {
    u32::try_from(random.below(bound)).unwrap()
}

/// An event that is being made.
struct Making<'a> {
    random: &'a mut Random,
    event: Map<String, Value>,
}

/// Makes an event; `number` is in it and nowhere else.
pub(super) fn event(random: &mut Random, number: i64) -> Value {
    let mut making = Making { random, event: Map::new() };
    making.set("instance_seq", json!(number));
    making.heart();
    making.call();
    making.people();
    making.places();
    making.trouble();
    making.free();
    Value::Object(making.event)
}

impl Making<'_> {
    fn set(&mut self, name: &str, value: Value) {
        self.event.insert(name.to_owned(), value);
    }

    /// Sets a field in so many of a hundred events.
    fn text(&mut self, percent: u64, name: &str, pool: &[&str]) {
        if chance(self.random, percent) {
            let text = *self.random.pick(pool);
            self.set(name, json!(text));
        }
    }

    fn numbered(&mut self, percent: u64, name: &str, prefix: &str, bound: u64) {
        if chance(self.random, percent) {
            let text = format!("{prefix}{}", self.random.skewed(bound));
            self.set(name, json!(text));
        }
    }

    fn number(&mut self, percent: u64, name: &str, bound: u64) {
        if chance(self.random, percent) {
            let number = self.random.skewed(bound);
            self.set(name, json!(number));
        }
    }

    fn truth(&mut self, percent: u64, name: &str) {
        if chance(self.random, percent) {
            let truth = chance(self.random, 50);
            self.set(name, json!(truth));
        }
    }

    /// Most events share their time with others, some have a clock that is ahead.
    fn at(&mut self) -> Micros {
        let now = Micros::parse(NOW).unwrap();
        let start = now.plus(-4 * DAY_MICROS - 12 * 60 * MINUTE_MICROS);
        let mut below =
            |bound: i64| i64::try_from(self.random.below(u64::try_from(bound).unwrap())).unwrap();
        match below(100) {
            0..55 => start.plus(below(300) * 20 * MINUTE_MICROS),
            55..85 => start.plus(below(100 * 60 * MINUTE_MICROS)),
            85..90 => start.plus(below(50) * 2 * 60 * MINUTE_MICROS + 1),
            90..94 => now.plus(DAY_MICROS + below(48) * 60 * MINUTE_MICROS),
            94..97 => now.plus(5 * MINUTE_MICROS),
            _ => start.plus(-40 * DAY_MICROS),
        }
    }

    fn heart(&mut self) {
        let at = self.at();
        self.set("occurred_at", json!(at.to_string()));
        let first = chance(self.random, 40);
        let account = if first { "acme" } else { *self.random.pick(&ACCOUNTS) };
        self.set("account_id", json!(account));
        let action = *self.random.pick(ACTIONS);
        self.set("action", json!(action));
        self.text(80, "category", &["api", "api", "dashboard", "auth", "blocked"]);
        self.text(85, "outcome", &["success", "success", "failure", "denied", "unknown"]);
        self.text(70, "severity", &["debug", "info", "notice", "warning", "error", "critical"]);
        if chance(self.random, 15) {
            let rate = *self.random.pick(&[1, 10, 100]);
            self.set("sample_rate", json!(rate));
        }
        self.truth(20, "intent");
        self.truth(40, "customer_visible");
    }

    fn call(&mut self) {
        self.text(80, "method", &["GET", "GET", "POST", "DELETE", "get"]);
        if chance(self.random, 80) {
            let route = *self.random.pick(ROUTES);
            let id = *self.random.pick(PATHS);
            let path = route.replace("{id}", id);
            self.set("route", json!(route));
            self.set("path", json!(path));
        }
        if chance(self.random, 80) {
            let status = *self.random.pick(STATUSES);
            self.set("status", json!(status));
        }
        match self.random.below(4) {
            0 => {}
            1 => {
                let quarters = f64::from(small(self.random, 8000)) / 4.0;
                self.set("duration_ms", json!(quarters));
            }
            _ => {
                let micros = self.random.skewed(3_000_000);
                self.set("duration_us", json!(micros));
            }
        }
        self.number(50, "request_bytes", 20_000);
        self.number(50, "response_bytes", 3_000_000);
        self.text(50, "auth_type", &["api_key", "session", "sso"]);
        self.text(60, "api_version", &["2026-01", "2025-10", "v1", "V1"]);
        if chance(self.random, 30) {
            let name = *self.random.pick(&["X-Request-Id", "x-request-id", "Accept"]);
            let value = *self.random.pick(&["7f", "7F", "text/html", "a%b"]);
            self.set("headers", json!([[name, value], ["Via", "proxy_1"], ["via", "proxy_2"]]));
        }
    }

    fn people(&mut self) {
        self.numbered(70, "actor_id", "usr_", 40);
        self.text(70, "actor_type", &["user", "api_key", "User"]);
        self.text(60, "actor_label", LABELS);
        if chance(self.random, 15) {
            let other = match self.random.below(3) {
                0 => json!("usr_7"),
                1 => json!({ "id": "usr_8", "level": 2 }),
                _ => json!(["usr_9", { "id": "usr_7" }]),
            };
            self.set("on_behalf_of", other);
        }
        self.numbered(20, "identity_id", "idt-", 9);
        self.numbered(20, "session_id", "sess_", 30);
        self.text(60, "resource_type", &["license", "product", "Licence"]);
        self.numbered(60, "resource_id", "license_", 200);
        self.text(20, "resource_label", LABELS);
        self.text(25, "subject_key", &["AB12-CD34", "ab12-cd34", "ZZ99-YY88"]);
    }

    fn places(&mut self) {
        self.numbered(60, "application_id", "app_", 5);
        self.text(15, "application_label", LABELS);
        self.text(70, "environment_id", &["prod", "staging", "Prod"]);
        self.text(80, "ip", ADDRESSES);
        self.text(50, "country", &["DE", "FR", "US", "de"]);
        self.text(40, "city", &["M\u{fc}nchen", "M\u{dc}NCHEN", "Paris", "S\u{e3}o Paulo"]);
        self.number(30, "asn", 70_000);
        self.text(60, "user_agent", AGENTS);
        let (uuid, hex) = (self.random.uuid(), self.random.hex(16));
        self.set("correlation_id", json!(uuid));
        self.set("trace_id", json!(hex));
        self.text(50, "instance", &["web-1", "web-2", "WEB-1"]);
    }

    fn trouble(&mut self) {
        if chance(self.random, 35) {
            let mut error = Map::new();
            let message = *self.random.pick(MESSAGES);
            error.insert("message".to_owned(), json!(message));
            if chance(self.random, 80) {
                let code = *self.random.pick(&["ERR_KEY", "err_key", "ERR_LIMIT", "ERR%LIMIT"]);
                error.insert("code".to_owned(), json!(code));
                error.insert("retry_count".to_owned(), json!(self.random.below(4)));
            }
            if chance(self.random, 30) {
                let wrong = [json!(*self.random.pick(TAGS)), json!({ "field": "seats", "at": 7 })];
                error.insert("validation_errors".to_owned(), json!(wrong));
                error.insert("category".to_owned(), json!("client"));
                error.insert("stack".to_owned(), json!(format!("at {message}\n  at Main.run:7")));
            }
            self.set("error", Value::Object(error));
        }
        if chance(self.random, 12) {
            let reason = *self.random.pick(&["RATE_LIMIT", "SQLI", "rate_limit"]);
            let score = self.random.below(101);
            let parts = json!({ "ip": score / 2, "rate": { "minute": score } });
            let block = json!({ "reason": reason, "threat_score": score, "score_parts": parts });
            self.set("block", block);
        }
        self.text(20, "reason", MESSAGES);
    }

    fn free(&mut self) {
        if chance(self.random, 75) {
            let metadata = metadata(self.random);
            self.set("metadata", metadata);
        }
        if chance(self.random, 20) {
            let body = match self.random.below(5) {
                0 => json!("plain text"),
                1 => json!(17),
                2 => json!([1, "two", { "user": { "name": "Zo\u{eb}" } }]),
                3 => Value::Null,
                _ => json!({ "user": { "name": *self.random.pick(LABELS) }, "n": 5 }),
            };
            self.set("request_body", body);
        }
        if chance(self.random, 40) {
            let (page, q) = (self.random.below(5), *self.random.pick(PATHS));
            self.set("query_params", json!({ "page": page.to_string(), "q": q, "x y": page }));
        }
        if chance(self.random, 20) {
            let (before, after) = (self.random.below(9), self.random.below(9));
            self.set("before", json!({ "v": before }));
            self.set("after", json!({ "v": after.to_string() }));
        }
    }
}

/// A number, now and then as a text.
fn seats(random: &mut Random) -> Value {
    let seats = small(random, 50);
    match random.below(4) {
        0 => json!(seats.to_string()),
        1 => json!(f64::from(seats) + 0.5),
        _ => json!(seats),
    }
}

fn tags(random: &mut Random) -> Value {
    let tag = |random: &mut Random| *random.pick(TAGS);
    match random.below(6) {
        0 => json!([]),
        1 => json!([tag(random), [tag(random), 7], null]),
        2 => json!(tag(random)),
        _ => json!([tag(random), tag(random)]),
    }
}

fn metadata(random: &mut Random) -> Value {
    let mut members = Map::new();
    let mut set = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
    if chance(random, 60) {
        set("sdk", json!(*random.pick(SDKS)));
    }
    if chance(random, 50) {
        set("seats", seats(random));
    }
    if chance(random, 40) {
        set("plan", json!(*random.pick(&["pro", "Pro", "free", ""])));
    }
    if chance(random, 30) {
        set("flag", random.pick(&[json!(true), json!(false), json!("true"), Value::Null]).clone());
    }
    if chance(random, 40) {
        set("tags", tags(random));
    }
    match random.below(4) {
        0 => set("a", json!({ "b": *random.pick(TAGS), "c": 1 })),
        1 => set("a.b", json!(*random.pick(TAGS))),
        _ => {}
    }
    if chance(random, 20) {
        set("strange key", json!(*random.pick(LABELS)));
    }
    if chance(random, 20) {
        set("deep", json!({ "x": { "y": [{ "z": random.below(5) }, { "z": "two" }] } }));
    }
    if chance(random, 20) {
        set("note", json!(*random.pick(PHRASES)));
    }
    if chance(random, 30) {
        set("license_key", json!(random.uuid()));
    }
    if chance(random, 10) {
        set(&format!("rare_{}", random.below(40)), json!({ "of": *random.pick(TAGS) }));
    }
    if chance(random, 25) {
        set("cost", json!(f64::from(small(random, 400)) / 8.0 - 10.0));
    }
    Value::Object(members)
}
