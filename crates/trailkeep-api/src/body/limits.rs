//! The limits of one body.

use std::time::Duration;

/// The limits that one body must keep.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// The largest body in bytes as sent.
    pub wire_bytes_max: usize,
    /// The largest body in bytes after decompression.
    pub decoded_bytes_max: usize,
    /// How many times its size a compressed body may become.
    pub decoded_ratio_max: usize,
    /// How large a compressed body may become in any case.
    pub decoded_bytes_free: usize,
    /// How many bytes must arrive within each `progress_timeout`.
    pub progress_bytes_min: usize,
    /// See `progress_bytes_min`.
    pub progress_timeout: Duration,
    /// How long the whole body may take.
    pub total_timeout: Duration,
}

impl BodyLimits {
    /// The limits of a server whose configuration names none.
    pub const STANDARD: Self = Self {
        wire_bytes_max: 16 * 1024 * 1024,
        decoded_bytes_max: 64 * 1024 * 1024,
        decoded_ratio_max: 250,
        decoded_bytes_free: 4 * 1024 * 1024,
        progress_bytes_min: 4 * 1024,
        progress_timeout: Duration::from_secs(10),
        total_timeout: Duration::from_mins(1),
    };
}
