//! From bytes to masked rows, and filters over rows.

use std::hint::black_box;

use anyhow::{Result, anyhow, ensure};
use trailkeep_event::{EventLimits, Row, RowBuilder, read_event};
use trailkeep_filter::Filter;
use trailkeep_redact::Masked;

use super::stage;
use crate::bench::Bench;
use crate::figure::Figure;
use crate::quantity::{float, long};

/// Filters of rising cost.
const FILTERS: [&str; 4] = [
    "status:>=500",
    "category:api outcome:failure",
    "metadata.sdk:KeyManager*",
    "\"limit reached\"",
];

pub(super) fn rows(bench: &mut Bench, lines: &[Vec<u8>]) -> Result<Vec<Row>> {
    let rows = stage(bench, "read_event", lines.len(), || {
        let mut builder = RowBuilder::default();
        let read = |line: &Vec<u8>| read_event(line, &EventLimits::STANDARD, &mut builder);
        let rows: Result<Vec<Row>, _> = lines.iter().map(read).collect();
        rows.map_err(|rejection| anyhow!("an event was rejected: {rejection:?}"))
    })?;
    let bytes: u64 = rows.iter().map(|row| long(row.as_bytes().len())).sum();
    let each = float(bytes) / float(long(rows.len()).max(1));
    bench.report.add(Figure::new("a row", each, "bytes/event"));
    Ok(rows)
}

pub(super) fn filters(bench: &mut Bench, rows: &[Row]) -> Result<()> {
    for text in FILTERS {
        let filter = Filter::parse(text)?;
        let n_matches = stage(bench, &format!("filter {text}"), rows.len(), || {
            Ok(rows.iter().filter(|row| filter.matches(&black_box(row.view()))).count())
        })?;
        ensure!(n_matches <= rows.len(), "more matches than rows");
    }
    Ok(())
}

pub(super) fn mask(bench: &mut Bench, rows: &[Row]) -> Result<Vec<Masked>> {
    let mut copies: Vec<Vec<Row>> = Vec::new();
    copies.resize_with(super::ROUNDS, || rows.to_vec());
    stage(bench, "Masked::new", rows.len(), || {
        let rows = copies.pop().unwrap_or_default();
        Ok(rows.into_iter().map(Masked::new).collect())
    })
}
