//! Says what a store holds and what it takes of the disk.

mod measure;

use std::fmt::Write;

use clap::Args;
use indicatif::{HumanBytes, HumanCount};
use serde::{Deserialize, Serialize};
use trailkeep_io::RealDisk;

pub(crate) use self::measure::measure;
use crate::arguments::Environment;
use crate::output::print;
use crate::place::{Place, PlaceArguments};
use crate::store_view::StoreView;

const EXAMPLES: &str = "\
Examples:
  trailkeep stats --data DIR
  trailkeep stats --server http://127.0.0.1:8080 --key-file key --json

Every file in the data directory is counted, also those of segments that were replaced and wait to
be removed. With --server an operator key is needed.";

/// Which store.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StatsArguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

/// What a store holds and takes.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Stats {
    /// Entries.
    rows: u64,
    /// Entries that are not sealed, and their bytes in memory.
    tail_rows: u64,
    tail_bytes: u64,
    accounts: u64,
    /// The first and last time that entries sort at.
    first_at: Option<String>,
    last_at: Option<String>,
    segments: u64,
    /// What the files take.
    bytes: Parts<u64>,
    /// The same for each entry; null without one.
    bytes_per_event: Option<Parts<f64>>,
}

/// A number for each part of a data directory.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Parts<T> {
    /// Entries, sealed.
    segments: T,
    /// What says where entries are.
    index: T,
    /// What source ids are remembered by.
    source_ids: T,
    /// Entries that are not sealed, and room for more.
    journal: T,
    catalog: T,
    /// What is given up when the disk is full.
    reserve: T,
    other: T,
    total: T,
}

pub(crate) fn run(arguments: &StatsArguments, environment: &Environment) -> anyhow::Result<()> {
    let stats: Stats = match arguments.place.resolve(environment)? {
        Place::Remote(client) => client.parse(&client.get("/api/v1/stats", &[])?)?,
        Place::Local(data, config) => {
            let view = StoreView::open(&data, config.store.journal)?;
            measure(view.shelf(), &RealDisk::open(&data)?, view.accounts())?
        }
    };
    if arguments.json {
        return print(&serde_json::to_string(&stats)?);
    }
    print(stats.page().trim_end())
}

impl Stats {
    /// Returns lines for people.
    fn page(&self) -> String {
        let time = |at: &Option<String>| at.clone().unwrap_or_else(|| "-".to_owned());
        let lines = [
            ("entries", HumanCount(self.rows).to_string()),
            ("  not sealed", HumanCount(self.tail_rows).to_string()),
            ("accounts", HumanCount(self.accounts).to_string()),
            ("first", time(&self.first_at)),
            ("last", time(&self.last_at)),
            ("segments", HumanCount(self.segments).to_string()),
        ];
        let mut page = String::new();
        // Writing to a String cannot fail.
        for (name, value) in lines {
            let _written = writeln!(page, "{name:<14}{value}");
        }
        let _written = writeln!(page, "\n{:<14}{:>12}  {:>9}", "on disk", "", "per entry");
        let each = self.bytes_per_event.map(Parts::named);
        for (index, (name, bytes)) in self.bytes.named().into_iter().enumerate() {
            let each = each.and_then(|each| each.get(index).copied());
            let each = each.map_or_else(|| "-".to_owned(), |(_name, each)| format!("{each:.1} B"));
            let bytes = HumanBytes(bytes).to_string();
            let _written = writeln!(page, "  {name:<12}{bytes:>12}  {each:>9}");
        }
        page
    }
}

impl<T: Copy> Parts<T> {
    fn named(self) -> [(&'static str, T); 8] {
        [
            ("segments", self.segments),
            ("index", self.index),
            ("source ids", self.source_ids),
            ("journal", self.journal),
            ("catalog", self.catalog),
            ("reserve", self.reserve),
            ("other", self.other),
            ("total", self.total),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_a_table() {
        let bytes =
            Parts { segments: 3 << 20, index: 300 << 10, total: 4 << 20, ..Parts::default() };
        let each = Parts { segments: 50.4, index: 4.96, total: 67.1, ..Parts::default() };
        let stats = Stats {
            rows: 62_500,
            tail_rows: 12,
            tail_bytes: 9000,
            accounts: 3,
            first_at: Some("2026-04-20T12:00:00.000Z".to_owned()),
            last_at: None,
            segments: 2,
            bytes,
            bytes_per_event: Some(each),
        };
        insta::assert_snapshot!(stats.page(), @r"
        entries       62,500
          not sealed  12
        accounts      3
        first         2026-04-20T12:00:00.000Z
        last          -
        segments      2

        on disk                     per entry
          segments        3.00 MiB     50.4 B
          index         300.00 KiB      5.0 B
          source ids           0 B      0.0 B
          journal              0 B      0.0 B
          catalog              0 B      0.0 B
          reserve              0 B      0.0 B
          other                0 B      0.0 B
          total           4.00 MiB     67.1 B
        ");
    }
}
