//! First looks at what was loaded: pages, needles and counts over HTTP.
//!
//! The questions have the names and the shape of those that `peers.py` asks, and their constants
//! are drawn from the data in the same way. Ours are answered over HTTP, with every field.

use std::collections::HashMap;

use anyhow::{Context, Result};
use serde::Deserialize;
use trailkeep_io::{Clock, Entropy, SimEntropy};

use crate::bench::Bench;
use crate::connection::{Connection, query};
use crate::figure::Figure;
use crate::quantity::long;
use crate::report::begin;
use crate::samples::Samples;
use crate::server::Server;
use crate::workload::{Workload, lines};

/// How often each question is asked, each time with other constants.
const SETS: usize = 50;
/// Every so many events one is looked at for constants.
const STRIDE: usize = 97;
/// So many pages of 1000 stand about where page 200 of 50 does.
const SKIPPED_PAGES: usize = 10;
/// See `SKIPPED_PAGES`.
const SKIPPED_PAGE_LIMIT: &str = "1000";

/// The names of the questions, which are also those of the peers.
pub(crate) const QUESTIONS: [&str; 6] = [
    "page1_org",
    "page1_org_failed",
    "page200_org",
    "count_org_failed",
    "needle_corr",
    "ip_newest",
];

/// What questions are made of.
#[derive(Clone, Debug, Deserialize)]
struct Seen {
    account_id: String,
    correlation_id: Option<String>,
    ip: Option<String>,
}

/// Constants drawn from the data.
#[derive(Debug)]
struct Probe {
    /// The accounts with the most events.
    top: Vec<String>,
    /// Accounts of middle size.
    mid: Vec<String>,
    seen: Vec<Seen>,
    /// Of the largest accounts those with 200 pages, each with the cursor of its page 200.
    deep: Vec<(String, String)>,
    entropy: SimEntropy,
}

#[derive(Debug, Deserialize)]
struct Page {
    next_cursor: Option<String>,
}

pub(crate) fn measure(bench: &mut Bench, workload: &Workload, server: &Server) -> Result<()> {
    begin("First looks over HTTP, 50 different constants each");
    let mut probe = Probe::draw(workload, bench.options.seed)?;
    let mut connection = server.connect()?;
    for account in probe.top.clone() {
        let cursor = page_200(&mut connection, &account)?;
        probe.deep.extend(cursor.map(|cursor| (account, cursor)));
    }
    for name in QUESTIONS {
        let targets: Vec<String> = (0..SETS).filter_map(|_set| probe.target(name)).collect();
        if targets.is_empty() {
            bench.report.skip(name, "the data has nothing to ask for");
            continue;
        }
        let samples = ask(bench, &mut connection, &targets)?;
        bench.report.add(Figure::new(format!("{name}, median"), samples.median_ms(), "ms"));
        bench.report.add(Figure::new(format!("{name}, p99"), samples.p99_ms(), "ms"));
    }
    Ok(())
}

/// Asks each question once, after one that warms up.
fn ask(bench: &Bench, connection: &mut Connection, targets: &[String]) -> Result<Samples> {
    let mut samples = Samples::default();
    for (n, target) in targets.iter().take(1).chain(targets).enumerate() {
        let begun = bench.clock.monotonic();
        let answer = connection.get(target)?;
        let took = bench.clock.monotonic().saturating_sub(begun);
        anyhow::ensure!(answer.status == 200, "{target} was {}", answer.describe());
        if n > 0 {
            samples.push(took);
        }
    }
    Ok(samples)
}

impl Probe {
    fn draw(workload: &Workload, seed: u64) -> Result<Self> {
        let (mut seen, mut buffer) = (Vec::new(), Vec::new());
        for body in &workload.bodies {
            workload.read(body, &mut buffer)?;
            for line in lines(&buffer).step_by(STRIDE) {
                seen.push(serde_json::from_slice::<Seen>(line).context("an event is not JSON")?);
            }
        }
        let mut counts: HashMap<&str, u64> = HashMap::new();
        for event in &seen {
            *counts.entry(&event.account_id).or_default() += 1;
        }
        let mut ranked: Vec<(&str, u64)> = counts.into_iter().collect();
        ranked.sort_unstable_by_key(|(account, count)| (std::cmp::Reverse(*count), *account));
        let accounts: Vec<String> =
            ranked.iter().map(|(account, _count)| (*account).to_owned()).collect();
        let top = accounts.iter().take(3).cloned().collect();
        let middle: Vec<String> = accounts.iter().skip(20).take(40).cloned().collect();
        let mid = if middle.is_empty() { accounts } else { middle };
        Ok(Self { top, mid, seen, deep: Vec::new(), entropy: SimEntropy::new(seed) })
    }

    /// Returns a question with constants of its own; `None` where the data has none.
    fn target(&self, name: &str) -> Option<String> {
        let top = self.any(&self.top)?.as_str();
        let mid = self.any(&self.mid)?.as_str();
        let seen = self.any(&self.seen)?;
        let failed = "category:api outcome:failure status:500";
        // What is drawn holds neither quotes nor backslashes.
        let quoted = |field: &str, value: &str| format!("{field}:\"{value}\"");
        let text = match name {
            "page1_org" => query(&[("account_id", mid), ("limit", "50")]),
            "page1_org_failed" => query(&[("account_id", top), ("limit", "50"), ("q", failed)]),
            "page200_org" => {
                let (account, cursor) = self.any(&self.deep)?;
                query(&[("account_id", account), ("limit", "50"), ("cursor", cursor)])
            }
            "count_org_failed" => {
                let total = ("include_total", "true");
                query(&[("account_id", top), ("limit", "1"), total, ("q", "outcome:failure")])
            }
            "needle_corr" => {
                query(&[("q", &quoted("correlation_id", seen.correlation_id.as_deref()?))])
            }
            "ip_newest" => query(&[("limit", "50"), ("q", &quoted("ip", seen.ip.as_deref()?))]),
            _ => return None,
        };
        Some(format!("/api/v1/events{text}"))
    }

    fn any<'a, T>(&self, things: &'a [T]) -> Option<&'a T> {
        let mut bytes = [0; 8];
        self.entropy.fill(&mut bytes);
        let index = u64::from_le_bytes(bytes).checked_rem(long(things.len()))?;
        things.get(usize::try_from(index).ok()?)
    }
}

/// Walks to page 200 and returns its cursor; `None` where the account has fewer entries.
fn page_200(connection: &mut Connection, account: &str) -> Result<Option<String>> {
    let mut cursor: Option<String> = None;
    for _ in 0..SKIPPED_PAGES {
        let mut pairs = vec![("account_id", account), ("limit", SKIPPED_PAGE_LIMIT)];
        pairs.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page: Page = connection.get(&format!("/api/v1/events{}", query(&pairs)))?.json()?;
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(cursor)
}
