//! `POST /api/v1/events/aggregate`

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use trailkeep_analyze::{AggregateRequest, Error, GroupBy, Metric, OrderBy};
use utoipa::ToSchema;

use crate::desk::Desk;
use crate::params::invalid;
use crate::principal::Principal;
use crate::routes::{json, not_analyzed, to_json};
use crate::selection::{Selection, SelectionBody};
use crate::{Problem, ProblemDocument};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 10_000;

/// What an aggregate is made of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AggregateBody {
    /// Which entries; everything in scope where absent.
    #[serde(default)]
    filter: SelectionBody,
    /// Up to 4 fields or paths; a time may have a step, as in `occurred_at:1h`. None is one group.
    #[serde(default)]
    group_by: Vec<String>,
    /// What is told about each group: 1 to 16.
    metrics: Vec<MetricBody>,
    /// Names of columns, with a minus for the largest first.
    #[serde(default)]
    order: Vec<String>,
    /// How many groups at most: 1 to 10000, 100 where absent.
    limit: Option<usize>,
}

/// A function of a field.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricBody {
    /// `count`, `estimated`, `count_distinct`, `sum`, `avg`, `min`, `max`, `p50`, `p95` or `p99`.
    #[serde(rename = "fn")]
    function: String,
    /// The field or path that it looks at.
    field: Option<String>,
}

/// What there is to tell about each group.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the document describes what the analyzer writes")]
pub(crate) struct Aggregate {
    /// The columns: the groups, then the metrics.
    columns: Vec<AnswerColumn>,
    /// A row for each group, a value for each column.
    items: Vec<Vec<serde_json::Value>>,
    /// Whether there are more groups than `limit`.
    truncated: bool,
    /// How many groups there are.
    groups: u64,
    /// How many entries the answer is made of.
    rows: u64,
    /// How many events they stand for.
    estimated: u64,
}

/// A column of an answer.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the document describes what the analyzer writes")]
pub(crate) struct AnswerColumn {
    /// The name: a group as it was asked for, a metric like `p95(duration_ms)`.
    name: String,
    /// `bool`, `number`, `text` or `time`.
    kind: String,
    /// Whether every value is exact; otherwise values are within 1 %.
    exact: bool,
}

/// Groups entries and tells something about each group.
///
/// See the analyses' reference page.
#[utoipa::path(
    post, path = "/api/v1/events/aggregate", operation_id = "aggregate", tag = "analyses",
    request_body = AggregateBody,
    responses(
        (status = 200, description = "The groups", body = Aggregate),
        (status = 400, description = "A member is wrong", body = ProblemDocument),
        (status = 401, description = "No valid key", body = ProblemDocument),
        (status = 403, description = "The key may not read", body = ProblemDocument),
        (status = 422, description = "The answer takes too much memory", body = ProblemDocument),
        (status = 429, description = "Too many questions of this key at once; see Retry-After", body = ProblemDocument),
        (status = 503, description = "Too many questions, or this one took too long", body = ProblemDocument),
    ),
)]
pub(crate) async fn aggregate(
    State(desk): State<Desk>,
    principal: Principal,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let scope = principal.reads()?;
    let request = request(&desk.json_body(&headers, body).await?)?;
    let analysis = desk.analyze(principal.key_id(), move |analyzer| {
        analyzer.aggregate(&scope, &request).map(|aggregate| to_json(&aggregate))
    });
    analysis.await?.map(json)
}

fn request(body: &AggregateBody) -> Result<AggregateRequest, Problem> {
    let Selection { filter, from, to } =
        body.filter.read().map_err(|problem| problem.inside("/filter"))?;
    let limit = body.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let detail = format!("a number from 1 to {LIMIT_MAX}");
        return Err(invalid("limit", detail).inside(""));
    }
    Ok(AggregateRequest {
        filter,
        from,
        to,
        group_by: each("/group_by", &body.group_by, |text| GroupBy::parse(text))?,
        metrics: each("/metrics", &body.metrics, |metric| {
            Metric::parse(&metric.function, metric.field.as_deref())
        })?,
        order: body.order.iter().map(|text| OrderBy::parse(text)).collect(),
        limit,
    })
}

/// Reads each item of a list; a problem points at it.
fn each<T, U>(
    list: &str,
    items: &[T],
    read: impl Fn(&T) -> Result<U, Error>,
) -> Result<Vec<U>, Problem> {
    let read = |(index, item)| {
        read(item).map_err(|error| not_analyzed(&error).at_pointer(format!("{list}/{index}")))
    };
    items.iter().enumerate().map(read).collect()
}
