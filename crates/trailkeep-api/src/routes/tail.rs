//! `GET /api/v1/events/tail`: entries as they become durable, as server-sent events.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use trailkeep_event::{IdKey, SequencedBatch, write_entry_json};
use trailkeep_filter::Filter;
use trailkeep_scope::ReadScope;

use crate::app::App;
use crate::keys::Keys;
use crate::params::Params;
use crate::principal::Principal;
use crate::server::Shutdown;
use crate::{ErrorCode, Problem, ProblemDocument};

/// How often a silent tail says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// One live tail.
struct Tail {
    batches: Receiver<Arc<SequencedBatch>>,
    filter: Filter,
    scope: ReadScope,
    id_key: IdKey,
    keys: Arc<Keys>,
    principal: Principal,
    shutdown: Shutdown,
    _place: OwnedSemaphorePermit,
}

/// Follows entries as they become durable.
///
/// Server-sent events: `entry` with the entry's JSON, `gap` where the reader was too slow and
/// missed some (list them by time instead), and a comment every 15 seconds.
#[utoipa::path(
    get, path = "/api/v1/events/tail", operation_id = "tail_events", tag = "events",
    params(
        ("account_id" = Option<String>, Query, description = "One account; else everything in scope"),
        ("q" = Option<String>, Query, description = "The filter; see the filter reference"),
    ),
    responses(
        (status = 200, description = "A stream of events", content_type = "text/event-stream", body = String),
        (status = 400, description = "A parameter is wrong", body = ProblemDocument),
        (status = 401, description = "No valid key", body = ProblemDocument),
        (status = 403, description = "The key may not read", body = ProblemDocument),
        (status = 503, description = "Too many live tails", body = ProblemDocument),
    ),
)]
pub(crate) async fn tail(
    State(app): State<App>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let scope = principal.reads()?;
    let filter = Params::new(pairs, &["account_id", "q"])?.filter()?;
    let place = Arc::clone(&app.tails).try_acquire_owned().map_err(|_error| {
        let detail = "too many live tails are open";
        Problem::new(ErrorCode::Overloaded, detail).retry_after(RETRY_AFTER)
    })?;
    let tail = Tail {
        batches: app.store.follow(),
        filter,
        scope,
        id_key: app.engine.id_key().clone(),
        keys: Arc::clone(&app.keys),
        principal,
        shutdown: app.shutdown.clone(),
        _place: place,
    };
    let opening =
        stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from_static(b": tail\n\n"))]);
    let entries = stream::unfold(tail, |mut tail| async {
        let chunk = tail.next().await?;
        Some((Ok(chunk), tail))
    });
    let body = Body::from_stream(futures::StreamExt::chain(opening, entries));
    Ok(([(header::CONTENT_TYPE, "text/event-stream")], body).into_response())
}

impl Tail {
    /// Returns the next bytes to send; `None` where the server stops or the key is no longer good.
    async fn next(&mut self) -> Option<Bytes> {
        // Made once: batches that match nothing do not put the sign of life off.
        let heartbeat = tokio::time::sleep(HEARTBEAT);
        tokio::pin!(heartbeat);
        loop {
            let chunk = tokio::select! {
                () = self.shutdown.requested() => return None,
                () = &mut heartbeat => Bytes::from_static(b": alive\n\n"),
                batch = self.batches.recv() => match batch {
                    Ok(batch) => Bytes::from(self.chunk(&batch)),
                    Err(RecvError::Lagged(n_batches)) => {
                        let gap = format!("event: gap\ndata: {{\"missed_batches\":{n_batches}}}\n\n");
                        Bytes::from(gap)
                    }
                    Err(RecvError::Closed) => return None,
                },
            };
            if !self.keys.still_good(self.principal.key()) {
                return None;
            }
            if !chunk.is_empty() {
                return Some(chunk);
            }
        }
    }

    fn chunk(&self, batch: &SequencedBatch) -> Vec<u8> {
        let mut out = Vec::new();
        for (entry, _digest) in batch.entries(&self.id_key) {
            if self.scope.covers(&entry) && self.filter.matches(&entry) {
                out.extend_from_slice(
                    format!("id: {}\nevent: entry\ndata: ", entry.stamp.id).as_bytes(),
                );
                // Canonical JSON has no line ends: one `data` line holds it.
                write_entry_json(entry, &mut out);
                out.extend_from_slice(b"\n\n");
            }
        }
        out
    }
}
