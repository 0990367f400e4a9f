//! Any text is a filter or an error that points into it; a filter's one text is that filter.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use trailkeep_event::{EventLimits, Row, RowBuilder, read_event};
use trailkeep_filter::Filter;

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let events = [
        include_str!("../../crates/trailkeep-event/tests/golden/v1/everything.json"),
        include_str!("../../crates/trailkeep-event/tests/golden/v1/unicode.json"),
        include_str!("../../crates/trailkeep-event/tests/golden/v1/minimal.json"),
    ];
    let limits = EventLimits::STANDARD;
    events
        .iter()
        .map(|event| read_event(event.as_bytes(), &limits, &mut RowBuilder::default()))
        .map(|row| row.expect("golden events are read"))
        .collect()
});

fuzz_target!(|text: &str| {
    let filter = match Filter::parse(text) {
        Ok(filter) => filter,
        Err(error) => {
            assert!((1..=text.chars().count() + 1).contains(&error.column), "{error:?}");
            return;
        }
    };
    let canonical = filter.canonical();
    let again = Filter::parse(&canonical).expect("a filter's one text is a filter");
    assert_eq!(again.canonical(), canonical);
    assert_eq!(again.fields(), filter.fields());
    for row in ROWS.iter() {
        assert_eq!(again.matches(row), filter.matches(row), "{canonical}");
    }
});
