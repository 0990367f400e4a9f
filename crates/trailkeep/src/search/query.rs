//! What is asked, checked before anything is opened or sent.

use trailkeep_event::{AccountId, Micros};
use trailkeep_filter::{Filter, ParseError};
use trailkeep_query::Order;

use super::{Direction, SearchArguments};
use crate::failure::{Exit, Failure};

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) text: String,
    pub(super) filter: Filter,
    pub(super) account: Option<String>,
    pub(super) from: Option<Micros>,
    pub(super) to: Option<Micros>,
    pub(super) order: Order,
}

impl Query {
    /// Checks the arguments.
    pub(super) fn of(arguments: &SearchArguments) -> anyhow::Result<Self> {
        let text = arguments.query.clone().unwrap_or_default();
        let filter = parse_filter(&text, arguments.account.as_deref())?;
        Ok(Self {
            filter,
            text,
            account: arguments.account.clone(),
            from: parse_time("--from", arguments.from.as_deref())?,
            to: parse_time("--to", arguments.to.as_deref())?,
            order: match arguments.order {
                Direction::Asc => Order::Ascending,
                Direction::Desc => Order::Descending,
            },
        })
    }
}

/// Reads a query, within one account where that is named.
pub(crate) fn parse_filter(text: &str, account: Option<&str>) -> anyhow::Result<Filter> {
    // A query may start with `-`, so a mistyped option arrives here.
    if text.starts_with("--") {
        let failure = Failure::new(Exit::Usage, format!("there is no option `{text}`"));
        return Err(failure.hint("--help lists the options").into());
    }
    let filter = Filter::parse(text).map_err(|error| unreadable(text, &error))?;
    let Some(account) = account else { return Ok(filter) };
    AccountId::parse(account).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    Ok(Filter::account(account).and(filter))
}

/// Shows the query with a mark under the place that is wrong.
fn unreadable(text: &str, error: &ParseError) -> Failure {
    let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mark = " ".repeat(error.column.saturating_sub(1));
    let message = format!("could not read the query: {}\n\n  {shown}\n  {mark}^\n", error.message);
    let failure = Failure::new(Exit::Usage, message);
    match &error.hint {
        Some(hint) => failure.hint(hint.clone()),
        None => failure,
    }
}

/// Reads a time: RFC 3339, or a date for its first moment in UTC.
pub(crate) fn parse_time(name: &str, text: Option<&str>) -> anyhow::Result<Option<Micros>> {
    let Some(text) = text else { return Ok(None) };
    let parsed = Micros::parse(text).or_else(|_error| Micros::parse(&format!("{text}T00:00:00Z")));
    parsed.map(Some).map_err(|error| {
        let message = format!("{name} `{text}` is no time: {error}, or a date");
        Failure::new(Exit::Usage, message).into()
    })
}
