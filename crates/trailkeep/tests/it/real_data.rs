//! Real records that others wrote, where they are at hand: their exact counts.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::tempdir;

use crate::command::run;

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

/// Returns the pairs of a top list.
fn pairs(list: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    list.as_array().unwrap().iter().map(|pair| (&pair[0], &pair[1]))
}

#[test]
fn apache_combined() {
    let Some((root, truth)) = data_set("apache-combined") else { return };
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
}

#[test]
fn cloudtrail() {
    let Some((root, truth)) = data_set("cloudtrail-invictus") else { return };
    let imported = import("cloudtrail", &root.join("events.ndjson"));
    assert_eq!(imported.summary["accepted"], truth["records"]);
    assert_eq!(imported.summary["quarantined"], 0);
    let truth = &truth["unique_only"];
    for (ip, count) in pairs(&truth["by_ip"]).take(4) {
        imported.counts(&format!("ip:\"{}\"", ip.as_str().unwrap()), count);
    }
    for (actor, count) in pairs(&truth["by_actor"]).take(3) {
        imported.counts(&format!("actor_id:\"{}\"", actor.as_str().unwrap()), count);
    }
    imported.counts("error_code:*", &truth["failed(errorCode present)"]);
    imported.counts("metadata.readOnly:true", &truth["readOnly"][0][1]);
}

#[test]
fn windows() {
    let Some((root, _truth)) = data_set("otrf-windows-security") else { return };
    let imported = import("windows", &root.join("events-20000.ndjson.gz"));
    assert_eq!(imported.summary["lines"], 20_000);
    assert_eq!(imported.summary["accepted"], 20_000);
    imported.counts("", &Value::from(20_000));
}
