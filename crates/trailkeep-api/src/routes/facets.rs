//! `GET /api/v1/events/facets` and `GET /api/v1/events/complete`

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use trailkeep_query::{CompleteRequest, Distinct, Facet, FacetRequest, FacetValue, FieldPath};
use utoipa::ToSchema;

use crate::desk::Desk;
use crate::params::{Params, invalid};
use crate::principal::Principal;
use crate::routes::{json, to_json};
use crate::selection::Selection;
use crate::{Problem, ProblemDocument};

const FACETS_KNOWN: &[&str] = &["account_id", "from", "to", "q", "fields", "limit"];
const COMPLETE_KNOWN: &[&str] = &["account_id", "from", "to", "q", "field", "prefix", "limit"];
/// How many fields one question counts the values of.
const FIELDS_MAX: usize = 16;
const LIMIT_DEFAULT: usize = 10;
const LIMIT_MAX: usize = 100;

/// The values of some fields.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FacetsAnswer {
    /// How many entries match.
    total: u64,
    /// What values each field has, in the order asked for.
    facets: Vec<FacetAnswer>,
}

/// The values of one field.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FacetAnswer {
    /// The field, by the name that filters read.
    field: String,
    /// The most frequent values, the most frequent first.
    values: Vec<CountedValue>,
    /// How many different values there are; at least so many where not `distinct_exact`.
    distinct: u64,
    /// False where there are more different values than are counted apart: a frequent one that
    /// came late may be missing.
    distinct_exact: bool,
    /// How often entries have a value that is not told.
    other: u64,
    /// How many entries have no value.
    missing: u64,
}

/// A value and how many entries have it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CountedValue {
    /// The value as filters write it, without quotes.
    value: String,
    /// How many entries have it; absent for names.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
}

/// What can stand where somebody types.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Completions {
    /// The most frequent first; names of fields in their own order, then those of metadata.
    items: Vec<CountedValue>,
}

impl From<FacetValue> for CountedValue {
    fn from(FacetValue { value, count }: FacetValue) -> Self {
        Self { value, count: Some(count) }
    }
}

impl From<Facet> for FacetAnswer {
    fn from(facet: Facet) -> Self {
        let (distinct, distinct_exact) = match facet.distinct {
            Distinct::Exactly(n) => (n, true),
            Distinct::MoreThan(n) => (n, false),
        };
        Self {
            field: facet.path.name().to_owned(),
            values: facet.values.into_iter().map(CountedValue::from).collect(),
            distinct,
            distinct_exact,
            other: facet.other,
            missing: facet.missing,
        }
    }
}

/// Counts the values of fields over everything that matches.
///
/// Counts are exact.
#[utoipa::path(
    get, path = "/api/v1/events/facets", operation_id = "facets", tag = "analyses",
    params(
        ("account_id" = Option<String>, Query, description = "One account; else everything in scope"),
        ("from" = Option<String>, Query, description = "The earliest time (RFC 3339 or a date), included"),
        ("to" = Option<String>, Query, description = "The time before which entries lie, excluded"),
        ("q" = Option<String>, Query, description = "The filter; see the filter reference"),
        ("fields" = String, Query, description = "1 to 16 fields or paths such as `metadata.sdk`, with commas between"),
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 100, description = "How many values of each: 1 to 100, 10 where absent"),
    ),
    responses(
        (status = 200, description = "The values", body = FacetsAnswer),
        (status = 400, description = "A parameter is wrong", body = ProblemDocument),
        (status = 401, description = "No valid key", body = ProblemDocument),
        (status = 403, description = "The key may not read", body = ProblemDocument),
        (status = 429, description = "Too many questions of this key at once; see Retry-After", body = ProblemDocument),
        (status = 503, description = "Too many questions, or this one took too long", body = ProblemDocument),
    ),
)]
pub(crate) async fn facets(
    State(desk): State<Desk>,
    principal: Principal,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let scope = principal.reads()?;
    let params = Params::read(query.as_deref(), FACETS_KNOWN)?;
    let Selection { filter, from, to } = params.selection()?;
    let names = names(params.get("fields").unwrap_or(""));
    if names.len() > FIELDS_MAX {
        return Err(invalid("fields", format!("at most {FIELDS_MAX} fields")));
    }
    let fields = names.iter().map(|name| path("fields", name)).collect::<Result<Vec<_>, _>>()?;
    let limit = params.number("limit", 1..=LIMIT_MAX, LIMIT_DEFAULT)?;
    let request = FacetRequest { filter, from, to, fields, limit };
    let answer = desk.ask(principal.key_id(), move |engine| engine.facets(&scope, &request));
    let found = answer.await?;
    let facets = found.facets.into_iter().map(FacetAnswer::from).collect();
    to_json(&FacetsAnswer { total: found.total, facets }).map(json)
}

