//! One condition of each kind.

use trailkeep_event::Micros;

use super::clauses::{Clause, Maker, TRIES, any_of, glob, quoted};
use super::events::DAY_MICROS;
use super::oracle::{LOOSE, action_key, ip_hex, lit, low};

/// Names of text fields, and what they stand for.
const TEXTS: &[(&str, &[&str])] = &[
    ("account_id", &["account_id"]),
    ("account", &["account_id"]),
    ("action", &["action"]),
    ("method", &["method"]),
    ("route", &["route"]),
    ("path", &["path"]),
    ("application_id", &["application_id"]),
    ("app", &["application_id"]),
    ("environment", &["environment_id"]),
    ("workspace", &["environment_id"]),
    ("actor_id", &["actor_id"]),
    ("actor_type", &["actor_type"]),
    ("actor_label", &["actor_label"]),
    ("user", &["actor_id", "actor_label"]),
    ("actor", &["actor_id", "actor_label"]),
    ("error_code", &["error_code"]),
    ("error.code", &["error_code"]),
    ("error", &["error_code"]),
    ("error.category", &["error_category"]),
    ("block", &["block_reason"]),
    ("auth_type", &["auth_type"]),
    ("api_version", &["api_version"]),
    ("country", &["country"]),
    ("city", &["city"]),
    ("resource_type", &["resource_type"]),
    ("resource_id", &["resource_id"]),
    ("resource_label", &["resource_label"]),
    ("license", &["subject_key"]),
    ("key", &["subject_key"]),
    ("source_id", &["source_id"]),
    ("correlation_id", &["correlation_id"]),
    ("trace_id", &["trace_id"]),
    ("instance", &["instance"]),
    ("session_id", &["session_id"]),
    ("ip", &["ip"]),
];
const WORDS: &[(&str, &[&str])] = &[
    ("category", &["api", "dashboard", "auth", "blocked"]),
    ("outcome", &["success", "failure", "denied", "unknown"]),
    ("severity", &["debug", "info", "notice", "warning", "error", "critical"]),
];
/// A unit, and how many of the field's own it is.
type Unit = (&'static str, i64);
const PLAIN_NUMBER: &[Unit] = &[("", 1)];
const BYTES: &[Unit] = &[("", 1), ("b", 1), ("kb", 1000), ("mb", 1_000_000)];
const MICROS: &[Unit] = &[("", 1), ("us", 1), ("ms", 1000), ("s", 1_000_000), ("m", 60_000_000)];
const MILLIS: &[Unit] = &[("", 1000), ("us", 1), ("ms", 1000), ("s", 1_000_000)];
const NUMBERS: &[(&str, &str, &[Unit])] = &[
    ("status", "status", PLAIN_NUMBER),
    ("status", "status", PLAIN_NUMBER),
    ("duration", "duration_us", MILLIS),
    ("duration_ms", "duration_us", MILLIS),
    ("duration_us", "duration_us", MICROS),
    ("request_bytes", "request_bytes", BYTES),
    ("response_bytes", "response_bytes", BYTES),
    ("error.retry_count", "error_retry_count", PLAIN_NUMBER),
    ("block_threat_score", "block_threat_score", PLAIN_NUMBER),
    ("asn", "asn", PLAIN_NUMBER),
    ("sample_rate", "sample_rate", PLAIN_NUMBER),
    ("instance_seq", "instance_seq", PLAIN_NUMBER),
    ("seq", "seq", PLAIN_NUMBER),
];
/// A member as it is written, its field, and its keys with dots between them.
const MEMBERS: &[(&str, &str, &str)] = &[
    ("metadata.sdk", "metadata", "sdk"),
    ("metadata.seats", "metadata", "seats"),
    ("metadata.seats", "metadata", "seats"),
    ("metadata.plan", "metadata", "plan"),
    ("metadata.flag", "metadata", "flag"),
    ("metadata.tags", "metadata", "tags"),
    ("metadata.a.b", "metadata", "a.b"),
    ("metadata.\"a\".\"b\"", "metadata", "a.b"),
    ("metadata.a", "metadata", "a"),
    ("metadata.\"strange key\"", "metadata", "strange key"),
    ("metadata.deep.x.y.z", "metadata", "deep.x.y.z"),
    ("metadata.deep.x", "metadata", "deep.x"),
    ("metadata.note", "metadata", "note"),
    ("metadata.cost", "metadata", "cost"),
    ("metadata.license_key", "metadata", "license_key"),
    ("metadata.rare_3.of", "metadata", "rare_3.of"),
    ("metadata.rare_4", "metadata", "rare_4"),
    ("metadata.absent", "metadata", "absent"),
    ("request_body.user.name", "request_body", "user.name"),
    ("request_body.n", "request_body", "n"),
    ("request_body", "request_body", ""),
    ("on_behalf_of", "on_behalf_of", ""),
    ("on_behalf_of.id", "on_behalf_of", "id"),
    ("on_behalf_of.level", "on_behalf_of", "level"),
    ("query_params.page", "query_params", "page"),
    ("query_params.q", "query_params", "q"),
    ("query_params.\"x y\"", "query_params", "x y"),
    ("error_validation_errors", "error_validation_errors", ""),
    ("error.validation_errors.field", "error_validation_errors", "field"),
    ("error_validation_errors.at", "error_validation_errors", "at"),
    ("block.score_parts.rate.minute", "block_score_parts", "rate.minute"),
    ("before.v", "before", "v"),
    ("after.v", "after", "v"),
];

impl Maker<'_> {
    /// Returns a filter of one term.
    pub(super) fn term(&mut self) -> Clause {
        match self.random.below(100) {
            0..28 => self.text(),
            28..38 => self.words(),
            38..50 => self.number(),
            50..54 => self.truth(),
            54..60 => self.time(),
            60..68 => self.loose(),
            68..78 => self.anywhere(),
            78..92 => self.member(),
            92..95 => self.network(),
            95..98 => self.header(),
            _ => self.id(),
        }
    }

    fn text(&mut self) -> Clause {
        let (name, columns) = *self.random.pick(TEXTS);
        let value = self.value(columns);
        let is = |value: &str| {
            let value = value.to_owned();
            any_of(columns, move |column| match column {
                "action" => format!("action_key = {}", lit(&action_key(&value))),
                _ => format!("{column} = {}", lit(&value)),
            })
        };
        match self.random.below(10) {
            0 => {
                let present = any_of(columns, |column| format!("{column} IS NOT NULL"));
                Clause::one(format!("{name}:*"), &present)
            }
            1 => {
                let other = self.value(columns);
                let (a, b) = (self.written(&value), self.written(&other));
                let sql = format!("{} OR {}", is(&value), is(&other));
                Clause::one(format!("{name}:({a} OR {b})"), &sql)
            }
            2 => {
                let value = self.in_any_case(&value);
                let q = self.written(&value);
                Clause::one(format!("{name}:{q}"), &is(&value))
            }
            3..6 => match self.pattern(&value) {
                Some(pattern) => {
                    let keyed = glob(&action_key(&pattern));
                    let sql = any_of(columns, |column| match column {
                        "action" => format!("action_key GLOB {keyed}"),
                        _ => format!("{column} GLOB {}", glob(&pattern)),
                    });
                    Clause::one(format!("{name}:{pattern}"), &sql)
                }
                None => Clause::one(format!("{name}:={}", quoted(&value)), &is(&value)),
            },
            _ => {
                let q = self.written(&value);
                Clause::one(format!("{name}:{q}"), &is(&value))
            }
        }
    }

    fn words(&mut self) -> Clause {
        let (name, words) = *self.random.pick(WORDS);
        let (a, b) = (*self.random.pick(words), *self.random.pick(words));
        match self.random.below(6) {
            0 => Clause::one(format!("{name}:*"), &format!("{name} IS NOT NULL")),
            1 => {
                let sql = format!("{name} IN ({}, {})", lit(a), lit(b));
                Clause::one(format!("{name}:({a} OR {b})"), &sql)
            }
            2 => match self.pattern(a) {
                Some(p) => Clause::one(format!("{name}:{p}"), &format!("{name} GLOB {}", glob(&p))),
                None => Clause::one(format!("{name}:{a}"), &format!("{name} = {}", lit(a))),
            },
            _ => Clause::one(format!("{name}:{a}"), &format!("{name} = {}", lit(a))),
        }
    }

    /// Writes a number in one of the units and returns what it is in the field's own.
    fn amount(&mut self, column: &str, units: &[Unit]) -> (String, i64) {
        let value = self.int(column);
        let (unit, scale) = *self.random.pick(units);
        let written = value / scale;
        (format!("{written}{unit}"), written * scale)
    }

    fn number(&mut self) -> Clause {
        let (name, column, units) = *self.random.pick(NUMBERS);
        let (a, b) = (self.amount(column, units), self.amount(column, units));
        let (low, high) = if a.1 <= b.1 { (a, b) } else { (b, a) };
        match self.random.below(9) {
            0 => Clause::one(format!("{name}:*"), &format!("{column} IS NOT NULL")),
            1 => {
                let sql = format!("{column} BETWEEN {} AND {}", low.1, high.1);
                Clause::one(format!("{name}:{}..{}", low.0, high.0), &sql)
            }
            2 => Clause::one(format!("{name}:{}..", high.0), &format!("{column} >= {}", high.1)),
            3 => Clause::one(format!("{name}:..{}", low.0), &format!("{column} <= {}", low.1)),
            4 => {
                let sql = format!("{column} IN ({}, {})", low.1, high.1);
                Clause::one(format!("{name}:({} OR {})", low.0, high.0), &sql)
            }
            _ => {
                let (sign, same) = *self.random.pick(&[
                    ("", "="),
                    ("=", "="),
                    (">", ">"),
                    (">=", ">="),
                    ("<", "<"),
                    ("<=", "<="),
                ]);
                let (written, value) = if self.chance(50) { low } else { high };
                Clause::one(format!("{name}:{sign}{written}"), &format!("{column} {same} {value}"))
            }
        }
    }

    fn truth(&mut self) -> Clause {
        let name = *self.random.pick(&["intent", "customer_visible", "clock_skew"]);
        match self.random.below(3) {
            0 => Clause::one(format!("{name}:true"), &format!("{name} = 1")),
            1 => Clause::one(format!("{name}:false"), &format!("{name} = 0")),
            _ => Clause::one(format!("{name}:*"), &format!("{name} IS NOT NULL")),
        }
    }

    fn time(&mut self) -> Clause {
        let (name, column) = *self.random.pick(&[
            ("occurred", "occurred_us"),
            ("occurred_at", "occurred_us"),
            ("occurred", "occurred_us"),
            ("created", "created_us"),
        ]);
        let mut at = || {
            let row = self.random.pick(self.stored);
            if column == "created_us" { row.created_us } else { row.occurred_us() }
        };
        let (a, b) = (at(), at());
        let (low, high) = (a.min(b), a.max(b));
        if self.chance(50) {
            return self.days(name, column, (low, high));
        }
        let (from, to) = (Micros(low), Micros(high));
        let (q, sql) = match self.random.below(7) {
            0 if low < high => {
                (format!("{from}..{to}"), format!("{column} >= {low} AND {column} < {high}"))
            }
            1 => (format!("{from}.."), format!("{column} >= {low}")),
            2 => (format!(">{from}"), format!("{column} > {low}")),
            3 => (format!("<{to}"), format!("{column} < {high}")),
            4 => (format!("<={to}"), format!("{column} <= {high}")),
            5 => (format!("{to}"), format!("{column} = {high}")),
            _ => (format!(">={to}"), format!("{column} >= {high}")),
        };
        Clause::one(format!("{name}:{q}"), &sql)
    }

    fn days(&mut self, name: &str, column: &str, (low, high): (i64, i64)) -> Clause {
        let day =
            |at: i64| (Micros(at).to_string().get(..10).unwrap().to_owned(), at - at % DAY_MICROS);
        let ((from, start), (to, last)) = (day(low), day(high));
        let (behind, end) = (start + DAY_MICROS, last + DAY_MICROS);
        let (q, sql) = match self.random.below(8) {
            0 => (format!("{from}..{to}"), format!("{column} >= {start} AND {column} < {end}")),
            1 => (format!("{from}.."), format!("{column} >= {start}")),
            2 => (format!("..{to}"), format!("{column} < {end}")),
            3 => (format!(">{from}"), format!("{column} >= {behind}")),
            4 => (format!(">={to}"), format!("{column} >= {last}")),
            5 => (format!("<{to}"), format!("{column} < {last}")),
            6 => (format!("<={from}"), format!("{column} < {behind}")),
            _ => (to, format!("{column} >= {last} AND {column} < {end}")),
        };
        Clause::one(format!("{name}:{q}"), &sql)
    }

    fn loose(&mut self) -> Clause {
        let name = *self.random.pick(&LOOSE);
        let value = self.value(&[name]);
        match self.random.below(8) {
            0 => Clause::one(format!("{name}:*"), &format!("{name} IS NOT NULL")),
            1 => Clause::one(
                format!("{name}:={}", quoted(&value)),
                &format!("{name} = {}", lit(&value)),
            ),
            2 => Clause::one(format!("{name}:\"\""), &format!("{name} = ''")),
            3 | 4 => match self.pattern(&value) {
                Some(pattern) => {
                    let pattern = self.in_any_case(&pattern);
                    let sql = format!("low_{name} GLOB {}", glob(&low(&pattern)));
                    Clause::one(format!("{name}:{pattern}"), &sql)
                }
                None => Clause::one(format!("-{name}:*"), &format!("{name} IS NULL")),
            },
            _ => {
                let part = self.part(&value);
                let part = self.in_any_case(&part);
                let q = self.written(&part);
                let sql = format!("instr(low_{name}, {}) > 0", lit(&low(&part)));
                Clause::one(format!("{name}:{q}"), &sql)
            }
        }
    }

    fn anywhere(&mut self) -> Clause {
        let texts = self.row().searched();
        let text = self.random.pick(&texts).clone();
        let found =
            |condition: String| format!("e.row IN (SELECT row FROM searched WHERE {condition})");
        if self.chance(30)
            && let Some(pattern) = self.pattern(&text)
        {
            let pattern = self.in_any_case(&pattern);
            let sql = found(format!("low GLOB {}", glob(&low(&pattern))));
            return Clause::one(pattern, &sql);
        }
        let part = if self.chance(30) { text } else { self.part(&text) };
        let part = if part.is_empty() { "pro".to_owned() } else { self.in_any_case(&part) };
        let sql = found(format!("instr(low, {}) > 0", lit(&low(&part))));
        Clause::one(self.written(&part), &sql)
    }

    fn member(&mut self) -> Clause {
        let (name, field, path) = *self.random.pick(MEMBERS);
        let value = (0..TRIES).find_map(|_| {
            let leaves = self.row().leaves(field);
            leaves.into_iter().find_map(|leaf| leaf.text.filter(|_| leaf.path == path))
        });
        let value = value.unwrap_or_else(|| "nothing".to_owned());
        let found = |condition: &str| {
            let (field, path) = (lit(field), lit(path));
            format!(
                "e.row IN (SELECT row FROM members WHERE field = {field} AND path = {path} \
                 AND {condition})"
            )
        };
        let number = value.parse::<f64>().ok();
        match (self.random.below(10), number) {
            (0, _) => Clause::one(format!("{name}:*"), &found("1")),
            (1..5, Some(number)) => {
                let sign = *self.random.pick(&[">", ">=", "<", "<="]);
                Clause::one(
                    format!("{name}:{sign}{value}"),
                    &found(&format!("num {sign} {number}")),
                )
            }
            (5, Some(number)) => {
                let sql = found(&format!("num BETWEEN {number} AND {}", number + 9.5));
                Clause::one(format!("{name}:{value}..{}", number + 9.5), &sql)
            }
            (1 | 2, None) => match self.pattern(&value) {
                Some(pattern) => {
                    let sql = found(&format!("text GLOB {}", glob(&pattern)));
                    Clause::one(format!("{name}:{pattern}"), &sql)
                }
                None => Clause::one(format!("-{name}:*"), &format!("NOT {}", found("1"))),
            },
            (3, None) => {
                let value = self.in_any_case(&value);
                let q = self.written(&value);
                Clause::one(format!("{name}:{q}"), &found(&format!("text = {}", lit(&value))))
            }
            _ => {
                let q = self.written(&value);
                Clause::one(format!("{name}:{q}"), &found(&format!("text = {}", lit(&value))))
            }
        }
    }

    fn network(&mut self) -> Clause {
        let value = self.value(&["ip"]);
        let Ok(ip) = value.parse::<std::net::IpAddr>() else {
            return Clause::one("ip:*".to_owned(), "ip IS NOT NULL");
        };
        let bits =
            *self.random.pick(if ip.is_ipv4() { &[8, 16, 24, 32] } else { &[32, 48, 64, 128] });
        let base = match ip {
            std::net::IpAddr::V4(ip) => {
                std::net::Ipv4Addr::from(u32::from(ip) >> (32 - bits) << (32 - bits)).to_string()
            }
            std::net::IpAddr::V6(ip) => {
                std::net::Ipv6Addr::from(u128::from(ip) >> (128 - bits) << (128 - bits)).to_string()
            }
        };
        let digits = 1 + bits / 4;
        let hex = ip_hex(&base).unwrap();
        let sql = format!("substr(ip_hex, 1, {digits}) = substr({}, 1, {digits})", lit(&hex));
        Clause::one(format!("ip:{base}/{bits}"), &sql)
    }

    fn header(&mut self) -> Clause {
        let name = *self.random.pick(&["X-Request-Id", "x-request-id", "via", "VIA", "accept"]);
        let value = *self.random.pick(&["7f", "7F", "proxy_2", "text/html", "a%b"]);
        let (q, test) = match self.random.below(3) {
            0 => ("*".to_owned(), "1".to_owned()),
            1 => ("proxy*".to_owned(), "value GLOB 'proxy*'".to_owned()),
            _ => (value.to_owned(), format!("value = {}", lit(value))),
        };
        let sql = format!(
            "e.row IN (SELECT row FROM headers WHERE name = {} AND {test})",
            lit(&low(name))
        );
        Clause::one(format!("headers.{name}:{q}"), &sql)
    }

    fn id(&mut self) -> Clause {
        let id = self.row().id.clone();
        let starred = |part: String| (format!("id:{part}"), format!("id GLOB {}", glob(&part)));
        let (q, sql) = match self.random.below(4) {
            0 => (id.clone(), format!("id = {}", lit(&id))),
            1 => starred(format!("{}*", id.get(..11).unwrap())),
            2 => starred(format!("*{}", id.get(34..).unwrap())),
            _ => (format!("id:{id}"), format!("id = {}", lit(&id))),
        };
        Clause::one(q, &sql)
    }
}
