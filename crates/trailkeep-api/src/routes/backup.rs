//! `POST /api/v1/backup`

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::desk::Desk;
use crate::principal::Principal;
use crate::routes::lost;
use crate::{ErrorCode, Problem, ProblemDocument};

/// Where a backup goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackupRequest {
    /// An absolute folder of the server's machine, absent or empty.
    directory: String,
}

/// Backs the live store up into a folder of the server's machine.
///
/// Needs an operator key. The answer comes when the copy is whole and durable.
#[utoipa::path(
    post, path = "/api/v1/backup", operation_id = "back_up", tag = "operations", request_body = BackupRequest,
    responses(
        (status = 200, description = "What was copied", body = Object),
        (status = 400, description = "The folder is not absolute", body = ProblemDocument),
        (status = 401, description = "No valid key", body = ProblemDocument),
        (status = 403, description = "Not an operator key", body = ProblemDocument),
        (status = 409, description = "The backup could not be made", body = ProblemDocument),
    ),
)]
pub(crate) async fn back_up(
    State(desk): State<Desk>,
    principal: Principal,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<serde_json::Value>, Problem> {
    principal.administers()?;
    let request: BackupRequest = desk.json_body(&headers, body).await?;
    let directory = PathBuf::from(request.directory);
    if !directory.is_absolute() {
        let detail = "name an absolute folder";
        return Err(Problem::new(ErrorCode::InvalidBody, detail).at_pointer("/directory"));
    }
    let back_up = Arc::clone(&desk.back_up);
    let made = desk.tasks().spawn_blocking("back up", move || back_up(&directory)).await;
    made.map_err(|error| lost(&error))?.map(Json).map_err(|error| {
        // An operator reads this: the reason may be shown.
        let detail = format!("the backup could not be made: {error}");
        Problem::new(ErrorCode::Conflict, detail).caused_by(&*error)
    })
}
