//! The parameters of a query string: known ones, each once.

use trailkeep_event::{AccountId, Micros};
use trailkeep_filter::Filter;

use crate::{ErrorCode, Problem};

/// The parameters of one request.
#[derive(Debug)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// Checks that every parameter is known and stands once.
    pub(crate) fn new(pairs: Vec<(String, String)>, known: &[&str]) -> Result<Self, Problem> {
        for (index, (name, _value)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let detail = format!("no such parameter; this route takes {}", known.join(", "));
                return Err(invalid(name, detail));
            }
            if pairs.iter().take(index).any(|(before, _value)| before == name) {
                return Err(invalid(name, "the parameter stands twice"));
            }
        }
        Ok(Self { pairs })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _value)| known == name).map(|(_name, value)| value.as_str())
    }

    /// Reads `q` and `account_id` into one filter.
    pub(crate) fn filter(&self) -> Result<Filter, Problem> {
        let filter = Filter::parse(self.get("q").unwrap_or("")).map_err(|error| {
            let hint = error.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            let detail = format!("column {}: {}{hint}", error.column, error.message);
            invalid("q", detail).at_column(error.column)
        })?;
        let Some(account_id) = self.get("account_id") else { return Ok(filter) };
        AccountId::parse(account_id).map_err(|error| invalid("account_id", error.to_string()))?;
        Ok(Filter::account(account_id).and(filter))
    }

    /// Reads a time: RFC 3339, or a date for its first moment in UTC.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Micros>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        parse_time(text).map(Some).ok_or_else(|| {
            let detail = "a time is RFC 3339, like 2026-04-20T12:00:00Z, or a date";
            invalid(name, detail)
        })
    }

    /// Reads a number within bounds.
    pub(crate) fn number(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<usize>,
        default: usize,
    ) -> Result<usize, Problem> {
        let Some(text) = self.get(name) else { return Ok(default) };
        text.parse().ok().filter(|number| bounds.contains(number)).ok_or_else(|| {
            let detail = format!("a number from {} to {}", bounds.start(), bounds.end());
            invalid(name, detail)
        })
    }

    /// Reads one of some words.
    pub(crate) fn word<T: Copy>(
        &self,
        name: &str,
        words: &[(&str, T)],
        default: T,
    ) -> Result<T, Problem> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let found = words.iter().find(|(word, _meaning)| *word == text);
        found.map(|(_word, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<&str> = words.iter().map(|(word, _meaning)| *word).collect();
            invalid(name, format!("one of {}", known.join(", ")))
        })
    }
}

fn parse_time(text: &str) -> Option<Micros> {
    // A `+` of an offset that was not percent-encoded arrives as a space.
    let text = text.replace(' ', "+");
    if let Ok(at) = Micros::parse(&text) {
        return Some(at);
    }
    Micros::parse(&format!("{text}T00:00:00Z")).ok()
}

pub(crate) fn invalid(name: &str, detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    let short: String = name.chars().take(64).collect();
    Problem::new(ErrorCode::InvalidParameter, detail).at_field(short)
}
