//! The tenant of an entry.

use std::fmt;

/// The account that holds Trailkeep's own entries where no other account is concerned.
pub const SYSTEM_ACCOUNT: &str = "_trailkeep";

/// The identifier of an account: 1-128 bytes without control characters.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AccountId(Box<str>);

/// Says why a text is not an account identifier.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an account id has 1 to 128 bytes and no control characters")]
pub struct AccountIdError;

impl AccountId {
    /// Parses an identifier.
    pub fn parse(text: &str) -> Result<Self, AccountIdError> {
        Self::check(text).map(|()| Self(text.into()))
    }

    /// Tells whether a text is an identifier, without keeping it.
    pub(crate) fn check(text: &str) -> Result<(), AccountIdError> {
        let fits = (1..=128).contains(&text.len());
        if fits && !has_control(text) { Ok(()) } else { Err(AccountIdError) }
    }

    /// Returns the account of Trailkeep's own entries.
    pub fn system() -> Self {
        Self(SYSTEM_ACCOUNT.into())
    }

    /// Returns the identifier's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for AccountId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Tells whether a text has a control character. Nearly every text is printable ASCII.
pub(crate) fn has_control(text: &str) -> bool {
    !text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) && text.chars().any(char::is_control)
}
