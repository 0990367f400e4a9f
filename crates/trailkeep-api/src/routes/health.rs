//! Whether the store takes work.

use std::borrow::Cow;

use trailkeep_ingest::Store;

use crate::{NotReady, Readiness};

/// Asks the store.
#[derive(Debug)]
pub(crate) struct StoreReadiness(pub(crate) Store);

impl Readiness for StoreReadiness {
    fn check(&self) -> Result<(), NotReady> {
        if self.0.is_stopped() {
            let reason = Cow::Borrowed("the store stopped after an I/O error");
            return Err(NotReady { reason });
        }
        Ok(())
    }
}
