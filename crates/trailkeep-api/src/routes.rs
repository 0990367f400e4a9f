//! One file a route.

pub(crate) mod backup;
pub(crate) mod entry;
pub(crate) mod health;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod send;
pub(crate) mod tail;

use std::sync::Arc;
use std::time::Duration;

use trailkeep_ingest::Unavailable;

use crate::app::App;
use crate::{ErrorCode, Problem};

/// How long a question waits for its turn.
const QUERY_PATIENCE: Duration = Duration::from_secs(5);
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// A full disk does not empty itself.
const RETRY_AFTER_DISK: Duration = Duration::from_secs(30);

/// Runs a question off the async runtime, when its turn comes.
async fn ask<T: Send + 'static>(
    app: &App,
    question: impl FnOnce(&App) -> Result<T, trailkeep_query::Error> + Send + 'static,
) -> Result<T, Problem> {
    let turn = Arc::clone(&app.queries).acquire_owned();
    let Ok(Ok(turn)) = tokio::time::timeout(QUERY_PATIENCE, turn).await else {
        let detail = "too many questions are being answered";
        return Err(Problem::new(ErrorCode::Overloaded, detail).retry_after(RETRY_AFTER));
    };
    let app = app.clone();
    let work = move || {
        let answer = question(&app);
        drop(turn);
        answer
    };
    let answer = tokio::task::spawn_blocking(work).await.map_err(|error| lost(&error))?;
    answer.map_err(|error| refused(&error))
}

fn lost(error: &tokio::task::JoinError) -> Problem {
    Problem::new(ErrorCode::Internal, "the work was lost").caused_by(error)
}

fn refused(error: &trailkeep_query::Error) -> Problem {
    match error {
        trailkeep_query::Error::Cursor { .. } => {
            Problem::new(ErrorCode::InvalidParameter, error.to_string()).at_field("cursor")
        }
        trailkeep_query::Error::TooSlow { .. } => {
            Problem::new(ErrorCode::AnswerTimeout, error.to_string())
        }
        trailkeep_query::Error::Segment(_) => {
            let detail = "part of the store cannot be read; the operator's log says which";
            Problem::new(ErrorCode::Internal, detail).caused_by(error)
        }
    }
}

fn unavailable(error: Unavailable) -> Problem {
    let detail = error.to_string();
    match error {
        Unavailable::KeyQuota { retry_after } | Unavailable::AccountQuota { retry_after } => {
            Problem::new(ErrorCode::RateLimited, detail).retry_after(retry_after)
        }
        Unavailable::KeyBusy => {
            Problem::new(ErrorCode::RateLimited, detail).retry_after(RETRY_AFTER)
        }
        Unavailable::Busy => Problem::new(ErrorCode::Overloaded, detail).retry_after(RETRY_AFTER),
        Unavailable::DiskFull => {
            Problem::new(ErrorCode::Unavailable, detail).retry_after(RETRY_AFTER_DISK)
        }
        Unavailable::SourceIds | Unavailable::Closing | Unavailable::Stopped => {
            Problem::new(ErrorCode::Unavailable, detail).retry_after(RETRY_AFTER)
        }
    }
}

/// A JSON answer from bytes that are JSON already.
fn json(body: Vec<u8>) -> axum::response::Response {
    use axum::response::IntoResponse;
    ([(axum::http::header::CONTENT_TYPE, "application/json")], body).into_response()
}
