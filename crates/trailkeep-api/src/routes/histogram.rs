//! `GET /api/v1/events/histogram`

use axum::extract::{RawQuery, State};
use axum::response::Response;
use trailkeep_analyze::{GroupBy, HistogramRequest, Step};
use utoipa::ToSchema;

use crate::desk::Desk;
use crate::params::Params;
use crate::principal::Principal;
use crate::routes::{json, not_analyzed, to_json};
use crate::selection::Selection;
use crate::{Problem, ProblemDocument};

const KNOWN: &[&str] = &["account_id", "from", "to", "q", "step", "split", "limit"];
const LIMIT_DEFAULT: usize = 10;
const LIMIT_MAX: usize = 50;

/// Counts over time.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the document describes what the analyzer writes")]
pub(crate) struct Histogram {
    /// The step.
    step: String,
    /// When each bucket starts.
    times: Vec<String>,
    /// The series: the most frequent value first, all others last.
    series: Vec<HistogramSeries>,
    /// How many entries there are in all.
    rows: u64,
    /// How many events they stand for.
    estimated: u64,
}

/// The counts of one series, a number for each bucket.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the document describes what the analyzer writes")]
pub(crate) struct HistogramSeries {
    /// The value, null for entries without one; absent without `split` and in the last series.
    value: Option<serde_json::Value>,
    /// Whether this counts the values that have no series of their own.
    other: Option<bool>,
    /// How many entries.
    rows: Vec<u64>,
    /// How many events they stand for.
    estimated: Vec<u64>,
}

/// Counts entries over time.
///
/// Buckets are aligned in UTC and there where they are empty. See the analyses' reference page.
#[utoipa::path(
    get, path = "/api/v1/events/histogram", operation_id = "histogram", tag = "analyses",
    params(
        ("account_id" = Option<String>, Query, description = "One account; else everything in scope"),
        ("from" = Option<String>, Query, description = "The earliest time (RFC 3339 or a date), included"),
        ("to" = Option<String>, Query, description = "The time before which entries lie, excluded"),
        ("q" = Option<String>, Query, description = "The filter; see the filter reference"),
        ("step" = Option<String>, Query, description = "1s 5s 10s 30s 1m 5m 10m 30m 1h 3h 6h 12h 1d 7d 30d; where absent the shortest that makes at most 200 buckets"),
        ("split" = Option<String>, Query, description = "A field or path whose values are counted apart"),
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 50, description = "How many values are counted apart: 1 to 50, 10 where absent"),
    ),
    responses(
        (status = 200, description = "The counts", body = Histogram),
        (status = 400, description = "A parameter is wrong", body = ProblemDocument),
        (status = 401, description = "No valid key", body = ProblemDocument),
        (status = 403, description = "The key may not read", body = ProblemDocument),
        (status = 422, description = "The answer takes too much memory", body = ProblemDocument),
        (status = 429, description = "Too many questions of this key at once; see Retry-After", body = ProblemDocument),
        (status = 503, description = "Too many questions, or this one took too long", body = ProblemDocument),
    ),
)]
pub(crate) async fn histogram(
    State(desk): State<Desk>,
    principal: Principal,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let scope = principal.reads()?;
    let request = request(&Params::read(query.as_deref(), KNOWN)?)?;
    let analysis = desk.analyze(principal.key_id(), move |analyzer| {
        analyzer.histogram(&scope, &request).map(|histogram| to_json(&histogram))
    });
    analysis.await?.map(json)
}

fn request(params: &Params) -> Result<HistogramRequest, Problem> {
    let Selection { filter, from, to } = params.selection()?;
    let wrong = |name: &'static str| {
        move |error: trailkeep_analyze::Error| not_analyzed(&error).at_field(name)
    };
    Ok(HistogramRequest {
        filter,
        from,
        to,
        step: params.get("step").map(Step::parse).transpose().map_err(wrong("step"))?,
        split: params.get("split").map(GroupBy::parse).transpose().map_err(wrong("split"))?,
        limit: params.number("limit", 1..=LIMIT_MAX, LIMIT_DEFAULT)?,
    })
}
