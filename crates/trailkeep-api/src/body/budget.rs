//! The bytes that all bodies together may hold.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{ErrorCode, Problem};

/// How long a sender should wait when the budget is used up: bodies live for milliseconds.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The bytes that all bodies together may hold; clones share them.
///
/// Bytes are counted as they arrive, not as they are announced: a client that announces much and
/// sends little holds little.
#[derive(Clone, Debug)]
pub struct BodyBudget(Arc<Semaphore>);

impl BodyBudget {
    /// The budget of a server whose configuration names none.
    pub const STANDARD_BYTES: usize = 256 * 1024 * 1024;

    /// Makes a budget of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// Returns how many bytes are left.
    pub fn available_bytes(&self) -> usize {
        self.0.available_permits()
    }

    pub(super) fn hold(&self) -> Held {
        Held { budget: Arc::clone(&self.0), permit: None }
    }
}

/// What one body has taken of the budget; given back on drop.
#[derive(Debug)]
pub(super) struct Held {
    budget: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Held {
    /// Takes more. It never waits: a body that waits holds what others wait for.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let more = u32::try_from(bytes)
            .ok()
            .and_then(|bytes| Arc::clone(&self.budget).try_acquire_many_owned(bytes).ok())
            .ok_or_else(|| {
                let detail = "too many large bodies at once; send this one again";
                Problem::new(ErrorCode::Overloaded, detail).retry_after(RETRY_AFTER)
            })?;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
        Ok(())
    }
}
