//! `/api/v1/events/export`: everything that matches, as a file that is written while it is read.

use std::io;

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Version, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde::Deserialize;
use tokio::sync::mpsc;
use trailkeep_event::{Field, Micros};
use trailkeep_query::Order;
use trailkeep_scope::ReadScope;
use utoipa::ToSchema;

use crate::desk::Desk;
use crate::export::{Export, ExportError, ExportFormat, ExportRequest};
use crate::params::{Params, invalid};
use crate::places::{Place, Taken};
use crate::principal::Principal;
use crate::routes::list::ORDERS;
use crate::routes::{EXPORT_RETRY_AFTER, lost, refused};
use crate::selection::{Selection, SelectionBody};
use crate::{ErrorCode, Problem, ProblemDocument};

const KNOWN: &[&str] = &["format", "account_id", "from", "to", "q", "fields", "order"];
/// How many parts of a file wait for a client that reads slowly.
const PARTS_WAITING_MAX: usize = 1;
/// The longest account that is part of a file's name.
const NAME_ACCOUNT_BYTES_MAX: usize = 64;

/// What to export.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportBody {
    /// `csv`, `ndjson` or `parquet`.
    format: String,
    /// Which entries; everything in scope where absent.
    #[serde(default)]
    filter: SelectionBody,
    /// The fields of the file, in order; every field where absent.
    fields: Option<Vec<String>>,
    /// `asc` or `desc` (the default).
    order: Option<String>,
}

/// Exports everything that matches.
///
/// The file holds exactly what matched when the export began, each entry once, whatever is written
/// meanwhile; there is no limit of its size. It is written while it is read: an export that breaks
/// off ends its connection without the last chunk, so that no HTTP client takes the part for the
/// whole (HTTP/1.0 cannot tell them apart and is refused). CSV is for spreadsheets: a text that
/// one would run as a formula has an apostrophe before it. NDJSON and Parquet are exact.
#[utoipa::path(
    post, path = "/api/v1/events/export", operation_id = "export_events", tag = "events",
    request_body = ExportBody,
    responses(
        (status = 200, description = "The file", content(
            (String = "text/csv"), (String = "application/x-ndjson"),
            (String = "application/vnd.apache.parquet"),
        )),
        (status = 400, description = "A member is wrong", body = ProblemDocument),
        (status = 401, description = "No valid key", body = ProblemDocument),
        (status = 403, description = "The key may not read", body = ProblemDocument),
        (status = 429, description = "Too many exports of this key at once; see Retry-After", body = ProblemDocument),
        (status = 503, description = "Too many exports at once, or the first page took too long", body = ProblemDocument),
    ),
)]
pub(crate) async fn export(
    State(desk): State<Desk>,
    principal: Principal,
    version: Version,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let scope = principal.reads()?;
    let body: ExportBody = desk.json_body(&headers, body).await?;
    let selection = body.filter.read().map_err(|problem| problem.inside("/filter"))?;
    let request = request(&body, selection).map_err(|problem| problem.inside(""))?;
    let name = file_name(&desk, body.filter.account_id.as_deref(), request.format);
    answer(desk, principal, (scope, request), (version, name)).await
}

/// Exports everything that matches, as a link.
///
/// As the other form, with parameters.
#[utoipa::path(
    get, path = "/api/v1/events/export", operation_id = "export_events_by_link", tag = "events",
    params(
        ("format" = String, Query, description = "`csv`, `ndjson` or `parquet`"),
        ("account_id" = Option<String>, Query, description = "One account; else everything in scope"),
        ("from" = Option<String>, Query, description = "The earliest time (RFC 3339 or a date), included"),
        ("to" = Option<String>, Query, description = "The time before which entries lie, excluded"),
        ("q" = Option<String>, Query, description = "The filter; see the filter reference"),
        ("fields" = Option<String>, Query, description = "The fields of the file, in order, with commas between; every field where absent"),
        ("order" = Option<String>, Query, description = "`asc` or `desc` (the default)"),
    ),
    responses(
        (status = 200, description = "The file", content(
            (String = "text/csv"), (String = "application/x-ndjson"),
            (String = "application/vnd.apache.parquet"),
        )),
        (status = 400, description = "A parameter is wrong", body = ProblemDocument),
        (status = 401, description = "No valid key", body = ProblemDocument),
        (status = 403, description = "The key may not read", body = ProblemDocument),
        (status = 429, description = "Too many exports of this key at once; see Retry-After", body = ProblemDocument),
        (status = 503, description = "Too many exports at once, or the first page took too long", body = ProblemDocument),
    ),
)]
pub(crate) async fn by_link(
    State(desk): State<Desk>,
    principal: Principal,
    version: Version,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let scope = principal.reads()?;
    let params = Params::read(query.as_deref(), KNOWN)?;
    let text = |name| params.get(name).map(str::to_owned);
    let body = ExportBody {
        format: text("format").ok_or_else(|| invalid("format", FORMATS))?,
        filter: SelectionBody::default(),
        fields: params.get("fields").map(|list| list.split(',').map(str::to_owned).collect()),
        order: text("order"),
    };
    let request = request(&body, params.selection()?)?;
    let name = file_name(&desk, params.get("account_id"), request.format);
    answer(desk, principal, (scope, request), (version, name)).await
}

const FORMATS: &str = "one of csv, ndjson, parquet";

