//! Keys by the command line, both ways in.

use serde_json::Value;
use tempfile::tempdir;

use crate::command::run;
use crate::server::{Server, events};

/// Promise 8: a key does what it was made for and nothing else, until it is revoked.
#[test]
fn keys_open_what_they_were_made_for() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let create = "create --name 'billing service' --account acme --write --accounts-create";
    let place = format!("--server {} --key {}", server.url, crate::server::KEY);
    let token = run(folder.path(), &format!("keys {create} {place}")).ok();
    let token = token.trim();
    assert!(token.starts_with("tk_"), "{token}");

    let client = server.client_of(token);
    assert_eq!(client.send_events(events("acme", 0, 3).as_bytes()).unwrap().accepted, 3);
    let refused = client.send_events(events("other", 0, 1).as_bytes()).unwrap();
    assert_eq!(refused.rejected[0].code, "not_allowed");
    assert!(client.get("/api/v1/events", &[]).is_err(), "it may not read");
    assert!(client.get("/api/v1/keys", &[]).is_err(), "it is no operator");

    let list = run(folder.path(), &format!("keys list --json {place}")).ok();
    let keys: Vec<Value> = list.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let key = keys.iter().find(|key| key["name"] == "billing service").unwrap();
    assert!(!list.contains(token));
    let key_id = key["key_id"].as_str().unwrap();
    run(folder.path(), &format!("keys revoke {key_id} {place}")).ok();
    assert!(client.send_events(events("acme", 3, 4).as_bytes()).is_err());
    run(folder.path(), &format!("keys revoke {key_id} {place}")).failed(4);
    assert_eq!(server.count("'category:system action:key.revoked'"), 1);
}

#[test]
fn keys_are_made_without_a_server_too() {
    let folder = tempdir().unwrap();
    drop(Server::start(folder.path()).stop());
    let create = "keys create --name auditor --read --expires 90d --data data --json";
    let made: Value = serde_json::from_str(&run(folder.path(), create).ok()).unwrap();
    let list = run(folder.path(), "keys list --data data").ok();
    assert!(list.contains("read(all accounts)") && list.contains("until "), "{list}");
    let server = Server::start(folder.path());
    let client = server.client_of(made["token"].as_str().unwrap());
    assert!(client.get("/api/v1/events", &[]).is_ok());
    assert!(client.send_events(events("acme", 0, 1).as_bytes()).is_err(), "it may not write");
}
