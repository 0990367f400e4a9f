//! Conversions between counts and indexes that cannot fail on the machines this runs on.

/// Returns a row number or length as an index.
pub(crate) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Returns a length in memory as a length in a file.
pub(crate) fn long(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
