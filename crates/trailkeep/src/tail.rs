//! Follows entries as they become durable.

use std::time::Duration;

use clap::Args;
use trailkeep_client::{Client, Error, ServerEvent};
use trailkeep_io::{Clock, SystemClock};

use crate::arguments::Environment;
use crate::failure::{Exit, Failure, in_one_line};
use crate::output::{Output, say};
use crate::place::PlaceArguments;
use crate::search::parse_filter;
use crate::table::Table;

const WAIT_MIN: Duration = Duration::from_millis(500);
const WAIT_MAX: Duration = Duration::from_secs(15);
/// How long the command goes on without a connection.
const UNCONNECTED_MAX: Duration = Duration::from_mins(1);

const EXAMPLES: &str = "\
Examples:
  trailkeep tail --server http://127.0.0.1:8080 --key-file key
  trailkeep tail --server http://127.0.0.1:8080 --key-file key --account acme 'outcome:denied' --json

Only entries that become durable from now on are shown. What is missed while the connection is
broken, or because the reader is too slow, is said; `trailkeep search` finds it. After a minute
without a connection it gives up, with exit code 6.";

/// What to follow.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TailArguments {
    /// The query; everything where absent
    #[arg(allow_hyphen_values = true)]
    query: Option<String>,
    /// Entries of this account only
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Print entries as JSON, one a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

pub(crate) fn run(arguments: &TailArguments, environment: &Environment) -> anyhow::Result<()> {
    let text = arguments.query.as_deref().unwrap_or("");
    parse_filter(text, arguments.account.as_deref())?;
    if arguments.place.server.is_none() {
        let hint = "a data directory without a server has nothing to follow";
        return Err(Failure::new(Exit::Usage, "tail needs --server URL").hint(hint).into());
    }
    let client = arguments.place.client(environment)?;
    let mut query = Vec::new();
    if !text.is_empty() {
        query.push(("q", text));
    }
    query.extend(arguments.account.as_deref().map(|account| ("account_id", account)));
    follow(arguments, &client, &query)
}

fn follow(
    arguments: &TailArguments,
    client: &Client,
    query: &[(&str, &str)],
) -> anyhow::Result<()> {
    let mut shown = Shown { output: Output::new(), table: Table::new(), json: arguments.json };
    let clock = SystemClock::new();
    let mut wait = WAIT_MIN;
    let mut connected_at = clock.monotonic();
    loop {
        let ended = match client.stream("/api/v1/events/tail", query) {
            Ok(events) => {
                let shown = shown.all(events);
                (wait, connected_at) = (WAIT_MIN, clock.monotonic());
                shown
            }
            Err(error) => Err(error.into()),
        };
        let unconnected = clock.monotonic().saturating_sub(connected_at);
        let left = UNCONNECTED_MAX.saturating_sub(unconnected);
        if let Err(error) = ended {
            if !passes(&error) || left.is_zero() {
                return Err(error);
            }
            let (what, seconds) = (in_one_line(error.as_ref()), left.as_secs().max(1));
            say(&format!("{what}; trying again for {seconds} s, entries until then are not shown"));
        } else {
            say("the server ended the stream; connecting again");
        }
        std::thread::sleep(wait.min(left));
        wait = wait.saturating_mul(2).min(WAIT_MAX);
    }
}

/// Tells whether an error may pass by itself.
fn passes(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<Error>(),
        Some(
            Error::Unreachable { .. }
                | Error::Gone { .. }
                | Error::AnswerLost { .. }
                | Error::Refused { status: 429 | 503, .. }
        )
    )
}

#[derive(Debug)]
struct Shown {
    output: Output,
    table: Table,
    json: bool,
}

impl Shown {
    fn all(
        &mut self,
        events: impl Iterator<Item = trailkeep_client::Result<ServerEvent>>,
    ) -> anyhow::Result<()> {
        for event in events {
            self.one(event?)?;
        }
        Ok(())
    }

    fn one(&mut self, event: ServerEvent) -> anyhow::Result<()> {
        match event.event.as_str() {
            "entry" if self.json => self.output.line(&event.data)?,
            "entry" => {
                for line in self.table.page(&[event.data])? {
                    self.output.line(&line)?;
                }
            }
            "gap" => say("this reader is too slow: some entries are not shown"),
            _ => {}
        }
        self.output.flush()
    }
}
