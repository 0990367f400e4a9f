//! The accept loop: plain HTTP/1.1 or TLS, every connection bounded in bytes and time.

mod connection;
mod exchange;
mod guarded_stream;
mod options;
mod peer;
mod run;
mod shutdown;
mod tls;

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{Error, HttpMetrics, Result};

pub use self::{
    options::ServerOptions,
    peer::PeerIp,
    run::Drained,
    shutdown::{Shutdown, ShutdownTrigger, shutdown_pair},
    tls::{TlsFiles, TlsIdentity},
};

/// How bytes travel between the client and us.
#[derive(Clone, Debug)]
pub enum Transport {
    /// In the clear, on a loopback address only.
    Plain,
    /// In the clear on any address: the operator says that a proxy in front ends TLS.
    BehindProxy,
    /// By TLS.
    Tls(TlsIdentity),
}

/// A server that listens but does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    acceptor: Option<TlsAcceptorDebug>,
    options: ServerOptions,
    routes: Router,
    metrics: HttpMetrics,
}

impl Server {
    /// Listens on `address`; port 0 takes a free one. `routes` should be wrapped in an
    /// [`Envelope`](crate::Envelope).
    ///
    /// # Errors
    /// [`Error::PlainBeyondLoopback`] or [`Error::Bind`].
    pub async fn bind(
        address: SocketAddr,
        transport: Transport,
        options: ServerOptions,
        routes: Router,
        metrics: HttpMetrics,
    ) -> Result<Self> {
        let acceptor = match transport {
            Transport::Plain if !address.ip().is_loopback() => {
                return Err(Error::PlainBeyondLoopback { address });
            }
            Transport::Plain | Transport::BehindProxy => None,
            Transport::Tls(identity) => Some(TlsAcceptorDebug(identity.acceptor())),
        };
        let bind = |source| Error::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let local_addr = listener.local_addr().map_err(bind)?;
        Ok(Self { listener, local_addr, acceptor, options, routes, metrics })
    }

    /// Returns the address that is listened on, with the port that was taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }
}

/// An acceptor that can be shown: it holds a private key and shows nothing.
#[derive(Clone)]
struct TlsAcceptorDebug(TlsAcceptor);

impl std::fmt::Debug for TlsAcceptorDebug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsAcceptor(****)")
    }
}
