//! Whether a connection is in the middle of a request and its answer.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// Counts the exchanges of one connection: a request's head was read, its answer was written.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    begun: AtomicU32,
    ended: AtomicU32,
}

impl Exchanges {
    pub(super) fn begin(self: &Arc<Self>) -> InExchange {
        self.begun.fetch_add(1, Ordering::Relaxed);
        InExchange(Arc::clone(self))
    }

    /// Returns how many have begun; it only tells one from the next and may wrap.
    pub(super) fn begun(&self) -> u32 {
        self.begun.load(Ordering::Relaxed)
    }

    pub(super) fn idle(&self) -> bool {
        self.begun() == self.ended.load(Ordering::Relaxed)
    }
}

/// Ends its exchange on drop.
#[derive(Debug)]
pub(super) struct InExchange(Arc<Exchanges>);

impl Drop for InExchange {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// The body of an answer, which ends the exchange when it is written or given up.
#[derive(Debug)]
pub(super) struct AnswerBody {
    body: Body,
    #[expect(dead_code, reason = "held for its drop, which ends the exchange")]
    exchange: InExchange,
}

impl AnswerBody {
    pub(super) fn new(body: Body, exchange: InExchange) -> Self {
        Self { body, exchange }
    }
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
