//! Rows and batches without the parts that make them in production.

#![expect(clippy::panic, reason = "test code")]

use trailkeep_event::{Batch, BatchWriter, EventLimits, Micros, Row, RowBuilder, read_event};

/// Reads one event.
///
/// # Panics
/// Where the event is rejected.
pub fn row_of(event: &str) -> Row {
    let mut builder = RowBuilder::default();
    read_event(event.as_bytes(), &EventLimits::STANDARD, &mut builder)
        .unwrap_or_else(|error| panic!("{error}\n{event}"))
}

/// Puts rows into one batch.
///
/// # Panics
/// Where a row is not one.
pub fn batch_of(rows: &[Row], created_at: Micros) -> Batch {
    let mut writer = BatchWriter::new();
    for row in rows {
        writer.push(row.view());
    }
    writer.finish(created_at).unwrap_or_else(|error| panic!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EventMaker;

    #[test]
    fn a_batch_holds_its_rows() {
        let rows: Vec<Row> = EventMaker::new(1).take(20).map(|line| row_of(&line)).collect();
        let batch = batch_of(&rows, Micros(5));
        let back: Vec<Row> = batch.rows().map(|row| row.row.to_row()).collect();
        assert_eq!(back, rows);
    }
}
