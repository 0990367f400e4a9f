//! Real records that others wrote, where they are at hand: their exact counts, all figures of
//! `truth.json` as aggregates and as SQL.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::command::run;
use crate::figures::{ALL, Figures, Top};

/// Lines of the access log whose agent is `-`.
const N_WITHOUT_AGENT: u64 = 190;

/// Returns the folder of a data set, or says that it is not there.
fn data_set(name: &str) -> Option<(PathBuf, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    let Ok(truth) = std::fs::read(root.join("truth.json")) else {
        writeln!(std::io::stderr(), "skipped: there is no data set {name}").unwrap();
        return None;
    };
    Some((root, serde_json::from_slice(&truth).unwrap()))
}

struct Imported {
    folder: tempfile::TempDir,
    summary: Value,
}

fn import(format: &str, file: &Path) -> Imported {
    let folder = tempdir().unwrap();
    let file = file.display();
    let import =
        format!("import --json --data d --format {format} --account a --quarantine q {file}");
    let summary = serde_json::from_str(&run(folder.path(), &import).ok()).unwrap();
    Imported { folder, summary }
}

impl Imported {
    #[track_caller]
    fn counts(&self, query: &str, truth: &Value) {
        let counted =
            run(self.folder.path(), &format!("search --data d --account a --count '{query}'"));
        let counted: u64 = counted.ok().trim().parse().unwrap();
        assert_eq!(Some(counted), truth.as_u64(), "{query}");
    }
}

/// Checks that a list of figures has these and no others, so that none is forgotten.
#[track_caller]
fn named(truth: &Value, figures: &str) {
    let names: Vec<&str> = truth.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names.join(" "), figures);
}

/// Returns the pairs of a top list.
fn pairs(list: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    list.as_array().unwrap().iter().map(|pair| (&pair[0], &pair[1]))
}

#[test]
fn apache_combined() {
    let Some((root, truth)) = data_set("apache-combined") else { return };
    named(
        &truth,
        "by_day bytes_sum distinct_ips lines lines_not_matching_combined methods \
         remote_user_present status top_404_paths top_ips user_agents",
    );
    let imported = import("combined", &root.join("access.log"));
    assert_eq!(imported.summary["accepted"], 9999);
    assert_eq!(imported.summary["quarantined"], 1);
    for (status, count) in pairs(&truth["status"]) {
        imported.counts(&format!("status:{}", status.as_str().unwrap()), count);
    }
    for (method, count) in pairs(&truth["methods"]) {
        imported.counts(&format!("method:{}", method.as_str().unwrap()), count);
    }
    for (ip, count) in pairs(&truth["top_ips"]).take(3) {
        imported.counts(&format!("ip:{}", ip.as_str().unwrap()), count);
    }
    let figures = Figures::of(imported.folder.path());
    let top = |field, column| Top { field, column, ..ALL };
    figures.top(&top("status", "CAST(status AS VARCHAR)"), &truth["status"]);
    figures.top(&top("method", "method"), &truth["methods"]);
    figures.top(&top("ip", "ip"), &truth["top_ips"]);
    let missing = Top { q: "status:404", condition: "status = 404", ..top("path", "path") };
    figures.top(&missing, &truth["top_404_paths"]);
    // The log's own zone is UTC.
    figures.times(("1d", "day"), &truth["by_day"], |day| {
        format!("2015-05-{}T00:00:00.000Z", day.replace("/May/2015", ""))
    });
    let distinct = |field: &str| json!({ "fn": "count_distinct", "field": field });
    figures.one("", &distinct("ip"), "count(DISTINCT ip)", &truth["distinct_ips"]);
    // The figure counts `-` as an agent, which is none here.
    let agents = json!(truth["user_agents"].as_u64().unwrap() - 1);
    figures.counts("-user_agent:*", "user_agent IS NULL", &json!(N_WITHOUT_AGENT));
    figures.one("", &distinct("user_agent"), "count(DISTINCT user_agent)", &agents);
    let sum = json!({ "fn": "sum", "field": "response_bytes" });
    figures.one("", &sum, "sum(response_bytes)", &truth["bytes_sum"]);
    figures.counts("actor_id:*", "actor_id IS NOT NULL", &truth["remote_user_present"]);
    let n_bad = truth["lines_not_matching_combined"].as_array().unwrap().len();
    let n_lines = usize::try_from(truth["lines"].as_u64().unwrap()).unwrap();
    figures.counts("", "true", &json!(n_lines - n_bad));
}

