//! Exports and figures of a store, by the binary.

use serde_json::Value;
use tempfile::tempdir;

use crate::command::run;
use crate::server::{BUSY, Server, events, write};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// R199: the same file from a server and from its data directory, which appears whole.
#[test]
fn an_export_is_the_matching_set_both_ways() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    server.client().send_events(events("acme", 0, 300).as_bytes()).unwrap();
    server.client().send_events(events("other", 0, 20).as_bytes()).unwrap();
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let ask = "--account acme --from 2026-04-20 --order asc status:200";
    for format in ["csv", "ndjson", "parquet"] {
        let said =
            server.run("export", &format!("--format {format} --output remote.{format} {ask}"));
        assert_eq!(said.out, "");
        let rows = if format == "parquet" { "exported" } else { "exported 100 entries, " };
        assert!(said.err.contains(rows) && said.err.contains(&format!("to remote.{format}")));
        said.ok();
    }
    let lines = String::from_utf8(read("remote.ndjson")).unwrap();
    assert_eq!(lines.lines().count(), 100);
    assert_eq!(json(lines.lines().next().unwrap())["source_id"], "acme-0");
    let listed = server.run("search", &format!("--limit 0 --json {ask}")).ok();
    assert_eq!(lines, listed);
    let (code, log) = server.stop();
    assert_eq!(code, Some(0), "{log}");
    for format in ["csv", "ndjson", "parquet"] {
        let summary = run(
            folder.path(),
            &format!("export --data data --format {format} --output local.{format} --json {ask}"),
        );
        let summary = json(&summary.ok());
        let file = read(&format!("local.{format}"));
        assert_eq!(summary["rows"], 100, "{format}");
        assert_eq!(summary["bytes"], file.len(), "{format}");
        assert!(file == read(&format!("remote.{format}")), "{format}");
    }
    let said = run(folder.path(), "export --data data --format csv --fields id,source_id");
    assert!(said.err.contains(" to stdout"), "{}", said.err);
    let out = said.ok();
    assert!(out.starts_with("id,source_id\r\n"), "{out}");
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("local") || name.contains("remote"))
        .collect();
    names.sort();
    assert_eq!(names.len(), 6, "{names:?}");
}

#[test]
fn an_export_that_cannot_be_made_leaves_nothing() {
    let folder = tempdir().unwrap();
    write(&folder.path().join("in.ndjson"), events("acme", 0, 10));
    run(folder.path(), "import --data data --format ndjson in.ndjson").ok();
    write(&folder.path().join("old.csv"), "old");
    let export = |arguments: &str| run(folder.path(), &format!("export --data data {arguments}"));
    let cases = [
        ("--format xml", "xml"),
        ("--output old.csv", "--format"),
        ("--format csv --fields id,colour", "`colour` is not a field"),
        ("--format csv --fields id,id", "stands twice"),
        ("--format csv --from soon", "is no time"),
        ("--format csv stauts:1", "status"),
        ("--format csv --output data", "is no file"),
        ("--format csv --output none/x.csv", "its folder does not exist"),
    ];
    for (arguments, words) in cases {
        let said = export(arguments).failed(2);
        assert!(said.contains(words), "{arguments}: {said}");
    }
    run(folder.path(), "export --data none --format csv --output new.csv").failed(4);
    let nobody = "export --server http://127.0.0.1:1 --key k --format csv --output new.csv";
    run(folder.path(), nobody).failed(6);
    assert!(!folder.path().join("new.csv").exists());
    // Damage in the middle: the old file stays, and nothing half done beside it.
    for entry in std::fs::read_dir(folder.path().join("data/objects/seg")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "parquet") {
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 3;
            bytes[middle..middle + 64].fill(0xa5);
            write(&path, &bytes);
        }
    }
    export("--format csv --output old.csv").failed(10);
    assert_eq!(std::fs::read_to_string(folder.path().join("old.csv")).unwrap(), "old");
    assert!(!folder.path().join("old.csv.tmp").exists());
}

/// The same figures from a server and from its data directory.
#[test]
fn figures_are_told_both_ways() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    server.client().send_events(events("acme", 0, 300).as_bytes()).unwrap();
    let stats = json(&server.run("stats", "--json").ok());
    assert!(stats["rows"].as_u64() >= Some(300), "{stats}");
    assert_eq!(stats["tail_rows"], stats["rows"]);
    let page = server.run("stats", "").ok();
    assert!(page.contains("journal") && page.contains("per entry"), "{page}");
    server.stop();
    let after = json(&run(folder.path(), "stats --data data --json").ok());
    assert_eq!(after["rows"], stats["rows"]);
    assert_eq!(after["accounts"], stats["accounts"]);
    assert_eq!((&after["tail_rows"], &after["segments"]), (&0.into(), &1.into()));
    assert_eq!((&after["first_at"], &after["last_at"]), (&stats["first_at"], &stats["last_at"]));
    let bytes = after["bytes"].as_object().unwrap();
    let sum: u64 =
        bytes.iter().filter(|(n, _)| *n != "total").map(|(_, n)| n.as_u64().unwrap()).sum();
    assert_eq!(bytes["total"], sum);
    assert!(bytes["segments"].as_u64() > Some(0) && bytes["index"].as_u64() > Some(0), "{after}");
    run(folder.path(), "stats --data none").failed(4);
}

/// SQL is off where the configuration does not turn it on.
#[test]
fn sql_is_turned_on_by_the_configuration() {
    let folder = tempdir().unwrap();
    let ask = |server: &Server| {
        let answer = server.client().post(
            "/api/v1/sql",
            br#"{"sql":"SELECT count(*) FROM events WHERE account_id = 'acme'"}"#,
            std::time::Duration::from_secs(30),
        );
        answer.map(|answer| json(&String::from_utf8(answer).unwrap())["items"].clone())
    };
    let server = Server::start(folder.path());
    server.client().send_events(events("acme", 0, 5).as_bytes()).unwrap();
    assert!(matches!(ask(&server), Err(trailkeep_client::Error::NotAllowed { .. })));
    server.stop();
    write(&folder.path().join("sql.toml"), format!("{BUSY}[analyze]\nsql = true\n"));
    let server = Server::start_with(folder.path(), &["--data", "data", "--config", "sql.toml"]);
    assert_eq!(ask(&server).unwrap(), serde_json::json!([[5]]));
}
