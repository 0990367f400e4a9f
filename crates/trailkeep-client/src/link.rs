//! What is known of the way to the server, and what an error on it means.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};

use ureq::Timeout;

use crate::Error;

/// What is known of the way to the server. Clones of a client share it.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// The server answered at least once.
    reached: AtomicBool,
    /// It cannot be reached now, and that was said.
    broken: AtomicBool,
}

impl Link {
    /// Notes that the server answered.
    pub(crate) fn answered(&self) {
        self.reached.store(true, Ordering::Relaxed);
        self.broken.store(false, Ordering::Relaxed);
    }

    /// Tells whether an error is the first since the last answer that says that nobody is there.
    pub(crate) fn breaks(&self, error: &Error) -> bool {
        matches!(error, Error::Unreachable { .. } | Error::Gone { .. })
            && !self.broken.swap(true, Ordering::Relaxed)
    }

    /// Says what an error means that came instead of an answer.
    pub(crate) fn failed(&self, server: &str, error: ureq::Error) -> Error {
        let server = server.to_owned();
        let reached = self.reached.load(Ordering::Relaxed);
        if untrusted(&error) {
            return Error::Untrusted { server, source: Box::new(error) };
        }
        let unknown_host = unknown_host(&error);
        if !unknown_host && !not_sent(&error) && (reached || !no_route(&error)) {
            return Error::AnswerLost { server, source: Some(Box::new(error)) };
        }
        let source = Box::new(error);
        match (reached, unknown_host) {
            (true, _) => Error::Gone { server, source },
            (false, true) => Error::UnknownHost { server, source },
            (false, false) => Error::Unreachable { server, source },
        }
    }
}

/// Tells whether the handshake ended at the server's certificate. The TLS library's own error is
/// inside an I/O error and has no public type here, so its words decide.
fn untrusted(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(_) | ureq::Error::Rustls(_))
        && error.to_string().contains("invalid peer certificate")
}

/// Tells whether the host's name has no address. The resolver's error has no kind of its own, so
/// its words decide.
fn unknown_host(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound => true,
        ureq::Error::Io(error) => error.to_string().contains("failed to lookup address"),
        _ => false,
    }
}

/// Tells whether an error came before the request left.
fn not_sent(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::ConnectionFailed
        | ureq::Error::Tls(_)
        | ureq::Error::Rustls(_)
        | ureq::Error::BadUri(_)
        | ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => true,
        ureq::Error::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
        _ => false,
    }
}

/// Tells whether there is no way to the server. On a connection that stands this can also come
/// after the request left; where none ever stood it cannot.
fn no_route(error: &ureq::Error) -> bool {
    use ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkDown, NetworkUnreachable};
    let ureq::Error::Io(error) = error else { return false };
    matches!(error.kind(), AddrNotAvailable | HostUnreachable | NetworkDown | NetworkUnreachable)
}