fn cloudtrail(set: &str) {
    let Some((root, truth)) = data_set(set) else { return };
    let imported = import("cloudtrail", &root.join("events.ndjson"));
    assert_eq!(imported.summary["accepted"], truth["records"]);
    assert_eq!(imported.summary["quarantined"], 0);
    named(&truth, "first last records unique_eventID unique_only");
    let unique = &truth["unique_only"];
    named(
        unique,
        "by_actor by_errorCode by_eventName by_eventSource by_hour by_ip by_region console_login \
         failed(errorCode present) readOnly same_second_max stratus_user_agent",
    );
    for (ip, count) in pairs(&unique["by_ip"]).take(4) {
        imported.counts(&format!("ip:\"{}\"", ip.as_str().unwrap()), count);
    }
    for (actor, count) in pairs(&unique["by_actor"]).take(3) {
        imported.counts(&format!("actor_id:\"{}\"", actor.as_str().unwrap()), count);
    }
    imported.counts("error_code:*", &unique["failed(errorCode present)"]);
    imported.counts("metadata.readOnly:true", &unique["readOnly"][0][1]);
    let figures = Figures::of(imported.folder.path());
    cloudtrail_tops(&figures, unique);
    figures.counts("", "true", &truth["records"]);
    let ids = json!({ "fn": "count_distinct", "field": "source_id" });
    figures.one("", &ids, "count(DISTINCT source_id)", &truth["unique_eventID"]);
    for (function, time) in [("min", &truth["first"]), ("max", &truth["last"])] {
        let time = json!(time.as_str().unwrap().replace('Z', ".000Z"));
        let metric = json!({ "fn": function, "field": "occurred_at" });
        figures.one("", &metric, &format!("{function}(occurred_at)"), &time);
    }
    let failed = &unique["failed(errorCode present)"];
    figures.counts("error_code:*", "error_code IS NOT NULL", failed);
    figures.counts("outcome:failure", "outcome = 'failure'", failed);
    let stratus = "lower(user_agent) LIKE '%stratus%'";
    figures.counts("user_agent:stratus", stratus, &unique["stratus_user_agent"]);
    let login = "action = 'ConsoleLogin'";
    figures.counts("action:ConsoleLogin", login, &unique["console_login"]);
}

fn cloudtrail_tops(figures: &Figures, unique: &Value) {
    let lists = [
        ("by_eventName", "action", "action"),
        ("by_eventName", "metadata.eventName", "metadata['eventName']"),
        ("by_eventSource", "resource_type", "resource_type"),
        ("by_eventSource", "metadata.eventSource", "metadata['eventSource']"),
        ("by_errorCode", "error.code", "error_code"),
        ("by_actor", "actor_id", "actor_id"),
        ("by_ip", "ip", "ip"),
        ("by_region", "region", "region"),
        ("by_region", "metadata.awsRegion", "member(metadata, 'awsRegion')"),
    ];
    for (list, field, column) in lists {
        figures.top(&Top { field, column, ..ALL }, &unique[list]);
    }
    let truths = Top { field: "metadata.readOnly", column: "metadata['readOnly']", ..ALL };
    figures.top_as(&truths, &unique["readOnly"], str::to_lowercase);
    figures.times(("1h", "hour"), &unique["by_hour"], |hour| format!("{hour}:00:00.000Z"));
    figures.busiest_second(&unique["same_second_max"]);
}

#[test]
fn cloudtrail_invictus() {
    cloudtrail("cloudtrail-invictus");
}

#[test]
fn cloudtrail_stratus() {
    cloudtrail("cloudtrail-stratus");
}

#[test]
fn windows() {
    let Some((root, truth)) = data_set("otrf-windows-security") else { return };
    // The keys are counted where they are read, by the importer's tests: no query lists them.
    named(
        &truth,
        "by_Channel by_EventID_top20 by_Hostname by_SubjectUserName_top15 distinct_top_level_keys \
         records records_with_integer_beyond_2^53-1_in_Keywords",
    );
    let imported = import("windows", &root.join("events-20000.ndjson.gz"));
    assert_eq!(imported.summary["lines"], 20_000);
    assert_eq!(imported.summary["accepted"], 20_000);
    imported.counts("", &Value::from(20_000));
    let figures = Figures::of(imported.folder.path());
    figures.counts("", "true", &truth["records"]);
    let lists = [
        ("by_EventID_top20", "EventID"),
        ("by_Hostname", "Hostname"),
        ("by_SubjectUserName_top15", "SubjectUserName"),
        ("by_Channel", "Channel"),
    ];
    for (list, name) in lists {
        let (field, column) = (format!("metadata.{name}"), format!("metadata['{name}']"));
        figures.top(&Top { field: &field, column: &column, ..ALL }, &truth[list]);
    }
    // Such integers are kept as texts.
    let large = &truth["records_with_integer_beyond_2^53-1_in_Keywords"];
    figures.counts("metadata.Keywords:-*", "metadata['Keywords'] LIKE '-%'", large);
}
