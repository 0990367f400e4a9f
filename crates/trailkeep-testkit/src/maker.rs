//! Realistic events from a seed.

use serde_json::json;
use trailkeep_event::Micros;

use crate::Random;

/// Method, route, resource type, action.
const ROUTES: &[(&str, &str, &str, &str)] = &[
    ("POST", "/api/v1/licenses/activate", "license", "license.activated"),
    ("POST", "/api/v1/licenses/validate", "license", "license.validated"),
    ("GET", "/api/v1/licenses/{id}", "license", "license.viewed"),
    ("GET", "/api/v1/products", "product", "product.listed"),
    ("PATCH", "/api/v1/customers/{id}", "customer", "customer.updated"),
    ("DELETE", "/api/v1/customers/{id}", "customer", "customer.deleted"),
    ("GET", "/api/v1/pathways/{id}", "pathway", "pathway.viewed"),
];
/// Status, error code, message.
const ERRORS: &[(i64, &str, &str)] = &[
    (401, "ERR_INVALID_API_KEY", "API key not found"),
    (403, "ERR_LICENSE_SUSPENDED", "License suspended due to payment failure"),
    (404, "ERR_LICENSE_NOT_FOUND", "License not found"),
    (409, "ERR_ACTIVATION_LIMIT", "Activation limit reached"),
    (429, "ERR_RATE_LIMITED", "Too many requests"),
    (504, "ERR_DB_TIMEOUT", "Database timeout after 5000 ms"),
];
/// Reason, rule.
const BLOCKS: &[(&str, &str)] = &[
    ("RATE_LIMIT_EXCEEDED", "RULE_RATE_100RPM"),
    ("IP_BLOCKLISTED", "RULE_IP_MANUAL"),
    ("SQL_INJECTION_ATTEMPT", "RULE_SQLI_1"),
];
/// Action, resource type, what was changed.
const CHANGES: &[(&str, &str, &str)] = &[
    ("license.suspended", "license", "Reason: Payment failure"),
    ("settings.updated", "settings", "retention"),
    ("product.price_changed", "product", "price"),
];
const USER_AGENTS: &[&str] = &["curl/8.5.0", "python-requests/2.31.0", "Go-http-client/2.0"];
/// 2026-01-01T00:00:00Z
const START: Micros = Micros(1_767_225_600_000_000);

/// Makes the same events from the same seed: successful and failed calls, blocked calls, logins
/// and dashboard actions. An endless iterator of JSON lines without their newlines.
#[derive(Clone, Debug)]
pub struct EventMaker {
    random: Random,
    n_accounts: u64,
    at: Micros,
    step_micros: i64,
    source_ids: bool,
}

impl EventMaker {
    /// Starts at 2026-01-01, a second an event, 5 accounts, without source ids.
    pub fn new(seed: u64) -> Self {
        let random = Random::new(seed);
        Self { random, n_accounts: 5, at: START, step_micros: 1_000_000, source_ids: false }
    }

    /// Spreads the events over that many accounts, `account-0` and on.
    #[must_use]
    pub fn with_accounts(mut self, n_accounts: u64) -> Self {
        self.n_accounts = n_accounts.max(1);
        self
    }

    /// Sets the first event's time.
    #[must_use]
    pub fn starting_at(mut self, at: Micros) -> Self {
        self.at = at;
        self
    }

    /// Sets the time from one event to the next.
    #[must_use]
    pub fn with_step(mut self, micros: i64) -> Self {
        self.step_micros = micros;
        self
    }

    /// Gives each event a source id.
    #[must_use]
    pub fn with_source_ids(mut self) -> Self {
        self.source_ids = true;
        self
    }

    /// Returns the next `n_events` events, one a line.
    pub fn ndjson(&mut self, n_events: usize) -> String {
        self.by_ref().take(n_events).fold(String::new(), |mut lines, line| {
            lines.push_str(&line);
            lines.push('\n');
            lines
        })
    }

    fn event(&mut self) -> serde_json::Value {
        let at = self.at;
        self.at = at.plus(self.step_micros);
        let mut event = match self.random.below(100) {
            0..90 => self.call(),
            90..94 => self.blocked(),
            94..97 => self.login(),
            _ => self.dashboard(),
        };
        event["occurred_at"] = json!(at.to_string());
        event["account_id"] = json!(format!("account-{}", self.random.skewed(self.n_accounts)));
        event["application_id"] = json!(format!("app_{}", self.random.below(7)));
        event["environment_id"] = json!(if self.random.below(10) < 9 { "prod" } else { "staging" });
        event["correlation_id"] = json!(self.random.uuid());
        event["ip"] =
            json!(format!("203.0.{}.{}", self.random.skewed(256), self.random.below(256)));
        event["user_agent"] = json!(self.random.pick(USER_AGENTS));
        if self.source_ids {
            event["source_id"] = json!(self.random.uuid());
        }
        event
    }

