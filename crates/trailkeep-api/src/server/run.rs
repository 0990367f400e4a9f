//! Accepts connections until a shutdown is asked for, then lets them finish.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use super::connection::Serving;
use super::{PeerIp, Server, Shutdown, TlsAcceptorDebug};
use crate::HttpMetrics;
use crate::metrics::RejectedConnection;

/// How many connections are being told at once that there are too many; further ones are closed
/// without a word.
const REFUSALS_MAX: usize = 64;

/// What a connection too many is answered.
const REFUSAL: &str = concat!(
    "HTTP/1.1 503 Service Unavailable\r\n",
    "content-type: application/problem+json\r\n",
    "content-length: 152\r\n",
    "retry-after: 1\r\n",
    "connection: close\r\n\r\n",
    "{\"type\":\"/api/docs#overloaded\",\"title\":\"Overloaded\",\"status\":503,",
    "\"detail\":\"too many connections at once; try again\",\"code\":\"overloaded\",",
    "\"retry_after\":1}",
);

/// How long accepting pauses after it failed: the usual reason is that file descriptors ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How a shutdown went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Drained {
    /// How many connections were cut because their requests took too long.
    pub n_cut: usize,
}

impl Server {
    /// Serves until `shutdown` is asked for; then accepts nothing more, finishes the requests
    /// under way, and returns. Every connection is joined, and every task and thread that worked
    /// for one.
    pub async fn run(self, shutdown: Shutdown) -> Drained {
        let Self { listener, local_addr, acceptor, options, routes, metrics } = self;
        let serving = Serving { routes, options, shutdown: shutdown.clone() };
        let mut door = Door {
            serving: Arc::new(serving),
            acceptor,
            metrics,
            places: Arc::new(Semaphore::new(options.connections_max)),
            refusals: Arc::new(Semaphore::new(REFUSALS_MAX)),
            connections: JoinSet::new(),
        };
        tracing::info!(address = %local_addr, tls = door.acceptor.is_some(), "listening");
        loop {
            tokio::select! {
                biased;
                () = shutdown.requested() => break,
                Some(joined) = door.connections.join_next() => observe(joined),
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => door.admit(stream, peer),
                    Err(error) => {
                        tracing::warn!(error = %error, "could not accept a connection");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        // New connections are refused by the system from here on.
        drop(listener);
        let drained = door.drain().await;
        // The routes are gone by now, and with them what their threads wait for.
        if let Err(error) = shutdown.tasks().join(options.shutdown_timeout).await {
            tracing::warn!(error = %error, "some work outlives its server");
        }
        drained
    }
}

/// Where connections come in and are counted.
struct Door {
    serving: Arc<Serving>,
    acceptor: Option<TlsAcceptorDebug>,
    metrics: HttpMetrics,
    places: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    connections: JoinSet<()>,
}

impl Door {
    fn admit(&mut self, stream: TcpStream, peer: SocketAddr) {
        let peer = PeerIp::new(peer.ip());
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => self.serve(stream, peer, place),
            Err(_full) => self.refuse(stream, peer),
        }
    }

    fn serve(&mut self, stream: TcpStream, peer: PeerIp, place: OwnedSemaphorePermit) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, error = %error, "could not send small answers at once");
        }
        let open = self.metrics.connection_opens();
        let serving = Arc::clone(&self.serving);
        let Some(TlsAcceptorDebug(acceptor)) = self.acceptor.clone() else {
            self.connections.spawn(async move {
                serving.serve(stream, peer).await;
                drop((place, open));
            });
            return;
        };
        let metrics = self.metrics.clone();
        self.connections.spawn(async move {
            let handshake = acceptor.accept(stream);
            match timeout(serving.options.handshake_timeout, handshake).await {
                Ok(Ok(stream)) => serving.serve(stream, peer).await,
                Ok(Err(error)) => {
                    metrics.connection_rejected(RejectedConnection::Handshake);
                    tracing::debug!(%peer, error = %error, "TLS handshake failed");
                }
                Err(_elapsed) => metrics.connection_rejected(RejectedConnection::Handshake),
            }
            drop((place, open));
        });
    }

    /// Tells a client that there are too many. With TLS there is no cheap way to: it is closed.
    fn refuse(&mut self, stream: TcpStream, peer: PeerIp) {
        self.metrics.connection_rejected(RejectedConnection::TooMany);
        tracing::debug!(%peer, "too many connections");
        let Ok(place) = Arc::clone(&self.refusals).try_acquire_owned() else { return };
        if self.acceptor.is_some() {
            return;
        }
        let linger_timeout = self.serving.options.linger_timeout;
        self.connections.spawn(async move {
            // Whether the client hears it is its own matter.
            drop(timeout(linger_timeout, say_no(stream)).await);
            drop(place);
        });
    }

    /// Waits for all connections, then cuts those that are left.
    async fn drain(mut self) -> Drained {
        let finish = async {
            while let Some(joined) = self.connections.join_next().await {
                observe(joined);
            }
        };
        let finished = timeout(self.serving.options.shutdown_timeout, finish).await.is_ok();
        let n_cut = if finished { 0 } else { self.connections.len() };
        self.connections.shutdown().await;
        tracing::info!(n_cut, "stopped listening");
        Drained { n_cut }
    }
}

async fn say_no(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(REFUSAL.as_bytes()).await?;
    stream.shutdown().await?;
    let mut discarded = [0; 1024];
    while stream.read(&mut discarded).await? > 0 {}
    Ok(())
}

fn observe(joined: Result<(), JoinError>) {
    if let Err(error) = joined {
        tracing::error!(error = %error, "a connection's task failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_is_a_whole_answer() {
        let (head, body) = REFUSAL.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
        let problem = crate::Problem::new(
            crate::ErrorCode::Overloaded,
            "too many connections at once; try again",
        );
        let problem = problem.retry_after(Duration::from_secs(1)).document(None);
        assert_eq!(body, serde_json::to_string(&problem).unwrap());
    }
}
