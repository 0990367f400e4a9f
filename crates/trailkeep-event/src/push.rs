//! Appending a few bytes cheaply.

/// So many bytes are copied at once.
pub(crate) const PIECE: usize = 32;

/// Appends the first `len` bytes of `from`. Where they are few and others follow them, a piece of
/// fixed size is copied and cut: a copy of no fixed size costs more than the bytes of most values.
#[inline]
pub(crate) fn push_start(out: &mut Vec<u8>, from: &[u8], len: usize) {
    match from.first_chunk::<PIECE>() {
        Some(piece) if len <= PIECE => {
            let end = out.len().saturating_add(len);
            out.extend_from_slice(piece);
            out.truncate(end);
        }
        _ => out.extend_from_slice(from.get(..len).unwrap_or(from)),
    }
}
