//! Charts over what was loaded: the peers' questions that look at everything.

use anyhow::Result;
use serde_json::{Value, json};
use trailkeep_io::Clock;

use crate::bench::Bench;
use crate::figure::Figure;
use crate::report::begin;
use crate::samples::Samples;
use crate::server::Server;

/// How often each chart is asked for.
const RUNS: usize = 5;

/// The names of the charts, which are also those of the peers.
pub(crate) const CHARTS: [&str; 6] = [
    "top_errors_week",
    "histogram_all",
    "latency_by_route",
    "block_unique_ips",
    "group_meta_sdk",
    "actors_per_day",
];

/// Asks for each chart, once to warm up and then [`RUNS`] times.
///
/// `days` are the days of the data, as `2026-01-31`, ascending.
pub(crate) fn measure(bench: &mut Bench, server: &Server, days: &[String]) -> Result<()> {
    begin("Charts over HTTP");
    let mut connection = server.connect()?;
    for name in CHARTS {
        let mut samples = Samples::default();
        for run in 0..=RUNS {
            let body = chart(name, days, run).to_string();
            let begun = bench.clock.monotonic();
            let answer = connection.post_json("/api/v1/events/aggregate", body.as_bytes())?;
            let took = bench.clock.monotonic().saturating_sub(begun);
            anyhow::ensure!(answer.status == 200, "{name} was {}", answer.describe());
            if run > 0 {
                samples.push(took);
            }
        }
        bench.report.add(Figure::new(format!("{name}, median"), samples.median_ms(), "ms"));
        bench.report.add(Figure::new(format!("{name}, p99"), samples.p99_ms(), "ms"));
    }
    Ok(())
}

/// Returns the request of a chart; each run of one that looks at a week looks at another.
fn chart(name: &str, days: &[String], run: usize) -> Value {
    let count = json!({"fn": "count"});
    let of = |function: &str, field: &str| json!({"fn": function, "field": field});
    match name {
        "top_errors_week" => {
            let last = days.len().saturating_sub(1);
            let start = (run * 3) % days.len().saturating_sub(7).max(1);
            let day = |index: usize| days.get(index.min(last)).map_or("", String::as_str);
            let time = |index| format!("{}T00:00:00Z", day(index));
            json!({
                "filter": {"q": "error_code:*", "from": time(start), "to": time(start + 7)},
                "group_by": ["error_code", "error_message"], "metrics": [count], "limit": 10,
            })
        }
        "histogram_all" => json!({
            "group_by": ["occurred_at:1h", "outcome"], "metrics": [count], "limit": 10_000,
        }),
        "latency_by_route" => json!({
            "filter": {"q": "category:api"}, "group_by": ["route"], "limit": 1000,
            "metrics": [
                count, of("p50", "duration_ms"), of("p95", "duration_ms"), of("p99", "duration_ms"),
            ],
        }),
        "block_unique_ips" => json!({
            "filter": {"q": "category:blocked"}, "group_by": ["block_reason"], "limit": 1000,
            "metrics": [count, of("count_distinct", "ip")],
        }),
        "group_meta_sdk" => json!({
            "group_by": ["metadata.sdk"], "metrics": [count], "limit": 20,
        }),
        _ => json!({
            "group_by": ["occurred_at:1d"], "metrics": [of("count_distinct", "actor_id")],
            "limit": 10_000,
        }),
    }
}