    fn call(&mut self) -> serde_json::Value {
        let (method, route, resource_type, action) = *self.random.pick(ROUTES);
        let resource_id = format!("{resource_type}_{}", self.random.skewed(50_000));
        let mut event = json!({
            "category": "api", "action": action, "outcome": "success", "severity": "info",
            "actor_id": format!("key_{}", self.random.skewed(5000)), "actor_type": "api_key",
            "actor_label": format!("km_live_{}...", self.random.hex(3)), "auth_type": "api_key",
            "resource_type": resource_type, "resource_id": resource_id,
            "method": method, "route": route, "path": route.replace("{id}", &resource_id),
            "status": 200, "duration_ms": self.random.skewed(900),
            "request_bytes": self.random.skewed(2000), "response_bytes": self.random.skewed(9000),
        });
        if self.random.below(20) == 0 {
            let (status, code, message) = *self.random.pick(ERRORS);
            event["status"] = json!(status);
            event["outcome"] = json!("failure");
            event["severity"] = json!(if status >= 500 { "error" } else { "warning" });
            event["error"] = json!({
                "code": code, "message": message, "retry_count": self.random.below(3),
            });
        }
        if resource_type == "license" {
            event["metadata"] = json!({ "sdk": "Python/3.11", "seats": self.random.below(50) });
        }
        event
    }

    fn blocked(&mut self) -> serde_json::Value {
        let (method, route, resource_type, _action) = *self.random.pick(ROUTES);
        let (reason, rule) = *self.random.pick(BLOCKS);
        json!({
            "category": "blocked", "action": "request.blocked", "outcome": "denied",
            "severity": "warning", "actor_type": "anonymous", "auth_type": "none",
            "resource_type": resource_type, "method": method, "route": route,
            "path": route.replace("{id}", &self.random.hex(8)), "status": 403, "duration_ms": 0,
            "fingerprint": format!("hash_{}", self.random.hex(16)),
            "block": {
                "reason": reason, "rule_id": rule, "threat_score": self.random.below(101),
            },
        })
    }

    fn login(&mut self) -> serde_json::Value {
        let user = self.random.skewed(20_000);
        let succeeded = self.random.below(100) < 93;
        let (action, outcome, severity) = if succeeded {
            ("login.succeeded", "success", "info")
        } else {
            ("login.failed", "failure", "warning")
        };
        json!({
            "category": "auth", "action": action, "outcome": outcome, "severity": severity,
            "actor_id": format!("usr_{user}"), "actor_type": "user",
            "actor_label": format!("user{user}@acme.example"),
            "auth_type": *self.random.pick(&["sso", "password"]),
            "session_id": format!("sess_{}", self.random.hex(16)),
            "metadata": { "mfa": self.random.below(10) < 7 },
        })
    }

    fn dashboard(&mut self) -> serde_json::Value {
        let user = self.random.skewed(20_000);
        let (action, resource_type, details) = *self.random.pick(CHANGES);
        let number = self.random.below(90_000);
        json!({
            "category": "dashboard", "action": action, "outcome": "success", "severity": "notice",
            "actor_id": format!("usr_{user}"), "actor_type": "user", "auth_type": "session",
            "actor_label": format!("user{user}@acme.example"),
            "resource_type": resource_type, "resource_id": format!("{resource_type}_{number}"),
            "resource_label": format!("{resource_type} #{number}"),
            "customer_visible": self.random.below(2) == 0,
            "before": { "v": self.random.below(100) }, "after": { "v": self.random.below(100) },
            "metadata": { "details": details },
        })
    }
}

impl Iterator for EventMaker {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        Some(self.event().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row_of;
    use std::collections::HashSet;
    use trailkeep_event::{Field, Fields};

    #[test]
    fn the_same_seed_makes_the_same_events_and_all_are_read() {
        let lines: Vec<String> = EventMaker::new(7).with_source_ids().take(2000).collect();
        let again = EventMaker::new(7).with_source_ids().ndjson(2000);
        assert_eq!(again.lines().collect::<Vec<_>>(), lines);
        assert_ne!(EventMaker::new(8).with_source_ids().ndjson(2000), again);
        let rows: Vec<_> = lines.iter().map(|line| row_of(line)).collect();
        let distinct = |field| {
            rows.iter().filter_map(|row| row.text(field).map(str::to_owned)).collect::<HashSet<_>>()
        };
        assert_eq!(distinct(Field::Category).len(), 4);
        assert_eq!(distinct(Field::AccountId).len(), 5);
        assert_eq!(distinct(Field::SourceId).len(), 2000);
        assert_eq!(distinct(Field::ErrorCode).len(), ERRORS.len());
    }
}
