//! How long each account's log is.

use std::collections::HashMap;

use trailkeep_event::Micros;

/// The end of one account's log.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Head {
    /// How many entries the log has.
    pub size: u64,
    /// When the last entry was admitted.
    pub created_at: Micros,
}

/// The ends of all logs.
#[derive(Clone, Debug, Default)]
pub struct Heads {
    by_account: HashMap<Box<str>, Head>,
}

impl Heads {
    /// Takes over heads that were stored.
    pub fn load(heads: impl IntoIterator<Item = (String, Head)>) -> Self {
        let by_account =
            heads.into_iter().map(|(account, head)| (account.into_boxed_str(), head)).collect();
        Self { by_account }
    }

    /// Returns the head of an account's log; an unknown account's log is empty.
    pub fn get(&self, account_id: &str) -> Head {
        self.by_account.get(account_id).copied().unwrap_or_default()
    }

    /// Returns when the last entry of any log was admitted.
    pub fn last_created_at(&self) -> Micros {
        self.by_account.values().map(|head| head.created_at).max().unwrap_or_default()
    }

    /// Returns each account that has a log, with the log's head, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Head)> {
        self.by_account.iter().map(|(account_id, head)| (&**account_id, *head))
    }

    /// Returns how many accounts have a log.
    pub fn n_accounts(&self) -> usize {
        self.by_account.len()
    }

    pub(crate) fn append(&mut self, account_id: &str, created_at: Micros) -> u64 {
        if let Some(head) = self.by_account.get_mut(account_id) {
            let seq = head.size;
            head.size = head.size.saturating_add(1);
            head.created_at = head.created_at.max(created_at);
            return seq;
        }
        self.by_account.insert(account_id.into(), Head { size: 1, created_at });
        0
    }
}
