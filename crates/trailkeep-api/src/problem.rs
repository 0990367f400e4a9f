//! What an error answer says (RFC 9457), and what it keeps to itself.

mod code;

use std::borrow::Cow;
use std::error::Error;
use std::fmt::Write;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::code::ErrorCode;
use crate::RequestId;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// One error answer. `detail` is for whoever sent the request; `cause` is for the log and never
/// leaves the process.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What programs branch on; decides the status.
    pub code: ErrorCode,
    /// A sentence for people.
    pub detail: Cow<'static, str>,
    /// The parameter or header that is at fault.
    pub field: Option<String>,
    /// Where in the parameter, counted in characters from 1.
    pub column: Option<NonZeroU32>,
    /// A JSON pointer to what is at fault in the body.
    pub pointer: Option<String>,
    /// How long to wait before the next try.
    pub retry_after: Option<Duration>,
    /// What went wrong inside, with its whole chain.
    pub cause: Option<String>,
}

impl Problem {
    /// Makes a problem out of a code and a sentence that may be shown to anybody.
    pub fn new(code: ErrorCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            field: None,
            column: None,
            pointer: None,
            retry_after: None,
            cause: None,
        }
    }

    /// Names the parameter or header that is at fault.
    #[must_use]
    pub fn at_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Says where in the parameter the fault is, counted in characters from 1.
    #[must_use]
    pub fn at_column(mut self, column: usize) -> Self {
        self.column = u32::try_from(column).ok().and_then(NonZeroU32::new);
        self
    }

    /// Points at what is at fault in the body.
    #[must_use]
    pub fn at_pointer(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// Makes what is at fault a member of the body, below `parent`, instead of a parameter.
    #[must_use]
    pub(crate) fn inside(mut self, parent: &str) -> Self {
        self.pointer = self.field.take().map(|field| format!("{parent}/{field}"));
        self
    }

    /// Says how long to wait before the next try.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Keeps the chain of an error for the log.
    #[must_use]
    pub fn caused_by(mut self, error: &dyn Error) -> Self {
        let mut chain = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            // Writing to a string cannot fail.
            write!(chain, ": {error}").unwrap_or_default();
            source = error.source();
        }
        self.cause = Some(chain);
        self
    }

    /// Returns what the client sees.
    pub fn document(&self, request_id: Option<RequestId>) -> ProblemDocument {
        let code = self.code;
        ProblemDocument {
            kind: format!("/api/docs#{}", code.as_str()),
            title: code.title(),
            status: code.status().as_u16(),
            detail: self.detail.clone().into_owned(),
            code: code.as_str(),
            field: self.field.clone(),
            column: self.column.map(NonZeroU32::get),
            pointer: self.pointer.clone(),
            retry_after: self.retry_after_seconds(),
            request_id: request_id.map(|id| id.to_string()),
        }
    }

    pub(crate) fn render(&self, request_id: Option<RequestId>) -> Response {
        // Strings and numbers are always JSON; an empty body still has the status.
        let body = serde_json::to_vec(&self.document(request_id)).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.code.status();
        self.headers(response.headers_mut());
        response
    }

    fn headers(&self, headers: &mut HeaderMap) {
        headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
        if let Some(seconds) = self.retry_after_seconds() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        let of_code: Option<(HeaderName, &'static str)> = match self.code {
            ErrorCode::Unauthenticated => {
                Some((header::WWW_AUTHENTICATE, "Bearer realm=\"trailkeep\""))
            }
            ErrorCode::UnsupportedEncoding => Some((header::ACCEPT_ENCODING, "gzip, zstd")),
            // The rest of the body is still under way: it is cheaper to hang up than to read it.
            ErrorCode::PayloadTooLarge | ErrorCode::RequestTimeout | ErrorCode::BrokenBody => {
                Some((header::CONNECTION, "close"))
            }
            _ => None,
        };
        if let Some((name, value)) = of_code {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }

    /// Whole seconds, rounded up: a client that waits less comes too early.
    fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.map(|wait| wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX))
    }
}

impl IntoResponse for Problem {
    /// The answer carries the problem itself too, so that [`Envelope`](crate::Envelope) can log
    /// the cause and name the request.
    fn into_response(self) -> Response {
        let mut response = self.render(None);
        response.extensions_mut().insert(self);
        response
    }
}

/// The JSON of an error answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// Where the code is explained.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong with this request.
    pub detail: String,
    /// What programs branch on.
    pub code: &'static str,
    /// The parameter or header that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Where in the parameter, counted in characters from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// A JSON pointer (RFC 6901) to what is at fault in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Seconds to wait before the next try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The request's name in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error as ApiError;

    #[test]
    fn a_cause_stays_inside() {
        let source = std::io::Error::other("disk on fire");
        let error = ApiError::Bind { address: ([127, 0, 0, 1], 1).into(), source };
        let problem = Problem::new(ErrorCode::Internal, "something went wrong").caused_by(&error);
        let cause = problem.cause.clone().unwrap();
        assert_eq!(cause, "could not listen on `127.0.0.1:1`: disk on fire");
        let json = serde_json::to_string(&problem.document(None)).unwrap();
        assert!(!json.contains("fire"), "{json}");
    }

    #[test]
    fn retry_after_is_rounded_up() {
        let problem = Problem::new(ErrorCode::Overloaded, "full");
        for (millis, seconds) in [(0, 0), (1, 1), (1000, 1), (1001, 2)] {
            let response =
                problem.clone().retry_after(Duration::from_millis(millis)).into_response();
            assert_eq!(response.headers()[header::RETRY_AFTER], seconds.to_string().as_str());
        }
    }
}
