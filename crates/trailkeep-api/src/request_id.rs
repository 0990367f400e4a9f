//! The name of one request in answers and logs.

use std::fmt;

use axum::http::HeaderValue;
use trailkeep_io::Entropy;

use crate::hex::hex;

/// The name of one request. It is ours alone: what a client sends as its own is not used, so
/// that it can neither be forged nor carry bytes into the log.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// Draws a new name.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    pub(crate) fn header_value(self) -> HeaderValue {
        // Hexadecimal digits are always a header value; an empty one would only lose the name.
        HeaderValue::try_from(self.to_string()).unwrap_or(HeaderValue::from_static(""))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}
