//! What queries run on.

use std::sync::Arc;
use std::time::Duration;

use trailkeep_io::Clock;
use trailkeep_segment::Shelf;

use crate::Error;
use crate::cursor::CursorKey;

/// How many threads share the work of one query where there is much.
pub(crate) const THREADS: usize = 2;

/// How queries are bounded.
#[derive(Clone, Copy, Debug)]
pub struct QueryOptions {
    /// The longest that one query may take.
    pub duration_max: Duration,
}

/// Answers queries. Cloning shares it. Every call blocks: make it off the async runtime.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) cursor_key: CursorKey,
    clock: Arc<dyn Clock>,
    options: QueryOptions,
}

impl Engine {
    /// Makes an engine over a shelf; `cursor_key` is the store's secret that signs cursors.
    pub fn new(
        shelf: Arc<Shelf>,
        cursor_key: &[u8; 32],
        clock: Arc<dyn Clock>,
        options: QueryOptions,
    ) -> Self {
        Self { shelf, cursor_key: CursorKey::new(cursor_key), clock, options }
    }

    /// Returns the key that reads positions from identifiers.
    pub fn id_key(&self) -> &trailkeep_event::IdKey {
        self.shelf.key()
    }

    pub(crate) fn deadline(&self) -> Deadline<'_> {
        let end = self.clock.monotonic().saturating_add(self.options.duration_max);
        Deadline { clock: self.clock.as_ref(), end, limit: self.options.duration_max, looks: 0 }
    }
}

/// How many looks there are between two at the clock: each is at a page, or at a batch that may
/// have but a row.
const LOOKS_PER_TIME: u32 = 4;

/// The end of a query's time.
#[derive(Clone, Debug)]
pub(crate) struct Deadline<'a> {
    clock: &'a dyn Clock,
    end: Duration,
    limit: Duration,
    looks: u32,
}

impl Deadline<'_> {
    /// Looks at the clock now and then; an error where the time is over.
    pub(crate) fn look(&mut self) -> Result<(), Error> {
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(LOOKS_PER_TIME) && self.clock.monotonic() > self.end {
            return Err(Error::TooSlow { seconds: self.limit.as_secs() });
        }
        Ok(())
    }
}
