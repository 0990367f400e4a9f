//! A small account to look at.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use trailkeep_event::{BodyFormat, Micros};
use trailkeep_ingest::{Store, Submitter, admit};
use trailkeep_scope::WriteScope;

use crate::local::LocalStore;
use crate::output::say;

/// Where the demonstration's key is kept, in the data directory.
pub(crate) const KEY_FILE: &str = "demo.key";
const ACCOUNT: &str = "demo";
const EVENTS: i64 = 60;
/// The events are this far apart; the last one is the newest.
const STEP_MICROS: i64 = 11 * 60 * 1_000_000;

/// What happens in the demonstration, again and again: action, resource, status, outcome.
const STORY: &[(&str, &str, u16, &str)] = &[
    ("auth.login", "session", 200, "success"),
    ("license.created", "license", 201, "success"),
    ("license.validated", "license", 200, "success"),
    ("machine.activated", "machine", 201, "success"),
    ("license.validated", "license", 422, "failure"),
    ("policy.updated", "policy", 200, "success"),
    ("auth.login", "session", 401, "denied"),
    ("license.suspended", "license", 200, "success"),
    ("user.invited", "user", 201, "success"),
    ("license.deleted", "license", 403, "denied"),
    ("license.validated", "license", 200, "success"),
    ("webhook.delivered", "webhook", 500, "failure"),
];
const PEOPLE: &[(&str, &str)] =
    &[("usr_ada", "Ada Byron"), ("usr_alan", "Alan M."), ("svc_billing", "Billing service")];

/// Tells whether a store holds nothing at all.
pub(crate) fn is_empty(store: &Store) -> bool {
    let gauges = store.gauges();
    gauges.tail_rows == 0 && gauges.sealed_rows == 0
}

/// Writes the demonstration's events.
pub(crate) fn fill(local: &LocalStore) -> anyhow::Result<()> {
    let now = local.machine.clock.now_micros();
    let mut body = String::new();
    for number in 0..EVENTS {
        let back = EVENTS.saturating_sub(number).saturating_mul(STEP_MICROS);
        let occurred_at = Micros(now.saturating_sub(back));
        let event = event(usize::try_from(number).unwrap_or(0), occurred_at);
        body.push_str(&event.to_string());
        body.push('\n');
    }
    let options = local.store.options();
    let scope = WriteScope::everything();
    let events =
        admit(body.as_bytes(), BodyFormat::Lines, &options.event, options.events_max, &scope)?;
    let submitter = Submitter { key_id: Arc::from("demo"), scope: Arc::new(scope) };
    let answer = local.machine.runtime.block_on(local.store.submit(&submitter, events));
    let answer = answer.context("could not write the demonstration's events")?;
    if let Some((_index, rejection)) = answer.rejected.first() {
        bail!("an event of the demonstration was rejected: {}", rejection.detail);
    }
    Ok(())
}

fn event(number: usize, occurred_at: Micros) -> Value {
    let pick = |len: usize| number.checked_rem(len).unwrap_or(0);
    let (action, resource, status, outcome) =
        STORY.get(pick(STORY.len())).copied().unwrap_or(("auth.login", "session", 200, "success"));
    let (actor_id, actor) = PEOPLE.get(pick(PEOPLE.len())).copied().unwrap_or(("usr_ada", "Ada"));
    let mut event = json!({
        "account_id": ACCOUNT,
        "action": action,
        "occurred_at": occurred_at.to_string(),
        "category": if action.starts_with("auth.") { "auth" } else { "api" },
        "outcome": outcome,
        "severity": if outcome == "success" { "info" } else { "warning" },
        "source_id": format!("demo-{number}"),
        "actor_id": actor_id,
        "actor_type": if actor_id.starts_with("svc_") { "service" } else { "user" },
        "actor_label": actor,
        "resource_type": resource,
        "resource_id": format!("{resource}_{:03}", pick(17)),
        "method": if status == 201 { "POST" } else { "GET" },
        "path": format!("/v1/{resource}s/{resource}_{:03}", pick(17)),
        "status": status,
        "duration_ms": 3 + number * 7 % 90,
        "ip": format!("192.0.2.{}", 10 + pick(5)),
        "metadata": { "plan": if number.is_multiple_of(2) { "pro" } else { "basic" } },
    });
    if let (Some(event), "failure" | "denied") = (event.as_object_mut(), outcome) {
        event.insert("error".to_owned(), json!({ "code": format!("{resource}_refused") }));
    }
    event
}

/// Says what to try.
pub(crate) fn announce(data: &Path, url: &str) {
    let file = data.join(KEY_FILE);
    let key = if file.is_file() { format!("$(cat {})", file.display()) } else { "$KEY".to_owned() };
    // By its path: after `make run` the program is on no PATH.
    let program = std::env::current_exe().unwrap_or_else(|_error| "trailkeep".into());
    let program = program.display();
    let bearer = format!("-H \"Authorization: Bearer {key}\"");
    say(&format!(
        "\nThree commands to try, in another terminal:\n\n  \
         curl -s {bearer} '{url}/api/v1/events?account_id={ACCOUNT}&limit=5'\n  \
         curl -s {bearer} -H 'Content-Type: application/json' {url}/api/v1/events \\\n    \
         -d '{{\"account_id\":\"{ACCOUNT}\",\"action\":\"hello\",\
         \"occurred_at\":\"2026-01-01T00:00:00Z\"}}'\n  \
         {program} search --server {url} --key \"{key}\" 'outcome:denied'\n"
    ));
}
