//! Lists or counts entries.

mod pages;
mod query;

use clap::{Args, ValueEnum};

use self::pages::Pages;
use self::query::Query;
pub(crate) use self::query::{parse_filter, parse_time};
use crate::arguments::Environment;
use crate::output::Output;
use crate::place::{Place, PlaceArguments};
use crate::store_view::StoreView;
use crate::table::Table;

const EXAMPLES: &str = "\
Examples:
  trailkeep search --server http://127.0.0.1:8080 --key-file key 'outcome:denied'
  trailkeep search --data DIR --account acme --from 2026-04-01 'path:*containers*' --limit 0 --json
  trailkeep search --data DIR --count 'status:>=500'

With --data nothing in DIR is changed: it may be a read-only copy, like a mounted snapshot. The
query language is described in docs/reference/filter.md.";

/// What to search for.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SearchArguments {
    /// The query; everything where absent
    #[arg(allow_hyphen_values = true)]
    query: Option<String>,
    /// Entries of this account only
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Entries from this time on (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Entries before this time (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Which entries come first
    #[arg(long, value_enum, default_value_t = Direction::Desc)]
    order: Direction,
    /// How many entries to show; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
    /// Print only how many entries match, exactly
    #[arg(long)]
    count: bool,
    /// Print entries as JSON, one a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

/// Which entries come first.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Direction {
    /// The oldest
    Asc,
    /// The newest
    Desc,
}

pub(crate) fn run(arguments: &SearchArguments, environment: &Environment) -> anyhow::Result<()> {
    let query = Query::of(arguments)?;
    match arguments.place.resolve(environment)? {
        Place::Remote(client) => show(arguments, &mut Pages::remote(client, query)),
        Place::Local(data, config) => {
            let view = StoreView::open(&data, config.store.journal)?;
            show(arguments, &mut Pages::local(view.engine(config.query), query))
        }
    }
}

fn show(arguments: &SearchArguments, pages: &mut Pages) -> anyhow::Result<()> {
    let mut output = Output::new();
    if arguments.count {
        output.line(&pages.count()?.to_string())?;
        return output.flush();
    }
    let mut left = if arguments.limit == 0 { u64::MAX } else { arguments.limit };
    let mut table = Table::new();
    while left > 0 {
        let Some(items) = pages.next(left)? else { break };
        left = left.saturating_sub(u64::try_from(items.len()).unwrap_or(u64::MAX));
        if arguments.json {
            items.iter().try_for_each(|item| output.line(item))?;
        } else {
            table.page(&items)?.iter().try_for_each(|line| output.line(line))?;
        }
        output.flush()?;
    }
    Ok(())
}
