//! Decompresses a body up to a limit.

use std::io::{ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;

use super::encoding::ContentEncoding;
use super::{BodyLimits, Held};
use crate::{ErrorCode, Problem};

/// The largest window of a zstd frame, as a power of two: 8 MiB, what RFC 9659 asks of senders.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

const CHUNK_BYTES: usize = 32 * 1024;

/// Decompresses a body; what it becomes is counted as it grows, so that a bomb goes off in
/// `cap` bytes.
pub(super) fn decode(
    encoding: ContentEncoding,
    wire: &[u8],
    limits: &BodyLimits,
    held: Held,
) -> Result<(Vec<u8>, Held), Problem> {
    let cap = wire
        .len()
        .saturating_mul(limits.decoded_ratio_max)
        .max(limits.decoded_bytes_free)
        .min(limits.decoded_bytes_max);
    match encoding {
        ContentEncoding::Identity => read_capped(wire, cap, held),
        ContentEncoding::Gzip => read_capped(MultiGzDecoder::new(wire), cap, held),
        ContentEncoding::Zstd => {
            let mut decoder =
                zstd::stream::read::Decoder::with_buffer(wire).map_err(|error| damaged(&error))?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(|error| damaged(&error))?;
            read_capped(decoder, cap, held)
        }
    }
}

fn read_capped(
    mut reader: impl Read,
    cap: usize,
    mut held: Held,
) -> Result<(Vec<u8>, Held), Problem> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut bytes = Vec::new();
    loop {
        let read = match reader.read(&mut chunk) {
            Ok(0) => return Ok((bytes, held)),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(damaged(&error)),
        };
        if read > cap.saturating_sub(bytes.len()) {
            let detail = format!("the body has more than {cap} bytes after decompression");
            return Err(Problem::new(ErrorCode::PayloadTooLarge, detail));
        }
        held.grow(read)?;
        bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
    }
}

fn damaged(error: &std::io::Error) -> Problem {
    let detail = "the body's compressed data is damaged or incomplete";
    Problem::new(ErrorCode::InvalidEncoding, detail).caused_by(error)
}
