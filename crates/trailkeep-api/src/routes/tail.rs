//! `GET /api/v1/events/tail`: entries as they become durable, as server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::Sleep;
use trailkeep_event::{Cut, EntryRef, IdKey, SequencedBatch, write_entry_json};
use trailkeep_filter::Filter;
use trailkeep_query::Stretch;
use trailkeep_scope::ReadScope;

use crate::desk::Desk;
use crate::params::Params;
use crate::places::{Place, Taken};
use crate::principal::Principal;
use crate::{ErrorCode, Problem, ProblemDocument};

/// How often a silent tail says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Batches of up to this many entries are looked at where they arrive; larger ones leave the
/// runtime.
const INLINE_ENTRIES_MAX: usize = 16;

const OPENING: Bytes = Bytes::from_static(b": tail\n\n");
const ALIVE: Bytes = Bytes::from_static(b": alive\n\n");
const BEHIND: Bytes = Bytes::from_static(b"event: behind\ndata: {}\n\n");
const GAP: Bytes = Bytes::from_static(b"event: gap\ndata: {}\n\n");

/// One live tail.
struct Tail {
    batches: Receiver<Arc<SequencedBatch>>,
    /// For each partition the first frame that is still to be told.
    next: Cut,
    /// What must be read from the store before anything newer is told.
    behind: Option<Stretch>,
    asked: Arc<Asked>,
    desk: Desk,
    principal: Principal,
    _place: Place,
}

/// What one tail shows.
#[derive(Debug)]
struct Asked {
    filter: Filter,
    scope: ReadScope,
    id_key: IdKey,
}

/// Follows entries as they become durable.
///
/// Server-sent events: `entry` with the entry's JSON, and a comment every 15 seconds. A reader that
/// is too slow is sent `behind`: what it fell behind with is read from the store and follows, each
/// entry once and in the order of its account's log, before anything newer. `gap` says that this
/// could not be done: list the entries since the last one by time instead.
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
        (status = 429, description = "Too many live tails of this key; see Retry-After", body = ProblemDocument),
        (status = 503, description = "Too many live tails", body = ProblemDocument),
    ),
)]
pub(crate) async fn tail(
    State(desk): State<Desk>,
    principal: Principal,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let scope = principal.reads()?;
    let filter = Params::read(query.as_deref(), &["account_id", "q"])?.selection()?.filter;
    let place = desk.tail_places.take(principal.key_id()).map_err(no_place)?;
    // Followed first: what becomes durable between the two lines comes and is passed over.
    let batches = desk.store.follow();
    let next = desk.engine.end();
    let asked = Arc::new(Asked { filter, scope, id_key: desk.engine.id_key().clone() });
    let tail = Tail { batches, next, behind: None, asked, desk, principal, _place: place };
    let opening = stream::iter([Ok::<_, Infallible>(OPENING)]);
    let entries = stream::unfold(tail, |mut tail| async {
        let chunk = tail.next().await?;
        Some((Ok(chunk), tail))
    });
    let body = Body::from_stream(opening.chain(entries));
    Ok(([(header::CONTENT_TYPE, "text/event-stream")], body).into_response())
}

fn no_place(taken: Taken) -> Problem {
    let (code, detail) = match taken {
        Taken::Share => (ErrorCode::RateLimited, "too many live tails of this key are open"),
        Taken::All => (ErrorCode::Overloaded, "too many live tails are open"),
    };
    Problem::new(code, detail).retry_after(RETRY_AFTER)
}

impl Tail {
    /// Returns the next bytes to send; `None` where the server stops or the key is no longer good.
    async fn next(&mut self) -> Option<Bytes> {
        // Made once: batches that match nothing do not put the sign of life off.
        let heartbeat = tokio::time::sleep(HEARTBEAT);
        tokio::pin!(heartbeat);
        let shutdown = self.desk.shutdown.clone();
        loop {
            let chunk = tokio::select! {
                () = shutdown.requested() => return None,
                chunk = self.step(heartbeat.as_mut()) => chunk?,
            };
            if !self.desk.keys.still_good(self.principal.key()) {
                return None;
            }
            if !chunk.is_empty() {
                return Some(chunk);
            }
        }
    }

    /// Tells what is next; empty where nothing of it is to be shown.
    async fn step(&mut self, heartbeat: Pin<&mut Sleep>) -> Option<Bytes> {
        if let Some(stretch) = self.behind {
            return Some(self.catch_up(&stretch).await);
        }
        let received = tokio::select! {
            () = heartbeat => return Some(ALIVE),
            received = self.batches.recv() => received,
        };
        match received {
            // What it caught up with in the store is not told again.
            Ok(batch) if batch.frame < self.next.frame(batch.partition) => Some(Bytes::new()),
            Ok(batch) => Some(self.tell(batch).await),
            Err(RecvError::Lagged(_n_batches)) => {
                let end = self.desk.engine.end();
                self.behind = Some(Stretch::new(self.next, end));
                self.next = end;
                Some(BEHIND)
            }
            Err(RecvError::Closed) => None,
        }
    }

    async fn tell(&mut self, batch: Arc<SequencedBatch>) -> Bytes {
        self.next.set(batch.partition, batch.frame.saturating_add(1));
        if batch.seqs.len() <= INLINE_ENTRIES_MAX {
            return self.asked.batch(&batch);
        }
        let asked = Arc::clone(&self.asked);
        self.desk.tail_crew.run(move || asked.batch(&batch)).await.unwrap_or(GAP)
    }

    /// Reads a few entries of what this tail fell behind with.
    async fn catch_up(&mut self, stretch: &Stretch) -> Bytes {
        let (asked, stretch) = (Arc::clone(&self.asked), *stretch);
        let read = self.desk.ask(self.principal.key_id(), move |engine| {
            let (entries, rest) = engine.read_on(&asked.scope, &asked.filter, &stretch)?;
            let mut out = Vec::new();
            for entry in &entries {
                write_event(entry.view(), &mut out);
            }
            Ok((Bytes::from(out), rest))
        });
        match read.await {
            Ok((chunk, rest)) => {
                self.behind = rest;
                chunk
            }
            // Others ask, too: it stays behind and tries again.
            Err(Problem { code: ErrorCode::RateLimited | ErrorCode::Overloaded, .. }) => ALIVE,
            Err(problem) => {
                let cause = problem.cause.as_deref();
                tracing::warn!(code = problem.code.as_str(), cause, "a live tail has a gap");
                self.behind = None;
                GAP
            }
        }
    }
}

impl Asked {
    /// Writes what is to be shown of a batch.
    fn batch(&self, batch: &SequencedBatch) -> Bytes {
        let mut out = Vec::new();
        for entry in batch.entries(&self.id_key) {
            if self.scope.covers(&entry) && self.filter.matches(&entry) {
                write_event(entry, &mut out);
            }
        }
        Bytes::from(out)
    }
}

fn write_event(entry: EntryRef<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("id: {}\nevent: entry\ndata: ", entry.stamp.id).as_bytes());
    // Canonical JSON has no line ends: one `data` line holds it.
    write_entry_json(entry, out);
    out.extend_from_slice(b"\n\n");
}
