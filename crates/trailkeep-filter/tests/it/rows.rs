//! Makes entries to filter.

use trailkeep_event::{
    Entry, EventId, EventLimits, Micros, Partition, Position, RowBuilder, Stamp, read_event,
};
use trailkeep_filter::Filter;

/// Makes an entry of an event without its required members.
pub(crate) fn entry(members: &str) -> Entry {
    let mut event: serde_json::Value = serde_json::from_str(members).unwrap();
    let event = event.as_object_mut().unwrap();
    event.entry("account_id").or_insert_with(|| "acme".into());
    event.entry("action").or_insert_with(|| "license.suspended".into());
    event.entry("occurred_at").or_insert_with(|| "2026-01-31T12:00:00.5Z".into());
    let text = serde_json::to_string(event).unwrap();
    let row = read_event(text.as_bytes(), &EventLimits::STANDARD, &mut RowBuilder::default())
        .unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let id = EventId::parse("01980000-0000-7abc-8def-0123456789ab").unwrap();
    let position = Position { partition: Partition::new(1).unwrap(), frame: 2, ordinal: 3 };
    let created_at = Micros::parse("2026-02-01T00:00:00Z").unwrap();
    Entry { row, stamp: Stamp { id, seq: 41, created_at, clock_skew: false, position } }
}

pub(crate) fn filter(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error} {:?}", error.hint))
}
