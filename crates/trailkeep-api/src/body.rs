//! Takes in a request's body without letting it be too large, too slow, or a bomb.

mod budget;
mod collect;
mod decode;
mod encoding;
mod format;
mod limits;

use std::ops::Deref;

use axum::body::Body;
use axum::http::HeaderMap;
use bytes::Bytes;
use trailkeep_io::Tasks;

use self::budget::Held;
use self::encoding::ContentEncoding;
pub use self::{budget::BodyBudget, format::body_format, limits::BodyLimits};
use crate::{ErrorCode, HttpMetrics, Problem};

/// Bodies of up to this many bytes are decompressed where they are; larger ones leave the
/// runtime's threads.
const INLINE_DECODE_BYTES_MAX: usize = 4 * 1024;

/// What takes in the bodies of all requests of one server.
#[derive(Clone, Debug)]
pub struct BodyIntake {
    limits: BodyLimits,
    budget: BodyBudget,
    metrics: HttpMetrics,
}

impl BodyIntake {
    /// Makes an intake; clones share the budget.
    pub fn new(limits: BodyLimits, budget: BodyBudget, metrics: HttpMetrics) -> Self {
        Self { limits, budget, metrics }
    }

    /// Reads a body to its end and decompresses it; large ones as one of `tasks`.
    ///
    /// # Errors
    /// A problem to answer with: the body is too large (as sent or decompressed), too slow,
    /// damaged, compressed in a way that is not read, or the budget of all bodies is used up.
    pub async fn capped_body(
        &self,
        tasks: &Tasks,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<CappedBody, Problem> {
        let encoding = ContentEncoding::of(headers)?;
        let mut held = self.budget.hold();
        let wire = collect::collect(body, &self.limits, &mut held).await?;
        self.metrics.body_wire_bytes.inc_by(wire.len().try_into().unwrap_or(u64::MAX));
        let (bytes, held) = match encoding {
            ContentEncoding::Identity => (wire, held),
            _ if wire.len() <= INLINE_DECODE_BYTES_MAX => {
                decode::decode(encoding, &wire, &self.limits, held)?
            }
            _ => {
                let limits = self.limits;
                let work = move || decode::decode(encoding, &wire, &limits, held);
                tasks.spawn_blocking("decompress a body", work).await.map_err(|error| {
                    let detail = "the body could not be decompressed";
                    Problem::new(ErrorCode::Internal, detail).caused_by(&error)
                })??
            }
        };
        self.metrics.body_decoded_bytes.inc_by(bytes.len().try_into().unwrap_or(u64::MAX));
        Ok(CappedBody { bytes: bytes.into(), held })
    }
}

/// A whole body, decompressed. Its bytes count against the budget until it is dropped.
#[derive(Debug)]
pub struct CappedBody {
    bytes: Bytes,
    #[expect(dead_code, reason = "held for its drop, which gives the bytes back")]
    held: Held,
}

impl Deref for CappedBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}
