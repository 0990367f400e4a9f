//! One file a route.

pub(crate) mod aggregate;
pub(crate) mod backup;
pub(crate) mod entry;
pub(crate) mod export;
pub(crate) mod facets;
pub(crate) mod health;
pub(crate) mod histogram;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod send;
pub(crate) mod sql;
pub(crate) mod stats;
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
/// An export takes a while.
const EXPORT_RETRY_AFTER: Duration = Duration::from_secs(10);
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

/// Says why there is no analysis. What is wrong with a name is said where the name was read.
pub(crate) fn not_analyzed(error: &trailkeep_analyze::Error) -> Problem {
    use trailkeep_analyze::Error as Analysis;
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    match error {
        Analysis::Field { .. }
        | Analysis::Request { .. }
        | Analysis::NotAllowed { .. }
        | Analysis::Statement { .. } => {
            Problem::new(ErrorCode::InvalidParameter, format!("{error}{hint}"))
        }
        Analysis::TooLarge { .. } => Problem::new(ErrorCode::AnswerTooLarge, error.to_string()),
        Analysis::TooSlow { .. } => Problem::new(ErrorCode::AnswerTimeout, error.to_string()),
        Analysis::Segment(_) | Analysis::Engine(_) => {
            let detail = "the answer could not be made; the operator's log says why";
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

/// Writes an answer; where it was made: a large one takes a while.
fn to_json(answer: &impl serde::Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(answer).map_err(|error| {
        Problem::new(ErrorCode::Internal, "the answer could not be written").caused_by(&error)
    })
}

/// A JSON answer from bytes that are JSON already.
fn json(body: Vec<u8>) -> axum::response::Response {
    use axum::response::IntoResponse;
    ([(axum::http::header::CONTENT_TYPE, "application/json")], body).into_response()
}