/// Completes what somebody types in a filter: values of a field, or names of fields.
#[utoipa::path(
    get, path = "/api/v1/events/complete", operation_id = "complete", tag = "analyses",
    params(
        ("field" = Option<String>, Query, description = "The field or path whose values are completed; where absent names of fields are"),
        ("prefix" = Option<String>, Query, description = "What was typed so far; values are compared in any case"),
        ("account_id" = Option<String>, Query, description = "Values that entries of this account have"),
        ("from" = Option<String>, Query, description = "Values that entries from this time on have"),
        ("to" = Option<String>, Query, description = "Values that entries before this time have"),
        ("q" = Option<String>, Query, description = "Values that entries have that match"),
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 100, description = "How many at most: 1 to 100, 10 where absent"),
    ),
    responses(
        (status = 200, description = "What can stand there", body = Completions),
        (status = 400, description = "A parameter is wrong", body = ProblemDocument),
        (status = 401, description = "No valid key", body = ProblemDocument),
        (status = 403, description = "The key may not read", body = ProblemDocument),
        (status = 429, description = "Too many questions of this key at once; see Retry-After", body = ProblemDocument),
        (status = 503, description = "Too many questions, or this one took too long", body = ProblemDocument),
    ),
)]
pub(crate) async fn complete(
    State(desk): State<Desk>,
    principal: Principal,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let scope = principal.reads()?;
    let params = Params::read(query.as_deref(), COMPLETE_KNOWN)?;
    let Selection { filter, from, to } = params.selection()?;
    let limit = params.number("limit", 1..=LIMIT_MAX, LIMIT_DEFAULT)?;
    let prefix = params.get("prefix").unwrap_or("").to_owned();
    let items = if let Some(field) = params.get("field") {
        let field = path("field", field)?;
        let request = CompleteRequest { field, prefix, filter, from, to, limit };
        let answer = desk.ask(principal.key_id(), move |engine| engine.complete(&scope, &request));
        answer.await?.into_iter().map(CountedValue::from).collect()
    } else {
        let names = move |engine: &trailkeep_query::Engine| engine.complete_fields(&scope, &prefix);
        let names = desk.ask(principal.key_id(), names).await?;
        names.into_iter().take(limit).map(|value| CountedValue { value, count: None }).collect()
    };
    to_json(&Completions { items }).map(json)
}

fn path(parameter: &str, name: &str) -> Result<FieldPath, Problem> {
    FieldPath::parse(name).ok_or_else(|| {
        let shown: String = name.chars().take(64).collect();
        let detail = format!("`{shown}` is not a field or member whose values can be counted");
        invalid(parameter, detail)
    })
}

/// Divides a list at its commas, but for those in quotes: `metadata."a,b",status`.
fn names(list: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in list.chars() {
        match c {
            ',' if !quoted => names.push(String::new()),
            _ => names.last_mut().into_iter().for_each(|name| name.push(c)),
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_have_commas_in_quotes() {
        let cases: [(&str, &[&str]); 5] = [
            ("status", &["status"]),
            ("status,metadata.a", &["status", "metadata.a"]),
            (r#"metadata."a,b",route"#, &[r#"metadata."a,b""#, "route"]),
            (r#"metadata."a\",b",route"#, &[r#"metadata."a\",b""#, "route"]),
            ("", &[""]),
        ];
        for (list, expected) in cases {
            assert_eq!(names(list), expected, "{list}");
        }
    }
}
