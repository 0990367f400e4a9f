//! Where an export comes from: a store of this machine, or a server.

use trailkeep_api::{Export, ExportFormat, ExportRequest};
use trailkeep_client::{Client, Download};
use trailkeep_query::Order;
use trailkeep_scope::ReadScope;

use super::{Direction, ExportArguments};
use crate::arguments::Environment;
use crate::place::Place;
use crate::search::{parse_filter, parse_time};
use crate::store_view::StoreView;

/// How much is read of an answer at a time.
const READ_BYTES: usize = 256 * 1024;

/// Where an export comes from.
#[derive(Debug)]
pub(super) enum Source {
    Local(Box<Export>, Box<StoreView>),
    Remote(Download, RowCounter),
}

impl Source {
    /// Checks what is asked and starts the export.
    pub(super) fn open(
        arguments: &ExportArguments,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        // A server is not asked for what it would refuse.
        let request = request(arguments)?;
        match arguments.place.resolve(environment)? {
            Place::Remote(client) => {
                let counter = RowCounter::new(request.format);
                Ok(Self::Remote(start(&client, arguments)?, counter))
            }
            Place::Local(data, config) => {
                let view = StoreView::open(&data, config.store.journal)?;
                let engine = view.engine(config.query);
                let export = Export::new(engine, ReadScope::everything(), request)?;
                Ok(Self::Local(Box::new(export), Box::new(view)))
            }
        }
    }

    /// Returns the next bytes of the file; `None` where it is whole.
    pub(super) fn next_bytes(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        match self {
            Self::Local(export, _view) => Ok(export.next_bytes()?),
            Self::Remote(download, counter) => {
                let mut bytes = vec![0; READ_BYTES];
                let n_bytes = download.read(&mut bytes)?;
                bytes.truncate(n_bytes);
                counter.count(&bytes);
                Ok((n_bytes > 0).then_some(bytes))
            }
        }
    }

    /// Returns how many entries were written so far, where that is known.
    pub(super) fn rows(&self) -> Option<u64> {
        match self {
            Self::Local(export, _view) => Some(export.rows()),
            Self::Remote(_download, counter) => counter.rows(),
        }
    }
}

fn request(arguments: &ExportArguments) -> anyhow::Result<ExportRequest> {
    let text = arguments.query.as_deref().unwrap_or("");
    let fields = arguments.fields.as_deref().map(Export::fields).transpose();
    Ok(ExportRequest {
        format: arguments.format.file(),
        fields: fields.map_err(anyhow::Error::msg)?.unwrap_or_else(Export::all_fields),
        filter: parse_filter(text, arguments.account.as_deref())?,
        from: parse_time("--from", arguments.from.as_deref())?,
        to: parse_time("--to", arguments.to.as_deref())?,
        order: match arguments.order {
            Direction::Asc => Order::Ascending,
            Direction::Desc => Order::Descending,
        },
    })
}

fn start(client: &Client, arguments: &ExportArguments) -> anyhow::Result<Download> {
    let order = match arguments.order {
        Direction::Asc => "asc",
        Direction::Desc => "desc",
    };
    let body = serde_json::json!({
        "format": arguments.format.file().word(),
        "filter": {
            "account_id": arguments.account,
            "from": arguments.from,
            "to": arguments.to,
            "q": arguments.query,
        },
        "fields": arguments.fields,
        "order": order,
    });
    Ok(client.download("/api/v1/events/export", body.to_string().as_bytes())?)
}

/// Counts the entries of a file as it comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowCounter {
    format: ExportFormat,
    quoting: Quoting,
    lines: u64,
}

/// Whether a line end is part of a cell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Quoting {
    Outside,
    Inside,
}

impl RowCounter {
    fn new(format: ExportFormat) -> Self {
        Self { format, quoting: Quoting::Outside, lines: 0 }
    }

    fn count(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.quoting = match (byte, self.quoting) {
                (b'"', Quoting::Outside) => Quoting::Inside,
                (b'"', Quoting::Inside) => Quoting::Outside,
                (_, quoting) => quoting,
            };
            // A line of NDJSON has no line end inside, whatever its quotes are.
            let inside = self.quoting == Quoting::Inside && self.format == ExportFormat::Csv;
            if *byte == b'\n' && !inside {
                self.lines = self.lines.saturating_add(1);
            }
        }
    }

    fn rows(&self) -> Option<u64> {
        match self.format {
            ExportFormat::Csv => Some(self.lines.saturating_sub(1)),
            ExportFormat::Ndjson => Some(self.lines),
            ExportFormat::Parquet => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_however_the_bytes_come() {
        let csv = b"id,text\r\n1,\"two\r\nlines, \"\"quoted\"\"\"\r\n2,x\r\n";
        let ndjson = b"{\"a\":\"\\\"\"}\n{}\n{}\n";
        let cases: [(_, &[u8], _); 3] = [
            (ExportFormat::Csv, csv, Some(2)),
            (ExportFormat::Ndjson, ndjson, Some(3)),
            (ExportFormat::Parquet, csv, None),
        ];
        for (format, bytes, rows) in cases {
            for piece in [1, 2, 7, bytes.len()] {
                let mut counter = RowCounter::new(format);
                bytes.chunks(piece).for_each(|bytes| counter.count(bytes));
                assert_eq!(counter.rows(), rows, "{format:?} {piece}");
            }
        }
    }
}
