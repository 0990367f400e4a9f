//! Which entries a question is about.

use serde::Deserialize;
use trailkeep_event::{AccountId, Micros};
use trailkeep_filter::Filter;
use utoipa::ToSchema;

use crate::Problem;
use crate::params::invalid;

/// Which entries a question is about, as it was asked.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Selection)]
pub(crate) struct SelectionBody {
    /// One account; else everything in scope.
    pub(crate) account_id: Option<String>,
    /// The earliest time (RFC 3339 or a date), included.
    pub(crate) from: Option<String>,
    /// The time before which entries lie, excluded.
    pub(crate) to: Option<String>,
    /// The filter; see the filter reference.
    pub(crate) q: Option<String>,
}

/// Which entries a question is about.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) filter: Filter,
    pub(crate) from: Option<Micros>,
    pub(crate) to: Option<Micros>,
}

impl SelectionBody {
    /// Checks what was asked; a problem names the member.
    pub(crate) fn read(&self) -> Result<Selection, Problem> {
        let from = time("from", self.from.as_deref())?;
        let to = time("to", self.to.as_deref())?;
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            return Err(invalid("from", "`from` lies after `to`"));
        }
        Ok(Selection { filter: self.filter()?, from, to })
    }

    fn filter(&self) -> Result<Filter, Problem> {
        let filter = Filter::parse(self.q.as_deref().unwrap_or("")).map_err(|error| {
            let hint = error.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            let detail = format!("column {}: {}{hint}", error.column, error.message);
            invalid("q", detail).at_column(error.column)
        })?;
        let Some(account_id) = &self.account_id else { return Ok(filter) };
        AccountId::parse(account_id).map_err(|error| invalid("account_id", error.to_string()))?;
        Ok(Filter::account(account_id).and(filter))
    }
}

/// Reads a time: RFC 3339, or a date for its first moment in UTC.
fn time(name: &str, text: Option<&str>) -> Result<Option<Micros>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let read = Micros::parse(text).or_else(|_error| Micros::parse(&format!("{text}T00:00:00Z")));
    read.map(Some)
        .map_err(|_error| invalid(name, "a time is RFC 3339, like 2026-04-20T12:00:00Z, or a date"))
}
