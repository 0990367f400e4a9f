//! Looks at every entry of every account.

use std::collections::HashSet;

use serde_json::Value;

use super::client::{ACCOUNTS, Client, Fate, parse_marker};
use super::server::Api;

const PAGE_LIMIT: &str = "1000";
/// How many problems are shown.
const PROBLEMS_MAX: usize = 20;

/// Checks that each acknowledged event is there exactly once and nothing else is.
pub(crate) fn check_everything(api: &Api, clients: &mut [Client]) {
    let mut problems = Vec::new();
    let mut found = HashSet::new();
    for account in 0..ACCOUNTS {
        let account = format!("account-{account}");
        let entries = walk(api, &account);
        check_log(&account, &entries, &mut problems);
        for entry in &entries {
            if let Err(problem) = check_entry(entry, clients, &mut found) {
                problems.push(format!("{problem}: {entry}"));
            }
        }
    }
    for (number, client) in clients.iter().enumerate() {
        for (index, fate) in client.fates().iter().enumerate() {
            if let Fate::Sure(id) = fate
                && !found.contains(&(number, index))
            {
                problems.push(format!("event {index} of client {number}, {id}, is gone"));
            }
        }
    }
    let n_problems = problems.len();
    problems.truncate(PROBLEMS_MAX);
    assert!(problems.is_empty(), "{n_problems} problems, among them {problems:#?}");
}

/// Returns every entry of an account and checks the total.
fn walk(api: &Api, account: &str) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut total = None;
    let mut query = vec![
        ("account_id", account.to_owned()),
        ("order", "asc".to_owned()),
        ("limit", PAGE_LIMIT.to_owned()),
        ("include_total", "true".to_owned()),
    ];
    loop {
        let pairs: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut page = api.get("/api/v1/events", &pairs);
        let Value::Array(items) = page["items"].take() else { panic!("{page} has no items") };
        entries.extend(items);
        total = total.or(page["total"].as_u64());
        let Some(cursor) = page["next_cursor"].as_str() else {
            let n_entries = u64::try_from(entries.len()).unwrap();
            assert_eq!(total, Some(n_entries), "the total of {account} is what was walked");
            return entries;
        };
        query.retain(|(name, _value)| !["cursor", "include_total"].contains(name));
        query.push(("cursor", cursor.to_owned()));
    }
}

/// Checks that the account's indexes are those from 0 on, each once.
fn check_log(account: &str, entries: &[Value], problems: &mut Vec<String>) {
    let mut seqs: Vec<u64> = entries.iter().filter_map(|entry| entry["seq"].as_u64()).collect();
    seqs.sort_unstable();
    let expected = 0..u64::try_from(entries.len()).unwrap();
    if !seqs.iter().copied().eq(expected.clone()) {
        let wrong = expected.zip(&seqs).find(|(seq, found)| seq != *found);
        problems.push(format!("{account}: {} indexes, the first wrong one {wrong:?}", seqs.len()));
    }
}

fn check_entry(
    entry: &Value,
    clients: &mut [Client],
    found: &mut HashSet<(usize, usize)>,
) -> Result<(), String> {
    let marker = entry["correlation_id"].as_str().and_then(parse_marker);
    let (number, index) = marker.ok_or("an event of somebody else")?;
    if !found.insert((number, index)) {
        return Err("an event twice".to_owned());
    }
    let client = clients.get_mut(number).ok_or("an event of nobody")?;
    client.found(index, entry["id"].as_str().unwrap_or_default())
}
