//! Any bytes are an event or a rejection; an event has a sound row and canonical sections.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trailkeep_event::{
    BodyFormat, EventLimits, RejectionCode, RowBuilder, RowRef, Section, canonical_json,
    read_event, split_body, write_section,
};

const EVENTS_MAX: usize = 1000;

fuzz_target!(|data: &[u8]| {
    let limits = EventLimits::STANDARD;
    for format in [BodyFormat::Json, BodyFormat::Lines] {
        if let Ok(events) = split_body(data, format, &limits, EVENTS_MAX) {
            assert!(events.len() <= EVENTS_MAX);
        }
    }
    let Ok(row) = read_event(data, &limits, &mut RowBuilder::default()) else { return };
    assert_eq!(RowRef::parse(row.as_bytes()), Ok(row.view()));
    for section in Section::ALL {
        let mut bytes = Vec::new();
        if !write_section(&row, section, &mut bytes) {
            continue;
        }
        match canonical_json(&bytes, &limits) {
            Ok(again) => assert_eq!(again.as_bytes(), bytes),
            // A double from 2^53 to 1e21 is written as an integer token (docs/format/event.md).
            Err(error) => assert_eq!(error.code, RejectionCode::NumberTooLarge),
        }
    }
});
