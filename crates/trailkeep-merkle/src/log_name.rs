//! Which log is whose, and which key signs it.

use std::fmt;

use hkdf::Hkdf;
use sha2::{Digest, Sha256};

use crate::{KeyKind, Signer};

const LOG: &[u8] = b"trailkeep/v1/log\0";
const LOG_KEY: &[u8] = b"trailkeep/v1/log-key\0";

/// Names a log without naming the account whose it is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LogId(pub u64);

impl LogId {
    /// Returns the id of an account's log; `ledger_key` is the store's secret.
    pub fn of_account(ledger_key: &[u8; 32], account_id: &str) -> Self {
        let digest: [u8; 32] = Sha256::new_with_prefix(LOG)
            .chain_update(ledger_key)
            .chain_update(account_id)
            .finalize()
            .into();
        let (first, _rest) = digest.as_chunks::<8>();
        Self(u64::from_be_bytes(first.first().copied().unwrap_or_default()))
    }

    /// Reads the 16 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex =
            text.len() == 16 && text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        u64::from_str_radix(text, 16).ok().filter(|_| is_hex).map(Self)
    }

    /// Returns the log's origin under a deployment's name.
    pub fn origin(self, deployment: &str) -> String {
        format!("{deployment}/log/{self}")
    }
}

/// Shows 16 hexadecimal digits.
impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Returns the key that signs a log's checkpoints; `None` where the origin cannot be a key's name.
pub fn log_signer(master_seed: &[u8; 32], origin: &str) -> Option<Signer> {
    let mut seed = [0; 32];
    let info = [LOG_KEY, origin.as_bytes()].concat();
    Hkdf::<Sha256>::new(None, master_seed).expand(&info, &mut seed).ok()?;
    Signer::new(origin, KeyKind::Ed25519, &seed)
}
