//! `POST /api/v1/sql`

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::SqlAccess;
use crate::desk::Desk;
use crate::principal::Principal;
use crate::routes::aggregate::AnswerColumn;
use crate::routes::{json, to_json};
use crate::{ErrorCode, Problem, ProblemDocument};

/// A statement.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SqlBody {
    /// One SELECT over the table `events`.
    sql: String,
}

/// The rows of a statement.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the document describes what the analyzer writes")]
pub(crate) struct SqlAnswer {
    /// The columns.
    columns: Vec<AnswerColumn>,
    /// The rows, a value for each column.
    items: Vec<Vec<serde_json::Value>>,
    /// Whether there are more rows than the answer shows.
    truncated: bool,
}

/// Runs one SELECT over the entries that the key may read.
///
/// Needs an operator key, and `sql = true` in the server's configuration. See the analyses'
/// reference page.
#[utoipa::path(
    post, path = "/api/v1/sql", operation_id = "sql", tag = "analyses", request_body = SqlBody,
    responses(
        (status = 200, description = "The rows", body = SqlAnswer),
        (status = 400, description = "The statement is not allowed or not understood", body = ProblemDocument),
        (status = 401, description = "No valid key", body = ProblemDocument),
        (status = 403, description = "SQL is off, or the key may not run it", body = ProblemDocument),
        (status = 422, description = "The answer takes too much memory", body = ProblemDocument),
        (status = 429, description = "Too many questions of this key at once; see Retry-After", body = ProblemDocument),
        (status = 503, description = "Too many questions, or this one took too long", body = ProblemDocument),
    ),
)]
pub(crate) async fn sql(
    State(desk): State<Desk>,
    principal: Principal,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let scope = principal.reads()?;
    principal.administers()?;
    if desk.sql == SqlAccess::Off {
        let detail = "SQL is off on this server; `sql = true` in its configuration turns it on";
        return Err(Problem::new(ErrorCode::NotAllowed, detail));
    }
    let SqlBody { sql } = desk.json_body(&headers, body).await?;
    let analysis = desk.analyze(principal.key_id(), move |analyzer| {
        analyzer.sql(&scope, &sql).map(|table| to_json(&table))
    });
    let answer = analysis.await.map_err(|problem| match problem.code {
        ErrorCode::InvalidParameter => problem.at_pointer("/sql"),
        _ => problem,
    });
    answer?.map(json)
}
