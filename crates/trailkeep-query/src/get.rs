//! Finds one entry by its identifier.

use trailkeep_event::{Entry, EventId};
use trailkeep_scope::ReadScope;

use crate::engine::Engine;
use crate::error::Error;

impl Engine {
    /// Finds an entry without an index: its identifier says where it is. An entry outside the
    /// scope does not exist.
    ///
    /// # Errors
    /// Where its segment cannot be read.
    pub fn get(&self, scope: &ReadScope, id: EventId) -> Result<Option<Entry>, Error> {
        let key = self.shelf.key();
        let Some(position) = key.position(id) else { return Ok(None) };
        let view = self.shelf.view();
        let mut found = view.tail.find(key, position).map(trailkeep_event::EntryRef::to_entry);
        for segment in view.sealed.iter().filter(|segment| segment.meta().covers(position)) {
            if found.is_some() {
                break;
            }
            let reader = segment.reader().map_err(Error::segment)?;
            found = reader.find(position).map_err(Error::segment)?;
        }
        // The time in the identifier must be right too: only whole identifiers name an entry.
        Ok(found.filter(|entry| entry.stamp.id == id && scope.covers(&entry.view())))
    }
}