/// Checks what is asked; a problem names the member.
fn request(body: &ExportBody, selection: Selection) -> Result<ExportRequest, Problem> {
    let format = ExportFormat::ALL.into_iter().find(|(word, _format)| *word == body.format);
    let (_word, format) = format.ok_or_else(|| invalid("format", FORMATS))?;
    let order = match body.order.as_deref() {
        None => Order::Descending,
        Some(word) => {
            let order = ORDERS.into_iter().find(|(known, _order)| *known == word);
            order.ok_or_else(|| invalid("order", "one of asc, desc"))?.1
        }
    };
    let fields = body.fields.as_deref().map_or_else(|| Ok(Export::all_fields()), fields)?;
    let Selection { filter, from, to } = selection;
    Ok(ExportRequest { format, fields, filter, from, to, order })
}

fn fields(names: &[String]) -> Result<Vec<Field>, Problem> {
    Export::fields(names).map_err(|detail| invalid("fields", detail))
}

/// Returns the name of a file, like `trailkeep-acme-20260420T120000Z.csv`.
fn file_name(desk: &Desk, account_id: Option<&str>, format: ExportFormat) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let account = account_id
        .filter(|account| account.len() <= NAME_ACCOUNT_BYTES_MAX && account.bytes().all(plain))
        .map(|account| format!("-{account}"))
        .unwrap_or_default();
    let now = Micros(desk.clock.now_micros()).to_string();
    let now: String =
        now.chars().take_while(|c| *c != '.').filter(|c| *c != '-' && *c != ':').collect();
    format!("trailkeep{account}-{now}Z.{}", format.word())
}

/// One part of a file; `None` says that it is whole.
type Part = Result<Option<Bytes>, Problem>;

/// Starts the export and answers once its first part is there: what is wrong until then is a
/// problem as of any other route.
async fn answer(
    desk: Desk,
    principal: Principal,
    (scope, request): (ReadScope, ExportRequest),
    (version, name): (Version, String),
) -> Result<Response, Problem> {
    if version < Version::HTTP_11 {
        let detail = "an export needs HTTP/1.1: in HTTP/1.0 a part looks like the whole";
        return Err(Problem::new(ErrorCode::InvalidParameter, detail));
    }
    let place = desk.export_places.take(principal.key_id()).map_err(no_place)?;
    let media_type = HeaderValue::from_static(request.format.media_type());
    let (sender, mut parts) = mpsc::channel(PARTS_WAITING_MAX);
    let export = Export::new(desk.engine.clone(), scope, request).map_err(broken)?;
    let tasks = desk.tasks().clone();
    let work = move || write(export, &sender, (&desk, &principal, place));
    tasks.spawn_thread("export", work).map_err(|error| lost(&error))?;
    let first = parts.recv().await.unwrap_or_else(|| Err(broken_off()))?;
    let parts = stream::unfold(Some((Some(Ok(first)), parts)), next_part);
    let disposition = format!("attachment; filename=\"{name}\"");
    let mut response = Body::from_stream(parts).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// The parts of a file that are still to be sent, the first one apart.
type Rest = (Option<Part>, mpsc::Receiver<Part>);

/// Returns the next part. An error ends the connection before the last chunk.
async fn next_part(rest: Option<Rest>) -> Option<(io::Result<Bytes>, Option<Rest>)> {
    let (first, mut parts) = rest?;
    let part = match first {
        Some(part) => part,
        None => parts.recv().await.unwrap_or_else(|| Err(broken_off())),
    };
    match part {
        Ok(None) => None,
        Ok(Some(bytes)) => Some((Ok(bytes), Some((None, parts)))),
        Err(problem) => {
            let cause = problem.cause.as_deref();
            tracing::warn!(code = problem.code.as_str(), cause, "an export broke off");
            Some((Err(io::Error::other(problem.detail)), None))
        }
    }
}

/// Writes the file for as long as somebody reads it.
fn write(
    mut export: Export,
    sender: &mpsc::Sender<Part>,
    (desk, principal, place): (&Desk, &Principal, Place),
) {
    loop {
        let part = if desk.keys.still_good(principal.key()) {
            export.next_bytes().map(|bytes| bytes.map(Bytes::from)).map_err(broken)
        } else {
            Err(Problem::new(ErrorCode::Unauthenticated, "the key is no longer good"))
        };
        if !matches!(part, Ok(Some(_))) {
            // Before the last word: whoever has heard it may start the next export.
            drop(place);
            drop(sender.blocking_send(part));
            return;
        }
        // Nobody waits for the rest where the client is gone.
        if sender.blocking_send(part).is_err() {
            return;
        }
    }
}

fn broken(error: ExportError) -> Problem {
    match error {
        ExportError::Read(error) => refused(&error),
        ExportError::Parquet(_) => {
            let detail = "the file could not be written";
            Problem::new(ErrorCode::Internal, detail).caused_by(&error)
        }
    }
}

/// The thread ended without a last word: it panicked.
fn broken_off() -> Problem {
    Problem::new(ErrorCode::Internal, "the export broke off")
}

fn no_place(taken: Taken) -> Problem {
    let (code, detail) = match taken {
        Taken::Share => (ErrorCode::RateLimited, "too many exports of this key are under way"),
        Taken::All => (ErrorCode::Overloaded, "too many exports are under way"),
    };
    Problem::new(code, detail).retry_after(EXPORT_RETRY_AFTER)
}
