//! The OpenAPI document: made from the handlers, committed, and compared.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr};
use utoipa::{Modify, OpenApi as _};

use crate::{Error, Result, health, routes};

/// Returns the document.
pub fn openapi() -> OpenApi {
    ApiDocument::openapi()
}

/// Returns the document as it is committed: indented, with a line end.
///
/// # Errors
/// [`Error::WriteDocument`], which would be a defect of the document's types.
pub fn openapi_json() -> Result<String> {
    let mut json = openapi().to_pretty_json().map_err(|source| Error::WriteDocument { source })?;
    json.push('\n');
    Ok(json)
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Trailkeep",
        description = "The audit log of an API platform: durable and searchable. \
                       Every error answer is a problem (RFC 9457) as JSON, with one exception: \
                       a request whose head cannot be read as HTTP, or is too large, is answered \
                       400, 414 or 431 without a body.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        routes::send::send, routes::list::list, routes::entry::entry, routes::tail::tail,
        routes::export::by_link, routes::export::export,
        routes::facets::facets, routes::facets::complete, routes::stats::stats,
        routes::histogram::histogram, routes::aggregate::aggregate, routes::sql::sql,
        routes::keys::create, routes::keys::list, routes::keys::revoke, routes::backup::back_up,
        health::livez, health::readyz,
    ),
    components(schemas(crate::ProblemDocument)),
    modifiers(&BearerToken, &ProblemJson),
    security(("bearer" = [])),
    tags(
        (name = "events", description = "Send, list, follow and export entries"),
        (name = "analyses", description = "Counts of values, charts, aggregates and SQL"),
        (name = "keys", description = "API keys"),
        (name = "operations", description = "Health, metrics and backup"),
    ),
)]
struct ApiDocument;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("bearer", scheme);
    }
}

/// Gives every error answer the media type that it is sent with.
struct ProblemJson;

impl Modify for ProblemJson {
    fn modify(&self, document: &mut OpenApi) {
        for operation in document.paths.paths.values_mut().flat_map(operations) {
            for (status, response) in &mut operation.responses.responses {
                let RefOr::T(response) = response else { continue };
                if !status.starts_with(['4', '5']) {
                    continue;
                }
                if let Some(content) = response.content.shift_remove("application/json") {
                    response.content.insert("application/problem+json".to_owned(), content);
                }
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    [get, post, put, patch, delete].into_iter().flatten()
}
