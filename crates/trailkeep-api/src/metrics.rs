//! What the HTTP border counts. Label values come from enumerations and route templates, never
//! from a request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::{ErrorCode, Problem};

/// Upper bounds in seconds, from a cached page to a request that was cut.
const DURATION_BUCKETS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The route label of a request that no route matched.
const UNMATCHED: &str = "unmatched";

/// Counts what happens at the HTTP border; clones count together.
#[derive(Clone, Debug)]
pub struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<DurationLabels, Histogram>,
    in_flight: Gauge,
    connections_open: Gauge,
    connections_rejected: Family<RejectedLabels, Counter>,
    pub(crate) body_wire_bytes: Counter,
    pub(crate) body_decoded_bytes: Counter,
}

impl HttpMetrics {
    /// Makes the counters and registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(DURATION_BUCKETS);
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            in_flight: Gauge::default(),
            connections_open: Gauge::default(),
            connections_rejected: Family::default(),
            body_wire_bytes: Counter::default(),
            body_decoded_bytes: Counter::default(),
        };
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Time from a request's head to its answer's head",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        registry.register(
            "http_requests_in_flight",
            "Requests whose answer has not begun",
            metrics.in_flight.clone(),
        );
        registry.register(
            "http_connections_open",
            "Connections being served",
            metrics.connections_open.clone(),
        );
        registry.register(
            "http_connections_rejected",
            "Connections that were not served",
            metrics.connections_rejected.clone(),
        );
        registry.register_with_unit(
            "http_body_wire",
            "Bytes of request bodies as sent",
            Unit::Bytes,
            metrics.body_wire_bytes.clone(),
        );
        registry.register_with_unit(
            "http_body_decoded",
            "Bytes of request bodies after decompression",
            Unit::Bytes,
            metrics.body_decoded_bytes.clone(),
        );
        metrics
    }

    pub(crate) fn request_begins(&self) -> GaugeGuard {
        GaugeGuard::new(&self.in_flight)
    }

    pub(crate) fn request_answered(
        &self,
        route: Option<&str>,
        method: &Method,
        status: StatusCode,
        took: Duration,
    ) {
        let route = route.unwrap_or(UNMATCHED).to_owned();
        let method = MethodLabel::of(method);
        let status = StatusClass::of(status);
        self.durations
            .get_or_create(&DurationLabels { route: route.clone(), method })
            .observe(took.as_secs_f64());
        self.requests.get_or_create(&RequestLabels { route, method, status }).inc();
    }

    pub(crate) fn connection_opens(&self) -> GaugeGuard {
        GaugeGuard::new(&self.connections_open)
    }

    pub(crate) fn connection_rejected(&self, reason: RejectedConnection) {
        self.connections_rejected.get_or_create(&RejectedLabels { reason }).inc();
    }
}

/// Counts one up for as long as it lives, also where a task is cut.
#[derive(Debug)]
pub(crate) struct GaugeGuard(Gauge);

impl GaugeGuard {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Makes the `/metrics` route: everything that was registered, in the text form of `OpenMetrics`.
///
/// It names routes and load, so it belongs on the administration address or behind a token.
pub fn metrics_routes(registry: Arc<Registry>) -> Router {
    Router::new().route("/metrics", get(async move || render(&registry)))
}

fn render(registry: &Registry) -> Response {
    let mut text = String::new();
    match encode(&mut text, registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(error) => Problem::new(ErrorCode::Internal, "the metrics could not be written")
            .caused_by(&error)
            .into_response(),
    }
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct RequestLabels {
    route: String,
    method: MethodLabel,
    status: StatusClass,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct DurationLabels {
    route: String,
    method: MethodLabel,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct RejectedLabels {
    reason: RejectedConnection,
}

/// Says why a connection was not served.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum RejectedConnection {
    /// There were too many at once.
    TooMany,
    /// The TLS handshake failed or took too long.
    Handshake,
}

impl EncodeLabelValue for RejectedConnection {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        let word = match self {
            Self::TooMany => "too_many",
            Self::Handshake => "handshake",
        };
        EncodeLabelValue::encode(&word, encoder)
    }
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum MethodLabel {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    Other,
}

impl MethodLabel {
    fn of(method: &Method) -> Self {
        match method.as_str() {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }
}

impl EncodeLabelValue for MethodLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        let word = match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other => "other",
        };
        EncodeLabelValue::encode(&word, encoder)
    }
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum StatusClass {
    Success,
    Redirection,
    ClientError,
    ServerError,
}

impl StatusClass {
    fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            0..300 => Self::Success,
            300..400 => Self::Redirection,
            400..500 => Self::ClientError,
            _ => Self::ServerError,
        }
    }
}

impl EncodeLabelValue for StatusClass {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        let word = match self {
            Self::Success => "2xx",
            Self::Redirection => "3xx",
            Self::ClientError => "4xx",
            Self::ServerError => "5xx",
        };
        EncodeLabelValue::encode(&word, encoder)
    }
}
