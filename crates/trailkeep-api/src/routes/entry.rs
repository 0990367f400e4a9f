//! `GET /api/v1/events/{id}`

use axum::extract::{Path, State};
use axum::response::Response;
use trailkeep_event::{EventId, write_entry_json};

use crate::desk::Desk;
use crate::principal::Principal;
use crate::routes::json;
use crate::{ErrorCode, Problem, ProblemDocument};

/// Returns one entry.
#[utoipa::path(
    get, path = "/api/v1/events/{id}", operation_id = "get_event", tag = "events",
    params(("id" = String, Path, description = "The entry's identifier")),
    responses(
        (status = 200, description = "The entry", body = Object),
        (status = 401, description = "No valid key", body = ProblemDocument),
        (status = 403, description = "The key may not read", body = ProblemDocument),
        (status = 404, description = "No such entry, or none that the key may read", body = ProblemDocument),
        (status = 429, description = "Too many questions of this key at once; see Retry-After", body = ProblemDocument),
        (status = 503, description = "Too many questions at once; see Retry-After", body = ProblemDocument),
    ),
)]
pub(crate) async fn entry(
    State(desk): State<Desk>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let scope = principal.reads()?;
    let found = match EventId::parse(&id) {
        Some(id) => desk.ask(principal.key_id(), move |engine| engine.get(&scope, id)).await?,
        None => None,
    };
    let Some(entry) = found else {
        return Err(Problem::new(ErrorCode::NotFound, "there is no such entry").at_field("id"));
    };
    let mut out = Vec::with_capacity(1024);
    write_entry_json(entry.view(), &mut out);
    Ok(json(out))
}
