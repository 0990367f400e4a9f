//! Whether the process lives, and whether it can take work.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{ErrorCode, Problem};

/// How soon it is worth asking again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Tells whether the server can take work.
pub trait Readiness: Debug + Send + Sync {
    /// Checks what work needs. It is asked often and must not wait.
    fn check(&self) -> Result<(), NotReady>;
}

/// Why the server cannot take work; anybody may see it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not ready: {reason}")]
pub struct NotReady {
    /// A few words.
    pub reason: Cow<'static, str>,
}

/// Makes the routes `/livez` and `/readyz`.
pub fn health_routes(readiness: Arc<dyn Readiness>) -> Router {
    Router::new().route("/livez", get(livez)).route("/readyz", get(readyz)).with_state(readiness)
}

/// The answer of a check that went well.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    status: &'static str,
}

/// Tells that the process answers.
///
/// Restart the process where this fails.
#[utoipa::path(
    get, path = "/livez", tag = "operations", security(()),
    responses((status = 200, description = "The process answers", body = Health)),
)]
pub(crate) async fn livez() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Tells whether events are taken and questions answered.
///
/// Send no traffic where this fails.
#[utoipa::path(
    get, path = "/readyz", tag = "operations", security(()),
    responses(
        (status = 200, description = "The server can take work", body = Health),
        (status = 503, description = "It cannot; the detail says why", body = crate::ProblemDocument),
    ),
)]
pub(crate) async fn readyz(State(readiness): State<Arc<dyn Readiness>>) -> Response {
    match readiness.check() {
        Ok(()) => Json(Health { status: "ok" }).into_response(),
        Err(NotReady { reason }) => {
            Problem::new(ErrorCode::Unavailable, reason).retry_after(RETRY_AFTER).into_response()
        }
    }
}
