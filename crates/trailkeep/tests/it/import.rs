//! Importing: every format both ways, quarantine, compression, and jobs that are killed.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tempfile::tempdir;

use crate::command::{Ran, run, trailkeep};
use crate::server::{KEY, Server, events, write};

const CLOUDTRAIL: &str = r#"{"Records":[{"eventVersion":"1.08","eventID":"e-1","eventTime":"2026-04-20T12:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"us-east-1","sourceIPAddress":"s3.amazonaws.com","userIdentity":{"type":"IAMUser","arn":"arn:x","accountId":"1"}},{"eventID":"e-2","eventTime":"no time","eventName":"X"}]}"#;
const COMBINED: &str = "203.0.113.9 - - [20/Apr/2026:12:00:00 +0000] \"GET /a HTTP/1.1\" 404 12 \"-\" \"curl\"\nnot a line\n";
const WINDOWS: &str = r#"{"@timestamp":"2026-04-20T12:00:00Z","EventID":4624,"Hostname":"h","RecordNumber":7,"Channel":"Security"}
{"EventID":1}
"#;
const NATIVE: &str = r#"{"account_id":"x","action":"a","occurred_at":"2026-04-20T12:00:00Z"}
{"action":"no account or time"}
"#;

fn counts(ran: Ran) -> (u64, u64, u64, u64) {
    let summary: Value = serde_json::from_str(&ran.ok()).unwrap();
    let count = |name: &str| summary[name].as_u64().unwrap();
    (count("lines"), count("accepted"), count("duplicates"), count("quarantined"))
}

/// R: accepted + duplicates + quarantined = lines, whatever the format and the way in.
#[test]
fn every_format_both_ways() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let files = [
        ("cloudtrail", CLOUDTRAIL),
        ("combined", COMBINED),
        ("windows", WINDOWS),
        ("ndjson", NATIVE),
    ];
    for (format, text) in files {
        let file = format!("{format}.log");
        write(&folder.path().join(&file), text);
        let arguments = format!(
            "--json --format {format} --job {format} --state {format}.s1 --quarantine {format}.1 {file}"
        );
        assert_eq!(counts(server.run("import", &arguments)), (2, 1, 0, 1), "{format}");
        let arguments = format!(
            "import --json --data alone --format {format} --job {format} --state {format}.s2 \
             --quarantine {format}.2 {file}"
        );
        assert_eq!(counts(run(folder.path(), &arguments)), (2, 1, 0, 1), "{format}");
        let quarantine = |number: u32| {
            std::fs::read_to_string(folder.path().join(format!("{format}.{number}"))).unwrap()
        };
        assert_eq!(quarantine(1), quarantine(2), "{format}");
        let bad: Value = serde_json::from_str(&quarantine(1)).unwrap();
        assert_eq!((&bad["file"], &bad["line"]), (&Value::from(file), &Value::from(2)), "{bad}");
    }
    let counted = run(folder.path(), "search --data alone --count -category:system").ok();
    assert_eq!(counted, "4\n");
    assert_eq!(server.count("-category:system"), 4);
}

#[test]
fn compressed_files_and_standard_input() {
    let folder = tempdir().unwrap();
    let text = events("acme", 0, 100);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    write(&folder.path().join("a.gz"), gzip.finish().unwrap());
    write(&folder.path().join("a.zst"), zstd::bulk::compress(text.as_bytes(), 1).unwrap());
    let both = "import --json --data data --format ndjson a.gz a.zst";
    assert_eq!(counts(run(folder.path(), both)), (200, 100, 100, 0));
    let stdin = std::fs::File::open(folder.path().join("a.gz")).unwrap();
    let mut command = trailkeep(folder.path());
    command.args(["import", "--json", "--data", "data", "--format", "ndjson", "-"]).stdin(stdin);
    assert_eq!(counts(crate::command::finish(&mut command)), (100, 0, 100, 0));
}

/// Two records with the same content and no id are two events; a new job is new data.
#[test]
fn lines_without_an_id_are_told_apart_by_job_and_number() {
    let folder = tempdir().unwrap();
    let line = COMBINED.lines().next().unwrap();
    write(&folder.path().join("same.log"), format!("{line}\n{line}\n"));
    let import = "import --json --data data --format combined same.log --job";
    assert_eq!(counts(run(folder.path(), &format!("{import} one"))), (2, 2, 0, 0));
    assert_eq!(counts(run(folder.path(), &format!("{import} two"))), (2, 2, 0, 0));
    let again = run(folder.path(), &format!("{import} two")).failed(2);
    assert!(again.contains("there is a job `two` already"), "{again}");
    // A finished job that is resumed says the same again.
    assert_eq!(counts(run(folder.path(), &format!("{import} two --resume"))), (2, 2, 0, 0));
    write(&folder.path().join("same.log"), format!("{line}\n"));
    let changed = run(folder.path(), &format!("{import} two --resume")).failed(2);
    assert!(changed.contains("`same.log` has changed"), "{changed}");
    // The job's state may be lost: its lines are still known.
    std::fs::remove_file(folder.path().join("one.trailkeep-job.json")).unwrap();
    assert_eq!(counts(run(folder.path(), &format!("{import} one"))), (1, 0, 1, 0));
}

