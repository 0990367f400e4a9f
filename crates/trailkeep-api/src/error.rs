//! What can fail before the first request is answered.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The result of an operation of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Says what could not be done, and with what. What goes wrong in a request is a
/// [`Problem`](crate::Problem) instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Plain HTTP was asked for on an address that other machines reach.
    #[error(
        "refused to serve plain HTTP on `{address}`; \
         hint: give --tls-cert and --tls-key, listen on 127.0.0.1, or set behind_proxy = true"
    )]
    PlainBeyondLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The address could not be listened on.
    #[error("could not listen on `{address}`")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A TLS file could not be read.
    #[error("could not read `{}`", path.display())]
    ReadTlsFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A TLS file does not hold what it should in PEM form.
    #[error("could not find a {what} in PEM form")]
    ParsePem {
        /// What was looked for.
        what: &'static str,
        /// Why.
        source: rustls_pki_types::pem::Error,
    },
    /// The certificate and the key cannot be used together.
    #[error("could not use the certificate with the private key")]
    UseCertificate {
        /// Why.
        source: rustls::Error,
    },
    /// A thread that works for requests could not be started.
    #[error("could not start a thread for requests")]
    StartThread {
        /// Why.
        source: trailkeep_io::Error,
    },
    /// The OpenAPI document could not be written as JSON.
    #[error("could not write the OpenAPI document")]
    WriteDocument {
        /// Why.
        source: serde_json::Error,
    },
}
