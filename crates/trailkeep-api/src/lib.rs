//! HTTP routes, wire types, error mapping and OpenAPI: the only crate that knows our status
//! codes and JSON shapes.
//!
//! Promises: nothing from a connection is unbounded, neither in bytes nor in time; every error
//! answer is an RFC 9457 problem with a code from a finite list; what went wrong inside is in
//! the log, never in the answer; one key takes at most half of the places there are for questions,
//! for exports and for live tails; an export that breaks off is never taken for a whole one.
//!
//! Never does: storage, decisions about events, plain HTTP beyond the loopback interface unless
//! the operator says that a proxy stands in front.
//!
//! What somebody who owns this border (the network in front of it) can do: hold connections for
//! as long as the timeouts say, and spend the byte budget of request bodies until other bodies
//! are answered 503. What they cannot do: make the process grow beyond
//! `connections_max` buffers plus the body budget, or see another caller's answer.

mod app;
mod auth;
mod body;
mod crew;
mod desk;
mod docs;
mod envelope;
mod error;
mod export;
mod health;
mod hex;
mod keys;
mod metrics;
mod openapi;
mod params;
mod places;
mod principal;
mod problem;
mod request_id;
mod routes;
mod selection;
mod server;
mod store_metrics;

pub use self::{
    app::{App, BackUp, Measure, SqlAccess, WorkError, app_routes},
    body::{BodyBudget, BodyIntake, BodyLimits, CappedBody, body_format},
    docs::docs_routes,
    envelope::Envelope,
    error::{Error, Result},
    export::{Export, ExportError, ExportFormat, ExportRequest},
    health::{NotReady, Readiness, health_routes},
    keys::{Keys, NewKey},
    metrics::{HttpMetrics, metrics_routes},
    openapi::{openapi, openapi_json},
    problem::{ErrorCode, Problem, ProblemDocument},
    request_id::RequestId,
    server::{
        Drained, PeerIp, Server, ServerOptions, Shutdown, ShutdownTrigger, TlsFiles, TlsIdentity,
        Transport, shutdown_pair,
    },
    store_metrics::StoreMetrics,
};
