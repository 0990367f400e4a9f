//! What every request and every answer has in common.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Version, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http_body_util::{BodyExt, Limited};
use trailkeep_io::{Clock, Entropy};

use crate::{ErrorCode, HttpMetrics, Problem, RequestId};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Set where a route sets nothing itself. An answer of the API is nobody's page, script or cache
/// entry.
const SAFE_HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
];

/// The routes whose work grows with the store, for operators only.
const LONG_ROUTES: [&str; 1] = ["/api/v1/backup"];
const LONG_ANSWER_TIMEOUT: Duration = Duration::from_hours(6);

/// How much of a plain error text of the framework is shown.
const PLAIN_DETAIL_BYTES_MAX: usize = 1024;

/// Gives every request a name and a time limit, and every answer its headers; turns every error
/// into a problem, counts, and logs.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// Where the requests' names come from.
    pub entropy: Arc<dyn Entropy>,
    /// How long an answer took.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub metrics: HttpMetrics,
    /// How long a request may take until its answer's head.
    pub answer_timeout: Duration,
}

impl Envelope {
    /// The time limit of a server whose configuration names none: the longest body, and the
    /// work on it.
    pub const STANDARD_ANSWER_TIMEOUT: Duration = Duration::from_secs(90);

    /// Returns how long a route may take.
    fn patience(&self, route: Option<&MatchedPath>) -> Duration {
        let is_long = route.is_some_and(|route| LONG_ROUTES.contains(&route.as_str()));
        if is_long { LONG_ANSWER_TIMEOUT.max(self.answer_timeout) } else { self.answer_timeout }
    }

    /// Wraps all routes of a server.
    pub fn wrap(self, routes: Router) -> Router {
        routes.fallback(no_route).layer(middleware::from_fn_with_state(Arc::new(self), envelop))
    }
}

async fn no_route() -> Problem {
    Problem::new(ErrorCode::NotFound, "there is no such route; see /api/docs")
}

async fn envelop(
    State(envelope): State<Arc<Envelope>>,
    mut request: Request,
    next: Next,
) -> Response {
    let request_id = RequestId::random(&*envelope.entropy);
    request.extensions_mut().insert(request_id);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let in_flight = envelope.metrics.request_begins();
    let began = envelope.clock.monotonic();

    let response = match check_host(&request) {
        Ok(()) => answer(request, next, envelope.patience(route.as_ref())).await,
        Err(problem) => problem.into_response(),
    };
    let mut response = as_problem(response, request_id).await;
    response.headers_mut().insert(X_REQUEST_ID, request_id.header_value());
    for (name, value) in SAFE_HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }

    drop(in_flight);
    let took = envelope.clock.monotonic().saturating_sub(began);
    let route = route.as_ref().map(MatchedPath::as_str);
    envelope.metrics.request_answered(route, &method, response.status(), took);
    tracing::debug!(
        %request_id, %method, route, status = response.status().as_u16(),
        took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "request answered"
    );
    response
}

/// Refuses what RFC 9112 (3.2) says must be refused: an HTTP/1.1 request that does not name its
/// host exactly once. Whose name it is does not matter here: no answer depends on it.
fn check_host(request: &Request) -> Result<(), Problem> {
    let n_hosts = request.headers().get_all(header::HOST).iter().count();
    if n_hosts == 1 || n_hosts == 0 && request.version() < Version::HTTP_11 {
        return Ok(());
    }
    let detail = "an HTTP/1.1 request has one Host header";
    Err(Problem::new(ErrorCode::InvalidParameter, detail).at_field("Host"))
}

/// Runs the route. A panic ends its request only.
async fn answer(request: Request, next: Next, answer_timeout: Duration) -> Response {
    let route = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(answer_timeout, route).await {
        Ok(Ok(response)) => response,
        Ok(Err(_panic)) => {
            let mut problem = Problem::new(ErrorCode::Internal, "something went wrong inside");
            problem.cause = Some("the route panicked".to_owned());
            problem.into_response()
        }
        Err(_elapsed) => {
            let detail = "the answer was not ready in time; whether the request took effect is \
                          unknown, and sending the same events with their source_id again is safe";
            Problem::new(ErrorCode::AnswerTimeout, detail).into_response()
        }
    }
}

/// Makes sure that an error answer is a problem that names the request, and logs its cause.
async fn as_problem(mut response: Response, request_id: RequestId) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None => foreign_problem(&mut response).await,
    };
    log(&problem, request_id);
    let mut rendered = problem.render(Some(request_id));
    // What the route or the framework said beside the body stays, `Allow` above all.
    for (name, value) in response.headers() {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            rendered.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
    }
    *rendered.status_mut() = status;
    rendered
}

/// Makes a problem out of an error answer of the framework: an unknown method, or parameters
/// that do not parse.
async fn foreign_problem(response: &mut Response) -> Problem {
    let status = response.status();
    let code = ErrorCode::of_status(status);
    let body = std::mem::replace(response.body_mut(), Body::empty());
    let text = Limited::new(body, PLAIN_DETAIL_BYTES_MAX).collect().await.ok();
    let text = text.and_then(|text| String::from_utf8(text.to_bytes().into()).ok());
    match text.filter(|text| !text.is_empty() && status.is_client_error()) {
        Some(text) => Problem::new(code, text),
        None => Problem::new(code, code.title()),
    }
}

fn log(problem: &Problem, request_id: RequestId) {
    let code = problem.code.as_str();
    let cause = problem.cause.as_deref();
    match problem.code {
        ErrorCode::Internal => tracing::error!(%request_id, code, cause, "request failed"),
        code if code.status().is_server_error() => {
            tracing::warn!(%request_id, code = code.as_str(), cause, "request not served");
        }
        _ => tracing::debug!(%request_id, code, cause, "request refused"),
    }
}
