//! Where the trees of a store are read.

use std::fmt::Debug;
use std::sync::Arc;

use trailkeep_event::Micros;
use trailkeep_merkle::{Checkpoint, Hash, LogId, Note, SecretBlock, Verifier};

use crate::BlockId;

/// A checkpoint that was signed and locked, and may be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedHead {
    /// Whose log it is.
    pub account_id: Box<str>,
    /// The log.
    pub log: LogId,
    /// Its head.
    pub checkpoint: Checkpoint,
    /// The head with its signatures.
    pub note: Note,
    /// What verifies the log's own.
    pub verifier: Verifier,
    /// When it was signed.
    pub signed_at: Micros,
}

/// What was read of the trees could not be.
#[derive(Debug, thiserror::Error)]
#[error("could not read {what} of the ledger")]
pub struct TreeStoreError {
    /// What was being read.
    pub what: &'static str,
    /// Why.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Where the trees of a store are read, for proofs and tiles. Calls may block.
pub trait TreeStore: Debug + Send + Sync {
    /// Returns the id of an account's log, which may be empty.
    fn log_of(&self, account_id: &str) -> LogId;

    /// Returns the last checkpoint of a log that may be shown.
    fn signed(&self, log: LogId) -> Option<Arc<SignedHead>>;

    /// Returns the hashes of a tile of level 1 or above, as far as they are complete.
    ///
    /// # Errors
    /// Where what is stored cannot be read.
    fn tile(&self, log: LogId, level: u8, tile: u64) -> Result<Vec<Hash>, TreeStoreError>;

    /// Returns a block of secrets.
    ///
    /// # Errors
    /// Where what is stored cannot be read.
    fn secrets(&self, block: BlockId) -> Result<Option<SecretBlock>, TreeStoreError>;
}
