//! The one conversion between lengths in memory and offsets in files.

/// Returns a length as the number that offsets are counted in.
pub(crate) fn u64_of(n: usize) -> u64 {
    // No machine that this builds for has a usize wider than 64 bits.
    u64::try_from(n).unwrap_or(u64::MAX)
}
