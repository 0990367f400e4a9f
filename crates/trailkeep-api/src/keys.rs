//! The keys that are valid now, in memory, and how new ones are made.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use trailkeep_catalog::{Catalog, KeyRecord};
use trailkeep_event::Micros;
use trailkeep_io::{Clock, Entropy};
use trailkeep_scope::{ReadScope, WriteScope};
use utoipa::ToSchema;

use crate::auth::TokenHash;
use crate::hex::hex;

/// The keys of the catalog, in memory. Whoever changes a key calls [`Keys::reload`].
#[derive(Debug)]
pub struct Keys {
    catalog: Arc<dyn Catalog>,
    clock: Arc<dyn Clock>,
    /// How many reloads have begun.
    reloads: AtomicU64,
    known: RwLock<Known>,
}

/// What one reload read.
#[derive(Debug, Default)]
struct Known {
    reload: u64,
    by_hash: HashMap<[u8; 32], Arc<KeyRecord>>,
}

impl Keys {
    /// Makes an empty set; call [`Keys::reload`] before serving.
    pub fn new(catalog: Arc<dyn Catalog>, clock: Arc<dyn Clock>) -> Self {
        Self { catalog, clock, reloads: AtomicU64::new(0), known: RwLock::default() }
    }

    /// Reads the keys from the catalog.
    ///
    /// # Errors
    /// Where the catalog cannot be read; the keys in memory stay.
    pub async fn reload(&self) -> Result<(), trailkeep_catalog::Error> {
        let reload = self.reloads.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let keys = self.catalog.keys().await?;
        self.take_over(reload, keys);
        Ok(())
    }

    /// Stores a key and makes it valid at once.
    ///
    /// # Errors
    /// Where the catalog does not take it.
    pub async fn add(&self, key: &KeyRecord) -> Result<(), trailkeep_catalog::Error> {
        self.catalog.create_key(key).await?;
        self.reload().await
    }

    /// Revokes a key at once; `false` where there is none or it is revoked already.
    ///
    /// # Errors
    /// Where the catalog does not take it.
    pub async fn revoke(&self, key_id: &str) -> Result<bool, trailkeep_catalog::Error> {
        let at = Micros(self.clock.now_micros());
        let revoked = self.catalog.revoke_key(key_id, at).await?;
        self.reload().await?;
        Ok(revoked)
    }

    /// Returns the key with this token, if there is one that is good now.
    pub(crate) fn lookup(&self, token: &TokenHash) -> Option<Arc<KeyRecord>> {
        self.good(token.as_bytes())
    }

    /// Tells whether a key that was good is good now; asked where one request lasts long.
    pub(crate) fn still_good(&self, key: &KeyRecord) -> bool {
        self.good(&key.hash).is_some()
    }

    /// Returns all keys, also those that are no longer valid.
    ///
    /// # Errors
    /// Where the catalog cannot be read.
    pub async fn all(&self) -> Result<Vec<KeyRecord>, trailkeep_catalog::Error> {
        self.catalog.keys().await
    }

    fn take_over(&self, reload: u64, keys: Vec<KeyRecord>) {
        let by_hash = keys.into_iter().map(|key| (key.hash, Arc::new(key))).collect();
        let mut known = self.known.write();
        // A reload that began earlier but ends later may have read less: its keys could bring a
        // revoked one back.
        if reload > known.reload {
            *known = Known { reload, by_hash };
        }
    }

    fn good(&self, hash: &[u8; 32]) -> Option<Arc<KeyRecord>> {
        let key = self.known.read().by_hash.get(hash).cloned()?;
        let now = Micros(self.clock.now_micros());
        let expired = key.expires_at.is_some_and(|at| at <= now);
        (!expired && key.revoked_at.is_none()).then_some(key)
    }
}

/// A key to be made.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// The key's name for people.
    pub name: String,
    /// What its bearer may read; nothing where absent.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub read: Option<ReadScope>,
    /// What its bearer may write; nothing where absent.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub write: Option<WriteScope>,
    /// Whether its bearer may administer the store.
    #[serde(default)]
    pub operator: bool,
    /// From when it is no longer good, as RFC 3339.
    #[serde(default)]
    pub expires_at: Option<String>,
}

/// The longest name of a key.
const NAME_CHARS_MAX: usize = 200;
const TOKEN_BYTES: usize = 24;

impl NewKey {
    /// Draws a token and makes the key's record. The token is shown once and stored nowhere.
    ///
    /// # Errors
    /// A sentence that says which member is wrong.
    pub fn mint(
        &self,
        entropy: &dyn Entropy,
        now: Micros,
    ) -> Result<(KeyRecord, String), &'static str> {
        let mut secret = [0; TOKEN_BYTES];
        entropy.fill(&mut secret);
        let token = format!("tk_{}", hex(&secret));
        let record = self.record(&token, entropy, now)?;
        Ok((record, token))
    }

    /// Makes the record of a key whose token is given, as the bootstrap key's is.
    ///
    /// # Errors
    /// A sentence that says which member is wrong.
    pub fn record(
        &self,
        token: &str,
        entropy: &dyn Entropy,
        now: Micros,
    ) -> Result<KeyRecord, &'static str> {
        let n_chars = self.name.chars().count();
        if n_chars == 0 || n_chars > NAME_CHARS_MAX || self.name.chars().any(char::is_control) {
            return Err("`name` has 1 to 200 characters and no control characters");
        }
        let expires_at = match &self.expires_at {
            None => None,
            Some(text) => {
                Some(Micros::parse(text).map_err(|_error| "`expires_at` is an RFC 3339 time")?)
            }
        };
        let mut id = [0; 8];
        entropy.fill(&mut id);
        Ok(KeyRecord {
            key_id: format!("key_{}", hex(&id)),
            name: self.name.clone(),
            hash: *TokenHash::of(token).as_bytes(),
            masked: masked(token),
            read: self.read.clone(),
            write: self.write.clone(),
            operator: self.operator,
            created_at: now,
            expires_at,
            revoked_at: None,
        })
    }
}

/// Shows the ends of a token: enough to tell keys apart, far too little to guess one.
fn masked(token: &str) -> String {
    let front: String = token.chars().take(6).collect();
    let mut back: Vec<char> = token.chars().rev().take(3).collect();
    back.reverse();
    format!("{front}...{}", String::from_iter(back))
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailkeep_catalog::MemoryCatalog;
    use trailkeep_io::{SimClock, SimEntropy};

    #[test]
    fn a_slow_reload_does_not_bring_a_revoked_key_back() {
        let clock = Arc::new(SimClock::new(0));
        let keys = Keys::new(Arc::new(MemoryCatalog::new()), clock);
        let new = NewKey {
            name: "n".to_owned(),
            read: None,
            write: None,
            operator: true,
            expires_at: None,
        };
        let (good, token) = new.mint(&SimEntropy::new(1), Micros(0)).unwrap();
        let revoked = KeyRecord { revoked_at: Some(Micros(1)), ..good.clone() };
        keys.take_over(1, vec![good.clone()]);
        assert!(keys.lookup(&TokenHash::of(&token)).is_some());
        keys.take_over(3, vec![revoked]);
        keys.take_over(2, vec![good]);
        assert!(keys.lookup(&TokenHash::of(&token)).is_none());
    }
}
