//! Converts whole inputs and reads the events back.

use trailkeep_event::{EventLimits, Row, RowBuilder, read_event};
use trailkeep_import::{Converter, Mapping, RecordReader};

/// What became of an input.
#[derive(Debug, Default)]
pub(crate) struct Import {
    pub(crate) rows: Vec<Row>,
    /// The events as they were written, in the order of the rows.
    pub(crate) events: Vec<String>,
    /// The line and reason of what was not read.
    pub(crate) quarantined: Vec<(u64, String)>,
}

/// Converts every record of an input and reads each event as a server would.
pub(crate) fn import(input: &[u8], mapping: Mapping, account: Option<&str>) -> Import {
    let mut reader = RecordReader::new(input, mapping.layout());
    let converter = Converter::new(mapping, account).unwrap();
    let mut import = Import::default();
    let mut builder = RowBuilder::default();
    let (mut record, mut event) = (Vec::new(), Vec::new());
    while let Some(at) = reader.next(&mut record).unwrap() {
        event.clear();
        let converted = match at.oversized() {
            Some(unreadable) => Err(unreadable),
            None => converter.convert(&record, &mut event),
        };
        if let Err(unreadable) = converted {
            import.quarantined.push((at.line, unreadable.reason));
            continue;
        }
        match read_event(&event, &EventLimits::STANDARD, &mut builder) {
            Ok(row) => {
                import.rows.push(row);
                import.events.push(String::from_utf8(event.clone()).unwrap());
            }
            Err(rejection) => import.quarantined.push((at.line, rejection.to_string())),
        }
    }
    import
}
