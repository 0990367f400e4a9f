//! Looks at what was loaded: pages, needles, searches and counts over HTTP.
//!
//! The questions have the names and the shape of those that `peers.py` asks, and their constants
//! are drawn from the data in the same way. Ours are answered over HTTP, with every field.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value};
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
/// How many events are drawn for one that has what a question asks for.
const DRAWS_MAX: usize = 100_000;
/// See `SKIPPED_PAGES`.
const SKIPPED_PAGE_LIMIT: &str = "1000";

/// The names of the questions, which are also those of the peers.
pub(crate) const QUESTIONS: [&str; 9] = [
    "page1_org",
    "page1_org_failed",
    "page200_org",
    "count_org_failed",
    "needle_corr",
    "needle_meta",
    "ip_newest",
    "search_org",
    "phrase_error",
];
/// The bars of every question, in milliseconds: median and p99.
const BARS_MS: (f64, f64) = (10.0, 30.0);

/// What questions are made of.
#[derive(Clone, Debug, Deserialize)]
struct Seen {
    occurred_at: String,
    account_id: String,
    correlation_id: Option<String>,
    ip: Option<String>,
    resource_id: Option<String>,
    error: Option<SeenError>,
    metadata: Option<Map<String, Value>>,
}

#[derive(Clone, Debug, Deserialize)]
struct SeenError {
    message: String,
}

/// The members of `metadata` that are asked for: the first that an event has.
const MEMBERS: [&str; 2] = ["license_key", "SubjectUserName"];

/// Constants drawn from the data.
#[derive(Debug)]
pub(crate) struct Probe {
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

/// Asks the look-ups and returns the days of the data, ascending.
pub(crate) fn measure(
    bench: &mut Bench,
    workload: &Workload,
    server: &Server,
) -> Result<Vec<String>> {
    begin("Looks over HTTP, 50 different constants each");
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
        let median = Figure::new(format!("{name}, median"), samples.median_ms(), "ms");
        bench.report.add(median.at_most(BARS_MS.0));
        let p99 = Figure::new(format!("{name}, p99"), samples.p99_ms(), "ms");
        bench.report.add(p99.at_most(BARS_MS.1));
    }
    Ok(probe.days())
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
    /// Looks at some events of the workload.
    pub(crate) fn draw(workload: &Workload, seed: u64) -> Result<Self> {
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

    fn days(&self) -> Vec<String> {
        let day = |seen: &Seen| seen.occurred_at.split('T').next().map(str::to_owned);
        let days: BTreeSet<String> = self.seen.iter().filter_map(day).collect();
        days.into_iter().collect()
    }

    /// Returns a question with constants of its own; `None` where the data has none.
    pub(crate) fn target(&self, name: &str) -> Option<String> {
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
            "needle_meta" => {
                let known = |seen: &Seen| {
                    let members = seen.metadata.as_ref()?;
                    let text = |name| Some((name, members.get(name)?.as_str()?.to_owned()));
                    MEMBERS.into_iter().find_map(text)
                };
                let (_seen, (name, text)) = self.any_of(&self.seen, known)?;
                query(&[("limit", "50"), ("q", &quoted(&format!("metadata.{name}"), &text))])
            }
            "search_org" => {
                let known = |seen: &Seen| {
                    let ours = self.top.contains(&seen.account_id);
                    seen.resource_id.clone().filter(|id| ours && id.starts_with("lic_"))
                };
                let (seen, id) = self.any_of(&self.seen, known)?;
                let account = ("account_id", seen.account_id.as_str());
                query(&[account, ("limit", "20"), ("q", &format!("path:*{id}*"))])
            }
            "phrase_error" => {
                let known = |seen: &Seen| {
                    let message = &seen.error.as_ref()?.message;
                    let words: Vec<&str> = message.split(' ').take(2).collect();
                    self.top.contains(&seen.account_id).then(|| words.join(" "))
                };
                let (seen, phrase) = self.any_of(&self.seen, known)?;
                let account = ("account_id", seen.account_id.as_str());
                query(&[account, ("limit", "50"), ("q", &quoted("error_message", &phrase))])
            }
            _ => return None,
        };
        Some(format!("/api/v1/events{text}"))
    }

    /// Returns one of those things that have what is asked for, and that.
    fn any_of<'a, T, U>(
        &self,
        things: &'a [T],
        known: impl Fn(&T) -> Option<U>,
    ) -> Option<(&'a T, U)> {
        let tries = DRAWS_MAX.min(things.len().saturating_mul(4));
        (0..tries).find_map(|_try| {
            let thing = self.any(things)?;
            known(thing).map(|part| (thing, part))
        })
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
