//! One tenant.

use trailkeep_event::Micros;

use crate::Error;
use crate::limits::SLUG_TRIES_MAX;
use crate::seal::SEAL;

/// One tenant, as the catalog knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccountRecord {
    /// The account's identifier.
    pub account_id: String,
    /// The account's name in addresses, unique in the store.
    pub slug: String,
    /// The account's name for people.
    pub name: Option<String>,
    /// When the account was made.
    pub created_at: Micros,
}

/// Returns the slugs to try for an account that a seal brings: a taken slug must not stop it.
pub(crate) fn slug_candidates(slug: &str) -> impl Iterator<Item = String> + Send {
    let numbered = slug.to_owned();
    std::iter::once(slug.to_owned())
        .chain((2..=SLUG_TRIES_MAX).map(move |number| format!("{numbered}-{number}")))
}

/// Says that all of them are taken.
pub(crate) fn no_slug(account: &AccountRecord) -> Error {
    Error::invalid(SEAL, format!("no slug is free for account `{}`", account.account_id))
}
