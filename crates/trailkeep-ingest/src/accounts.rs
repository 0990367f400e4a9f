//! The accounts that exist.

use std::collections::HashSet;

use parking_lot::RwLock;
use trailkeep_event::{Rejection, RejectionCode};

/// How many accounts there may be: each takes about 100 bytes of memory for as long as the store
/// is open.
const ACCOUNTS_MAX: usize = 10_000_000;

/// The accounts that exist, also those whose first event is not sealed yet.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    known: RwLock<HashSet<Box<str>>>,
}

impl Accounts {
    /// Takes over accounts that were stored.
    pub(crate) fn extend<T: Into<Box<str>>>(&self, accounts: impl IntoIterator<Item = T>) {
        self.known.write().extend(accounts.into_iter().map(Into::into));
    }

    /// Checks that an account exists, or creates it where that is allowed; returns its id where
    /// it is new.
    pub(crate) fn admit(
        &self,
        account_id: &str,
        create: bool,
    ) -> Result<Option<Box<str>>, Rejection> {
        if self.known.read().contains(account_id) {
            return Ok(None);
        }
        if !create {
            let detail = "the account does not exist, and this key may not create accounts";
            return Err(Rejection::at(RejectionCode::UnknownAccount, "account_id", detail));
        }
        let mut known = self.known.write();
        if known.len() >= ACCOUNTS_MAX {
            let detail = format!("there are {ACCOUNTS_MAX} accounts, and no more may be created");
            return Err(Rejection::at(RejectionCode::UnknownAccount, "account_id", detail));
        }
        known.insert(account_id.into());
        Ok(Some(account_id.into()))
    }

    /// Forgets accounts whose first event was then not written.
    pub(crate) fn forget(&self, accounts: &[Box<str>]) {
        let mut known = self.known.write();
        for account in accounts {
            known.remove(account);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.known.read().len()
    }
}
