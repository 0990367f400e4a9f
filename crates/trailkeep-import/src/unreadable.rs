//! Why a record did not become an event.

/// Says why a record cannot become an event, in words for the quarantine file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub struct Unreadable {
    /// The reason, lower case, without the record's content beyond a short name.
    pub reason: String,
}

/// The longest name from a record that a reason repeats.
const NAME_CHARS_MAX: usize = 64;

impl Unreadable {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// Shortens a hostile name for a message.
pub(crate) fn short(name: &str) -> String {
    name.chars().take(NAME_CHARS_MAX).flat_map(char::escape_default).collect()
}

/// Checks UTF-8 and names the offset of the first bad byte.
pub(crate) fn utf8(record: &[u8]) -> Result<&str, Unreadable> {
    std::str::from_utf8(record)
        .map_err(|error| Unreadable::new(format!("byte {} is not UTF-8", error.valid_up_to())))
}
