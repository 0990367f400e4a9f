//! What can go wrong between here and a server.

use serde::Deserialize;

/// The result of an operation of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Says what went wrong between here and a server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The options cannot be used.
    #[error("could not use {what}: {detail}")]
    Options {
        /// Which option.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The server could not be reached: nothing was sent.
    #[error("could not reach `{server}`")]
    Unreachable {
        /// The server.
        server: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// The server's name has no address: nothing was sent.
    #[error("could not find the host of `{server}`")]
    UnknownHost {
        /// The server.
        server: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// The server answered before and cannot be reached any more: nothing of this request was
    /// sent. Or a stream broke off.
    #[error("lost the connection to `{server}`")]
    Gone {
        /// The server.
        server: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// The server's certificate is not one to trust: nothing was sent.
    #[error("could not trust the certificate of `{server}`")]
    Untrusted {
        /// The server.
        server: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// The request was sent, but no whole answer came: whether it took effect is unknown.
    #[error("`{server}` gave no answer; whether the request took effect is unknown")]
    AnswerLost {
        /// The server.
        server: String,
        /// Why, where that is known.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The key is not known, or may not do this.
    #[error("`{server}` does not allow it: {detail}")]
    NotAllowed {
        /// The server.
        server: String,
        /// The server's words.
        detail: String,
    },
    /// The server answered with an error.
    #[error("`{server}` answered {status}: {}", problem.detail)]
    Refused {
        /// The server.
        server: String,
        /// The HTTP status.
        status: u16,
        /// What the server said.
        problem: Box<ProblemBody>,
    },
    /// The answer is not what a server of this program gives.
    #[error("`{server}` answered something that is not understood: {detail}")]
    Answer {
        /// The server.
        server: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The events could not be compressed.
    #[error("could not compress the events")]
    Compress {
        /// Why.
        source: std::io::Error,
    },
}

/// An error answer (RFC 9457).
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ProblemBody {
    /// What programs branch on.
    #[serde(default)]
    pub code: String,
    /// A sentence for people.
    #[serde(default)]
    pub detail: String,
    /// The parameter that is at fault.
    #[serde(default)]
    pub field: Option<String>,
    /// The request's name in the server's log.
    #[serde(default)]
    pub request_id: Option<String>,
    /// How many seconds the server asks to be left alone.
    #[serde(skip)]
    pub retry_after_s: Option<u64>,
}
