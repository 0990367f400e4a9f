//! `POST /api/v1/events`

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use serde::Serialize;
use trailkeep_event::{BodyError, BodyFormat};
use trailkeep_ingest::{Admitted, Answer, Submitter, admit};
use utoipa::ToSchema;

use crate::body::{CappedBody, body_format};
use crate::desk::Desk;
use crate::params::Params;
use crate::principal::Principal;
use crate::routes::unavailable;
use crate::{ErrorCode, Problem, ProblemDocument};

/// Bodies of up to this many bytes are read where they are; larger ones leave the runtime.
const INLINE_BYTES_MAX: usize = 16 * 1024;

/// The answer to a body of events, given once every accepted one is durable.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SendAnswer {
    /// How many events were admitted.
    accepted: usize,
    /// The events whose `source_id` was admitted before.
    duplicates: Vec<Duplicate>,
    /// The events that were not admitted.
    rejected: Vec<Rejected>,
    /// The place of the last admitted event.
    position: Option<String>,
    /// With `return=ids`: each event's identifier, in the order of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    ids: Option<Vec<Option<String>>>,
    /// The log indexes that the admitted events took.
    ranges: Vec<Range>,
}

/// Whether identifiers are answered.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Ids {
    Answered,
    LeftOut,
}

/// An event that was admitted before.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Duplicate {
    /// Its number in the body, from 0.
    index: usize,
    /// The first one's identifier.
    id: String,
}

/// An event that was not admitted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rejected {
    /// Its number in the body, from 0.
    index: usize,
    /// What programs branch on.
    code: &'static str,
    /// A JSON pointer into the event; empty for the event itself.
    pointer: String,
    /// A sentence for people.
    detail: String,
}

/// The log indexes of one account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Range {
    /// The account.
    account_id: String,
    /// The first index.
    first_seq: u64,
    /// The last index.
    last_seq: u64,
}

/// Sends events.
///
/// The body is one event, a list of events, or one event a line. The answer comes after the
/// admitted events are durable and visible. An event that breaks a rule is rejected by its index
/// and never takes the others with it.
#[utoipa::path(
    post, path = "/api/v1/events", operation_id = "send_events", tag = "events",
    params(("return" = Option<String>, Query, description = "`ids`: also answer the identifiers")),
    request_body(
        content((serde_json::Value = "application/json"), (String = "application/x-ndjson")),
        description = "An event, a list of events, or one event a line; plain, gzip or zstd",
    ),
    responses(
        (status = 200, description = "Every event was decided", body = SendAnswer),
        (status = 400, description = "The body as a whole cannot be read", body = ProblemDocument),
        (status = 401, description = "No valid key", body = ProblemDocument),
        (status = 403, description = "The key may not write", body = ProblemDocument),
        (status = 413, description = "The body is too large", body = ProblemDocument),
        (status = 415, description = "The media type or compression is not read", body = ProblemDocument),
        (status = 429, description = "Too many events; see Retry-After", body = ProblemDocument),
        (status = 503, description = "No room or no time; see Retry-After", body = ProblemDocument),
    ),
)]
pub(crate) async fn send(
    State(desk): State<Desk>,
    principal: Principal,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<SendAnswer>, Problem> {
    let submitter = principal.writes()?;
    let params = Params::read(query.as_deref(), &["return"])?;
    let ids = params.word("return", &[("ids", Ids::Answered)], Ids::LeftOut)?;
    let format = body_format(&headers)?;
    let body = desk.body(&headers, body).await?;
    let events = read(&desk, &submitter, format, body).await?;
    let answer = desk.store.submit(&submitter, events).await.map_err(unavailable)?;
    Ok(Json(SendAnswer::of(answer, ids)))
}

async fn read(
    desk: &Desk,
    submitter: &Submitter,
    format: BodyFormat,
    body: CappedBody,
) -> Result<Vec<Admitted>, Problem> {
    let (store, scope) = (desk.store.clone(), Arc::clone(&submitter.scope));
    let is_small = body.len() <= INLINE_BYTES_MAX;
    let work = move || {
        let options = store.options();
        admit(&body, format, &options.event, options.events_max, &scope)
    };
    let events = if is_small { work() } else { desk.bulk_crew.run(work).await? };
    events.map_err(|error| unreadable(&error))
}

fn unreadable(error: &BodyError) -> Problem {
    match error {
        BodyError::Empty => Problem::new(ErrorCode::InvalidBody, error.to_string()),
        BodyError::NotJson(rejection) => {
            let detail = format!("the body is not JSON: {}", rejection.detail);
            Problem::new(ErrorCode::InvalidBody, detail).at_pointer(rejection.pointer.clone())
        }
        BodyError::TooManyEvents(_) => Problem::new(ErrorCode::PayloadTooLarge, error.to_string()),
    }
}

impl SendAnswer {
    fn of(answer: Answer, shown: Ids) -> Self {
        let duplicates = answer.duplicates.into_iter();
        let rejected = answer.rejected.into_iter();
        let ids = answer.ids.into_iter().map(|id| id.map(|id| id.to_string()));
        Self {
            accepted: answer.accepted,
            duplicates: duplicates
                .map(|(index, id)| Duplicate { index, id: id.to_string() })
                .collect(),
            rejected: rejected
                .map(|(index, rejection)| Rejected {
                    index,
                    code: rejection.code.as_str(),
                    pointer: rejection.pointer,
                    detail: rejection.detail,
                })
                .collect(),
            position: answer.position.map(|position| position.to_string()),
            ids: (shown == Ids::Answered).then(|| ids.collect()),
            ranges: answer
                .ranges
                .into_iter()
                .map(|(account_id, (first_seq, last_seq))| Range {
                    account_id: account_id.into(),
                    first_seq,
                    last_seq,
                })
                .collect(),
        }
    }
}
