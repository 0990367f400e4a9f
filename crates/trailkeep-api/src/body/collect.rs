//! Reads a body as it is sent.

use axum::body::Body;
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::{BodyLimits, Held};
use crate::{ErrorCode, Problem};

/// The most that is reserved for a body before it arrives: addresses, not memory, until then.
const BYTES_AHEAD_MAX: usize = 1 << 20;

/// Reads a body to its end. A body that announces too many bytes is refused before any is read.
pub(super) async fn collect(
    body: Body,
    limits: &BodyLimits,
    held: &mut Held,
) -> Result<Vec<u8>, Problem> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limits.wire_bytes_max {
        return Err(too_large(limits));
    }
    let mut bytes = Vec::with_capacity(announced.min(BYTES_AHEAD_MAX));
    let collected = collect_steadily(body, &mut bytes, limits, held);
    match timeout(limits.total_timeout, collected).await {
        Ok(read) => read.map(|()| bytes),
        Err(_elapsed) => Err(too_slow(format!(
            "the body took longer than {} seconds",
            limits.total_timeout.as_secs()
        ))),
    }
}

async fn collect_steadily(
    mut body: Body,
    bytes: &mut Vec<u8>,
    limits: &BodyLimits,
    held: &mut Held,
) -> Result<(), Problem> {
    loop {
        let step = collect_step(&mut body, bytes, limits, held);
        match timeout(limits.progress_timeout, step).await {
            Ok(Ok(Step::More)) => {}
            Ok(Ok(Step::End)) => return Ok(()),
            Ok(Err(problem)) => return Err(problem),
            Err(_elapsed) => {
                return Err(too_slow(format!(
                    "fewer than {} bytes of the body arrived in {} seconds",
                    limits.progress_bytes_min,
                    limits.progress_timeout.as_secs()
                )));
            }
        }
    }
}

enum Step {
    More,
    End,
}

/// Reads at least `progress_bytes_min` more bytes, or to the end.
async fn collect_step(
    body: &mut Body,
    bytes: &mut Vec<u8>,
    limits: &BodyLimits,
    held: &mut Held,
) -> Result<Step, Problem> {
    let target = bytes.len().saturating_add(limits.progress_bytes_min);
    while bytes.len() < target {
        let Some(frame) = body.frame().await else { return Ok(Step::End) };
        let frame = frame.map_err(|error| {
            let detail = "the body ended early, or its chunks are damaged";
            Problem::new(ErrorCode::BrokenBody, detail).caused_by(&error)
        })?;
        // Trailers are not used.
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limits.wire_bytes_max.saturating_sub(bytes.len()) {
            return Err(too_large(limits));
        }
        held.grow(data.len())?;
        bytes.extend_from_slice(&data);
    }
    Ok(Step::More)
}

fn too_large(limits: &BodyLimits) -> Problem {
    let detail = format!(
        "the body has more than {} bytes; send the events in several requests",
        limits.wire_bytes_max
    );
    Problem::new(ErrorCode::PayloadTooLarge, detail)
}

fn too_slow(detail: String) -> Problem {
    Problem::new(ErrorCode::RequestTimeout, detail)
}