/// Promise 2: an import that is killed, and resumed, and killed, has every line once.
#[test]
fn killed_import_resumes_exactly() {
    let folder = tempdir().unwrap();
    let n_lines = 3000_u64;
    let mut log = String::new();
    for number in 0..n_lines {
        if number % 100 == 99 {
            log.push_str("broken\n");
        } else {
            let line = COMBINED.lines().next().unwrap();
            log.push_str(&line.replace("/a", &format!("/a/{number}")));
            log.push('\n');
        }
    }
    write(&folder.path().join("access.log"), log);
    let server = Server::start_busy(folder.path());
    let arguments = |resume: &str| {
        format!(
            "import --server {} --key {KEY} --json --format combined --account web --job j \
             --batch-events 7 access.log {resume}",
            server.url
        )
    };
    for (resume, until) in [("", 300), ("--resume", 1200)] {
        let arguments = arguments(resume);
        let mut child = trailkeep(folder.path())
            .args(arguments.split_whitespace())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while lines_done(folder.path()) < until {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (lines, accepted, duplicates, quarantined) =
        counts(run(folder.path(), &arguments("--resume")));
    assert_eq!((lines, quarantined), (n_lines, 30));
    assert_eq!(accepted + duplicates, n_lines - 30);
    assert_eq!(server.count("--account web"), n_lines - 30);
    let bad = std::fs::read_to_string(folder.path().join("access.log.quarantine.ndjson")).unwrap();
    let bad: Vec<Value> = bad.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let places: Vec<u64> = bad.iter().map(|bad| bad["line"].as_u64().unwrap()).collect();
    assert_eq!(places, (1..=30).map(|number| number * 100).collect::<Vec<_>>());
}

/// What an earlier import put into quarantine is never overwritten, not even by a resumed one.
#[test]
fn quarantine_is_only_appended_to() {
    let folder = tempdir().unwrap();
    write(&folder.path().join("a.log"), COMBINED);
    let import = "import --data data --format combined a.log --job";
    let quarantine = folder.path().join("a.log.quarantine.ndjson");
    let jobs = || -> Vec<String> {
        let text = std::fs::read_to_string(&quarantine).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|line| line["job"].as_str().unwrap().to_owned()).collect()
    };
    let said = run(folder.path(), &format!("{import} one"));
    assert!(said.err.contains("1 record is in `a.log.quarantine.ndjson`"), "{}", said.err);
    run(folder.path(), &format!("{import} two")).ok();
    assert_eq!(jobs(), ["one", "two"]);
    // The first job had been killed before it had saved its progress.
    let state = folder.path().join("one.trailkeep-job.json");
    let mut killed: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    killed["finished"] = false.into();
    killed["quarantine_bytes"] = 0.into();
    killed["done"] = serde_json::json!({ "file": 0, "line": 0 });
    killed["counts"] =
        serde_json::json!({ "lines": 0, "accepted": 0, "duplicates": 0, "quarantined": 0 });
    write(&state, killed.to_string());
    run(folder.path(), &format!("{import} one --resume")).ok();
    assert_eq!(jobs(), ["one", "two", "one"]);
}

/// A file that is something else is a failure; a file with some bad lines is not.
#[test]
fn nothing_readable_at_all_is_a_failure() {
    let folder = tempdir().unwrap();
    write(&folder.path().join("junk"), [0_u8, 159, 146, 150, 10, 7, 7, 10]);
    for (format, expected) in [
        ("combined", "expected the lines of an access log"),
        ("ndjson", "expected Trailkeep's own events, a JSON object a line"),
    ] {
        let import = format!("import --data data --format {format} junk");
        let said = run(folder.path(), &import).failed(1);
        assert!(said.contains("no entry came of 2 records"), "{said}");
        assert!(said.contains(expected), "{said}");
        assert!(said.contains("hint: `junk.quarantine.ndjson` has every record"), "{said}");
    }
    write(&folder.path().join("empty"), "");
    run(folder.path(), "import --data data --format combined empty").ok();
}

/// A server that is not there is said to be so at once, before the import gives up.
#[test]
fn a_server_that_is_not_there_is_named_at_once() {
    let folder = tempdir().unwrap();
    write(&folder.path().join("a.log"), COMBINED);
    let server = Server::start(folder.path());
    let url = server.url.clone();
    server.kill();
    let import = format!("import --server {url} --key {KEY} --format combined a.log");
    for arguments in [import, format!("tail --server {url} --key {KEY}")] {
        let mut child = trailkeep(folder.path())
            .args(arguments.split_whitespace())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = lines.find(|line| line.as_ref().unwrap().contains("could not reach")).unwrap();
        let said = said.unwrap();
        assert!(said.contains("refused") && said.contains("trying again for "), "{said}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

fn lines_done(folder: &Path) -> u64 {
    let state = std::fs::read(folder.join("j.trailkeep-job.json")).unwrap_or_default();
    let state: Value = serde_json::from_slice(&state).unwrap_or_default();
    state["counts"]["lines"].as_u64().unwrap_or(0)
}
