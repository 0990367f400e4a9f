//! `GET /api/v1/stats`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::desk::Desk;
use crate::principal::Principal;
use crate::routes::lost;
use crate::{ErrorCode, Problem, ProblemDocument};

/// Says what the store holds and what it takes of the disk, part by part.
///
/// Needs an operator key.
#[utoipa::path(
    get, path = "/api/v1/stats", operation_id = "stats", tag = "operations",
    responses(
        (status = 200, description = "What `trailkeep stats --json` prints", body = Object),
        (status = 401, description = "No valid key", body = ProblemDocument),
        (status = 403, description = "Not an operator key", body = ProblemDocument),
    ),
)]
pub(crate) async fn stats(
    State(desk): State<Desk>,
    principal: Principal,
) -> Result<Json<serde_json::Value>, Problem> {
    principal.administers()?;
    let measure = Arc::clone(&desk.measure);
    let measured = desk.tasks().spawn_blocking("measure", move || measure()).await;
    measured.map_err(|error| lost(&error))?.map(Json).map_err(|error| {
        let detail = "the store could not be measured; the operator's log says why";
        Problem::new(ErrorCode::Internal, detail).caused_by(&*error)
    })
}
