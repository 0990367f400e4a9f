//! A connection's bytes with the two time limits that hyper does not have.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::ServerOptions;
use super::exchange::Exchanges;

/// Cuts a connection whose next request's head does not become whole in time from its first
/// byte (hyper's own limit starts with the silence before it and is the idle limit here), and
/// one whose client does not read.
#[derive(Debug)]
pub(super) struct GuardedStream<S> {
    stream: S,
    exchanges: Arc<Exchanges>,
    header: Guard,
    write: Guard,
    /// The exchange that was the last when `heard` was last set.
    seen: u32,
    /// Whether bytes of the next request have come. A new connection owes its first request.
    heard: bool,
}

impl<S> GuardedStream<S> {
    pub(super) fn new(stream: S, exchanges: Arc<Exchanges>, options: &ServerOptions) -> Self {
        let header = Guard::new(options.header_timeout);
        let write = Guard::new(options.write_timeout);
        let seen = exchanges.begun();
        Self { stream, exchanges, header, write, seen, heard: true }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for GuardedStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let begun = this.exchanges.begun();
        if begun != this.seen {
            this.seen = begun;
            this.heard = false;
            this.header.disarm();
        }
        let filled = buf.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        let idle = this.exchanges.idle();
        match read {
            Poll::Ready(result) => {
                this.heard |= idle && buf.filled().len() > filled;
                Poll::Ready(result)
            }
            Poll::Pending if idle && this.heard => this.header.poll(cx),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for GuardedStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.write.watch(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.write.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        this.write.watch(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = Pin::new(&mut this.stream).poll_shutdown(cx);
        this.write.watch(cx, shut)
    }
}

/// A time limit that costs nothing until something waits.
#[derive(Debug)]
struct Guard {
    timeout: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Guard {
    fn new(timeout: Duration) -> Self {
        Self { timeout, timer: None }
    }

    fn disarm(&mut self) {
        self.timer = None;
    }

    /// Starts the time where it does not run yet; fails when it is over.
    fn poll<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(self.timeout)));
        timer.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Lets a result through; the time runs while there is none.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match result {
            Poll::Pending => self.poll(cx),
            ready @ Poll::Ready(_) => {
                self.disarm();
                ready
            }
        }
    }
}
