//! One file a route.

pub(crate) mod backup;
pub(crate) mod entry;
pub(crate) mod health;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod send;
pub(crate) mod tail;

use std::error::Error;
use std::time::Duration;

use trailkeep_ingest::Unavailable;

use crate::places::Patience;
use crate::{ErrorCode, Problem};

/// How long a question waits for its turn: among its key's own, then among all.
pub(crate) const QUERY_PATIENCE: Patience =
    Patience { share: Duration::from_secs(2), all: Duration::from_secs(5) };
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);
/// A full disk does not empty itself.
const RETRY_AFTER_DISK: Duration = Duration::from_secs(30);

pub(crate) fn lost(error: &dyn Error) -> Problem {
    Problem::new(ErrorCode::Internal, "the work was lost").caused_by(error)
}

pub(crate) fn refused(error: &trailkeep_query::Error) -> Problem {
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
