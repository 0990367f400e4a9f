//! The limits of the connections.

use std::time::Duration;

/// The limits that connections must keep.
#[derive(Clone, Copy, Debug)]
pub struct ServerOptions {
    /// How many connections are served at once; further ones are answered 503.
    pub connections_max: usize,
    /// The largest head of a request in bytes.
    pub header_bytes_max: usize,
    /// The most header lines of a request.
    pub headers_max: usize,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// How long the head of a request may take from its first byte (on a new connection, from
    /// its opening).
    pub header_timeout: Duration,
    /// How long a connection may be open without a request.
    pub idle_timeout: Duration,
    /// How long a client may leave what we send unread.
    pub write_timeout: Duration,
    /// How long we wait at the end for a client to hang up first, so that it can read its answer.
    pub linger_timeout: Duration,
    /// How long requests may go on after a shutdown was asked for.
    pub shutdown_timeout: Duration,
}

impl ServerOptions {
    /// The limits of a server whose configuration names none.
    pub const STANDARD: Self = Self {
        connections_max: 1024,
        header_bytes_max: 16 * 1024,
        headers_max: 64,
        handshake_timeout: Duration::from_secs(10),
        header_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(75),
        write_timeout: Duration::from_secs(30),
        linger_timeout: Duration::from_secs(1),
        shutdown_timeout: Duration::from_secs(30),
    };
}
